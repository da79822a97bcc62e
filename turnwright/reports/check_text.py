"""What a check of a file found, for the terminal."""

from collections.abc import Iterator

from rich.text import Text

from schemas.checking import FileReport

_LINE = "{:9}{:11}{:24}{:>9}{:>9}{:>9}"


def show_check(report: FileReport) -> Iterator[Text]:
    """The figures, a line for each rule, examples below it, and what was rejected."""
    noun = f"rows of table {report.table}" if report.kind == "table" else "dialogues"
    yield Text(
        f"{report.rows:,} {noun}: {report.clean:,} clean, {report.remarked:,} with remarks, {report.wrong:,} wrong, "
        f"{report.rejected:,} rejected",
        style="bold",
    )
    if report.rules:
        yield Text(_LINE.format("", "layer", "rule", "findings", "rows", "share"), style="dim")
    for rule in report.rules:
        kind, style = ("blocks", "red") if rule.blocks else ("remark", "yellow")
        line = _LINE.format(kind, rule.layer, rule.code, f"{rule.findings:,}", f"{rule.rows:,}", f"{rule.share:.1%}")
        yield Text(line, style=style)
        yield from (Text(f"           {_flatten(example)}", style="dim") for example in rule.examples)
    for reason in report.rejections:
        yield Text(f"rejected   {_flatten(reason)}", style="red")
    if report.rejected > len(report.rejections):
        yield Text(f"rejected   … and {report.rejected - len(report.rejections):,} more", style="red")
    for line in report.not_checked:
        yield Text(f"not checked: {line}", style="dim")


def _flatten(text: str) -> str:
    """One line without characters that a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
