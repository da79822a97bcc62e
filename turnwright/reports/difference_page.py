"""A difference between versions of a dataset as a page of its own, in the style of the run's report."""

from pathlib import Path

from markupsafe import Markup

from turnwright.datasets.difference import Difference
from turnwright.reports.html import CONTENT_POLICY, make_environment
from turnwright.reports.paired_bars import draw_paired_bars
from turnwright.statistics.drift import StatisticDrift
from turnwright.storage.store import replace_file


def write_difference_page(difference: Difference, file: Path) -> Path:
    """Writes the page and returns its path.

    Raises:
        OSError: the folder cannot be written.
    """
    replace_file(file, render_difference_page(difference).encode("utf-8", "replace"))
    return file


def render_difference_page(difference: Difference) -> str:
    """The page."""
    environment = make_environment()
    values = {
        "difference": difference,
        "groups": list(dict.fromkeys(figure.group for figure in difference.figures)),
        "plots": [(one, _draw(one)) for one in difference.drift],
    }
    body = environment.get_template("difference.html").render(values)
    parts = [{"name": "difference", "title": "Difference", "body": body}]
    name = f"{difference.dataset} v{difference.version}"
    return environment.get_template("page.html").render(sections=parts, run_id=name, policy=CONTENT_POLICY)


def _draw(drift: StatisticDrift) -> Markup:
    counts = {
        "added": {one.name: round(one.added * drift.added) for one in drift.bins},
        "last version": {one.name: round(one.before * drift.before) for one in drift.bins},
    }
    return draw_paired_bars(counts, drift.name, [one.name for one in drift.bins])
