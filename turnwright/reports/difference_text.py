"""Versions of datasets, and the difference between two, for the terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from turnwright.datasets.difference import Difference, FigureChange, describe_drift
from turnwright.datasets.versions import DatasetVersion
from turnwright.reports.formats import format_count, format_number, format_share

_STYLES = {"fail": "red", "warn": "yellow", "ok": "green", "too_few": "dim"}


def show_difference(difference: Difference) -> Iterator[Text | Table]:
    """Rows, figures, drift."""
    against = "nothing before it" if difference.previous is None else f"v{difference.previous}"
    yield Text(
        f"{difference.dataset} v{difference.version} against {against}: {difference.added} examples added by "
        f"{difference.run_id} ({difference.mode})",
        style="bold",
    )
    rows = Table("table", "before", "made", "added", "after", box=None, pad_edge=False)
    for change in difference.tables:
        counts = (change.before, change.made, change.added, change.after)
        rows.add_row(change.table, *(format_count(count) for count in counts))
    yield rows
    figures = Table("", "before", "run", "after", box=None, pad_edge=False)
    for figure in difference.figures:
        figures.add_row(figure.name, *(_format(figure, value) for value in (figure.before, figure.run, figure.after)))
    yield figures
    if difference.repeated_goals is not None:
        yield Text(f"repeated goals: {format_share(difference.repeated_goals)} of the dialogue tasks")
    for one in difference.drift:
        expected = " (expected)" if one.expected and one.level == "warn" else ""
        yield Text(f"{one.level.replace('_', ' '):8} {describe_drift(one)}{expected}", style=_STYLES[one.level])


def list_versions_text(versions: Sequence[DatasetVersion]) -> Table:
    """Versions, one a line."""
    table = Table("version", "examples", "added", "by", "mode", "published", "digest", box=None, pad_edge=False)
    for version in versions:
        manifest = version.manifest
        last = manifest.parts[-1]
        table.add_row(
            version.name,
            format_count(manifest.rows),
            format_count(last.rows),
            last.run_id,
            last.mode,
            manifest.published[:19],
            manifest.digest[:12],
        )
    return table


def _format(figure: FigureChange, value: float | None) -> str:
    if value is not None and figure.name.endswith("rate"):
        return format_share(value)
    whole = value is None or float(value).is_integer()
    return format_count(value) if whole else format_number(value, 4 if value is not None and value < 1 else 2)
