"""The command `check`: dialogues made elsewhere, or a table of ours, row by row."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.answers import Answer
from flows.exit_codes import RowsWrong, UsageError
from schemas.checking import FileReport, RowReport


@dataclass(frozen=True)
class Asked:
    """What the command was asked for."""

    file: Path
    tools: Path | None
    system: Path | None
    out: Path | None


def check_file(answer: Answer, asked: Asked) -> None:
    """Checks every row of a file, prints figures by rule, and writes a line for each row into `out`.

    Raises:
        UsageError: a file cannot be read, or there is nothing in it that could be checked.
        RowsWrong: rows are wrong or could not be read; the answer holds which.
        OSError: `out` cannot be written.
    """
    from turnwright.reports.check_text import show_check

    if not asked.file.is_file():
        raise UsageError(f"{asked.file} is no file", "give a Parquet table, or JSON Lines with `messages`")
    table = _recognise(asked.file)
    kept: list[dict[str, Any]] = []
    report = _check_table(asked, table, kept) if table is not None else _check_dialogues(asked, kept)
    answer.fields = {"file": str(asked.file), **report.model_dump(mode="json"), "found": kept}
    if asked.out is not None:
        answer.fields["out"] = str(asked.out)
    answer.say(*show_check(report))
    if report.wrong or report.rejected:
        parts = [f"{report.wrong} wrong"] * bool(report.wrong) + [f"{report.rejected} rejected"] * bool(report.rejected)
        raise RowsWrong(f"of {report.rows} rows {' and '.join(parts)}")


def _recognise(file: Path) -> str | None:
    """The table that a file holds; none where it holds dialogues made elsewhere."""
    from turnwright.datasets.foreign_files import is_parquet

    try:
        if not is_parquet(file):
            return None
        from turnwright.storage.recognition import recognise_table

        return recognise_table(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {str(error)[:200]}", "give another file") from None


def _check_dialogues(asked: Asked, kept: list[dict[str, Any]]) -> FileReport:
    from turnwright.datasets.foreign_files import read_foreign, read_tools_file
    from turnwright.datasets.reference import BadReference
    from turnwright.validation.foreign import check_line
    from turnwright.validation.tally import Tally

    tally = Tally()
    unknown = 0
    try:
        tools = read_tools_file(asked.tools) if asked.tools is not None else []
        system = _read_text(asked.system) if asked.system is not None else ""

        def check() -> Iterator[RowReport]:
            nonlocal unknown
            for line in read_foreign(asked.file):
                report, tools_known = check_line(line, tools=tools, system=system)
                unknown += not tools_known
                tally.add(report)
                yield report

        _pass_on(check(), asked.out, kept)
    except BadReference as error:
        raise UsageError(str(error), "give JSON Lines: one object with `messages` (and `tools`) a line") from None
    hint = f"arguments of {unknown} dialogues that bring no tools along; --tools FILE gives them"
    return tally.finish("dialogues", not_checked=(hint,) if unknown else ())


def _check_table(asked: Asked, table: str, kept: list[dict[str, Any]]) -> FileReport:
    from data_checks.table_rows import check_table, find_siblings
    from turnwright.storage.tables import TableError
    from turnwright.validation.tally import Tally

    if asked.tools is not None or asked.system is not None:
        raise UsageError(f"{asked.file} is table {table}", "--tools and --system are for dialogues made elsewhere")
    siblings, config = find_siblings(asked.file)
    tally = Tally()
    try:
        reports, not_checked = check_table(asked.file, table, siblings, config)
    except TableError as error:
        raise RowsWrong(str(error)) from None
    for report in reports:
        tally.add(report)
    _pass_on(iter(reports), asked.out, kept)
    return tally.finish("table", table, tuple(not_checked))


def _pass_on(reports: Iterator[RowReport], out: Path | None, kept: list[dict[str, Any]]) -> None:
    """Writes a line for each row, and keeps those for the answer in which something was found."""
    import orjson

    if out is None:
        kept += [report.model_dump(mode="json") for report in reports if report.outcome != "clean"]
        return
    with out.open("wb") as stream:
        for report in reports:
            line = report.model_dump(mode="json")
            stream.write(orjson.dumps(line) + b"\n")
            if report.outcome != "clean":
                kept.append(line)


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}", "--system is a text file in UTF-8") from None
