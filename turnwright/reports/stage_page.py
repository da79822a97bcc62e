"""What one stage of a run took, made and cost, as Markdown: the page that the Prefect UI shows beside the flow run.

The page is small whatever the stage made, because every version of it lies in the server's database. Content of
dialogues is somebody else's text: it is cut, put on one line and escaped, so that it can neither mark up the page nor
leave its place.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.vocabulary import STAGES, Stage
from turnwright.lineage.files import STAGE_INPUTS, STAGE_OUTPUTS
from turnwright.reports.formats import format_cost, format_count, format_seconds, format_share
from turnwright.reports.reading import ReadDialogue, ReadMessage
from turnwright.statistics.yields import YieldRow

_LONGEST_TEXT = 240
_MOST_MESSAGES = 10
_MOST_REASONS = 5
_MOST_CHECKS = 40
_MARKUP = re.compile(r"([\\`*_\[\]|~$:@]|(?i:(?<=www)\.))")
"""What means something inside a line of Markdown, or makes a link of it. Nothing here stands at a line's beginning."""
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


@dataclass(frozen=True)
class TableFacts:
    """One table that a stage read or wrote."""

    table: str
    sha256: str
    rows: int
    bytes: int | None
    """Size of its file; none where it cannot be seen from here."""


@dataclass(frozen=True)
class CheckFacts:
    """One expectation of the gate that does not hold."""

    table: str
    expectation: str
    level: str
    figure: str
    limit: str
    examples: Sequence[str] = ()


@dataclass(frozen=True)
class StageCost:
    """What the models of a stage used."""

    requests: int
    tokens: int
    cost_usd: float | None
    """None where a model has no price."""


@dataclass(frozen=True)
class StagePage:
    """All that the page tells."""

    run_id: str
    stage: Stage
    seconds: float
    shards: int
    stopped: str | None
    """Why not everything was attempted, if so."""
    inputs: Sequence[TableFacts]
    outputs: Sequence[TableFacts]
    passed: bool
    """Whether the gate let the tables through."""
    checks: int
    """Expectations held against the tables."""
    problems: Sequence[CheckFacts]
    yields: Sequence[YieldRow]
    cost: StageCost | None
    """None where no model was asked."""
    chain: Sequence[TableFacts] = ()
    """Tables of earlier stages, which those that were read rest on."""
    samples: Sequence[ReadDialogue] = field(default_factory=tuple)
    places: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where to look further: words -> path."""


def render_page(page: StagePage) -> str:
    """The page as Markdown."""
    parts = [
        f"# {page.stage} · {_plain(page.run_id)}",
        _render_summary(page),
        "## Lineage",
        render_lineage(page),
        "## Tables",
        _render_tables(page),
        "## Gate",
        _render_gate(page),
    ]
    if page.yields:
        parts += ["## Yield", _render_yields(page.yields)]
    if page.samples:
        parts += ["## Samples", *(_render_dialogue(dialogue) for dialogue in page.samples)]
    if page.places:
        parts += ["## Further", *(f"- {words}: `{path}`" for words, path in page.places.items())]
    return "\n\n".join(parts) + "\n"


def render_lineage(page: StagePage) -> str:
    """The chain of tables back to the sources, with this stage last, as a Mermaid flowchart."""
    known = {facts.table: facts for facts in (*page.chain, *page.inputs, *page.outputs)}
    reads: dict[Stage, list[str]] = {page.stage: [facts.table for facts in page.inputs]}
    for stage in reversed(STAGES[: STAGES.index(page.stage)]):
        needed = {table for tables in reads.values() for table in tables}
        # A stage's by-products that nothing here was made of would only make the picture small.
        if needed.intersection(STAGE_OUTPUTS[stage]).intersection(known):
            reads[stage] = [table for table in STAGE_INPUTS[stage] if table in known]
    needed = {table for tables in reads.values() for table in tables}
    lines = ["```mermaid", "flowchart TB", "  sources[(sources)]"]
    for stage in reversed(reads):
        node = f"stage_{stage.replace('-', '_')}"
        lines.append(f'  {node}(["{stage}"])')
        lines += [f"  {table} --> {node}" for table in reads[stage]] or [f"  sources --> {node}"]
        here = stage == page.stage
        made = [facts.table for facts in page.outputs] if here else [t for t in STAGE_OUTPUTS[stage] if t in needed]
        for table in made:
            facts = known[table]
            rows = f"{format_count(facts.rows)} row{'' if facts.rows == 1 else 's'}"
            lines.append(f'  {node} --> {table}["{table}<br/>{rows}<br/>{facts.sha256[:12]}"]')
    lines += [f"  style stage_{page.stage.replace('-', '_')} stroke-width:3px", "```"]
    return "\n".join(lines)


def _render_summary(page: StagePage) -> str:
    words = [
        f"gate **{'passed' if page.passed else 'FAILED'}**",
        format_seconds(page.seconds),
        f"{format_count(page.shards)} shard{'' if page.shards == 1 else 's'}",
    ]
    if page.cost is not None:
        cost = "cost unknown" if page.cost.cost_usd is None else format_cost(page.cost.cost_usd)
        words += [f"{format_count(page.cost.requests)} requests", f"{format_count(page.cost.tokens)} tokens", cost]
    else:
        words.append("no model was asked")
    if page.stopped:
        words.append(f"**stopped early: {page.stopped}**")
    return " · ".join(words)


def _render_tables(page: StagePage) -> str:
    rows = [("read", facts) for facts in page.inputs] + [("wrote", facts) for facts in page.outputs]
    cells = [
        (way, f"`{one.table}`", format_count(one.rows), format_count(one.bytes), f"`{one.sha256[:16]}…`")
        for way, one in rows
    ]
    whole = "\n".join(f"{one.sha256}  {one.table}.parquet" for _, one in rows)
    digests = f"<details><summary>whole digests</summary><pre>{whole}</pre></details>"
    return _table(("", "table", "rows", "bytes", "sha256"), cells) + f"\n\n{digests}"


def _render_gate(page: StagePage) -> str:
    if not page.problems:
        return f"All {format_count(page.checks)} expectations hold."
    rows = [
        (
            "**fail**" if problem.level == "fail" else "warn",
            _plain(f"{problem.table}.{problem.expectation}"),
            _plain(problem.figure),
            _plain(problem.limit),
            _plain(problem.examples[0]) if problem.examples else "",
        )
        for problem in page.problems[:_MOST_CHECKS]
    ]
    head = f"{format_count(len(page.problems))} of {format_count(page.checks)} expectations do not hold."
    return f"{head}\n\n" + _table(("", "expectation", "found", "allowed", "e.g."), rows)


def _render_yields(yields: Sequence[YieldRow]) -> str:
    cells = [
        (
            row.unit,
            format_count(row.planned),
            format_count(row.accepted),
            format_count(row.rejected),
            format_count(row.failed),
            format_count(row.not_attempted),
            format_share(row.rate),
        )
        for row in yields
    ]
    table = _table(("unit", "planned", "accepted", "rejected", "failed", "not attempted", "yield"), cells)
    # Codes are long words, which would push a table's other columns off the page.
    reasons = [
        f"- {row.unit}: {_plain(why.reason)}, {format_count(why.count)} times"
        for row in yields
        for why in row.reasons[:_MOST_REASONS]
    ]
    return "\n".join([table, *([""] if reasons else []), *reasons])


def _render_dialogue(dialogue: ReadDialogue) -> str:
    """A dialogue that opens at a click: one block of HTML, because a blank line would end it and open it for good."""
    columns = dialogue.columns
    head = f"{dialogue.id} · {columns['domain']} · {columns['difficulty']} · {columns['turns']} turns"
    spoken = [message for message in dialogue.messages if message.role != "system"]
    lines = [line for message in spoken[:_MOST_MESSAGES] for line in _render_message(message)]
    if len(spoken) > _MOST_MESSAGES:
        lines.append(f"… and {len(spoken) - _MOST_MESSAGES} further messages")
    if dialogue.verdict and dialogue.verdict["reasons"]:
        lines += [f"<b>not kept:</b> {_escape(str(reason))}" for reason in dialogue.verdict["reasons"][:2]]
    summary = f"{_escape(head)} · <b>{_escape(dialogue.judgment)}</b>"
    body = "".join(f"\n<p>{line}</p>" for line in lines)
    return f"<details><summary>{summary}</summary>{body}\n</details>"


def _render_message(message: ReadMessage) -> Iterable[str]:
    if message.content:
        yield f"<b>{_escape(message.role)}:</b> {_escape(message.content)}"
    for call in message.calls:
        result = "no result" if call.result is None else _escape(call.result)
        yield f"<code>{_escape(call.name)}({_escape(call.brief_arguments)})</code> → {result}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def _shorten(text: str) -> str:
    line = _UNSEEN.sub(" ", text)
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def _escape(text: str) -> str:
    """Text that HTML shows as it is, on one line, cut where it is long."""
    return html.escape(_shorten(text), quote=False)


def _plain(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line, cut where it is long."""
    return _MARKUP.sub(r"\\\1", _escape(text))
