"""Dialogues and figures as they are read in a terminal: what `turnwright show` and `turnwright stats` print.

Everything here returns something that rich can print. Content is never taken for markup, and control characters, which
could rewrite the screen, and halves of surrogate pairs are shown as what they are.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from turnwright.reports.formats import (
    format_cost,
    format_count,
    format_number,
    format_seconds,
    format_share,
    format_spread,
    format_words,
)
from turnwright.reports.reading import ReadCall, ReadDialogue, ReadMessage
from turnwright.reports.repair_text import show_repairs
from turnwright.reports.sections.table1 import list_lines
from turnwright.statistics.behaviours import BehaviourFigures
from turnwright.statistics.costs import Costs
from turnwright.statistics.pass_k import PassK
from turnwright.statistics.prefixes import PrefixReuse
from turnwright.statistics.scorecard import Scorecard
from turnwright.statistics.statistics import Statistics
from turnwright.statistics.table1 import Table1Row
from turnwright.statistics.yields import YieldRow

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MOODS = {"valid": "green", "invalid": "red", "unscored": "yellow"}
_LONGEST_RESULT = 600

_MOST_TRIALS = 10
"""Values of k that fit beside each other."""


def show_dialogue(dialogue: ReadDialogue) -> RenderableType:
    """One dialogue from its first to its last word, then its verdict."""
    columns = dialogue.columns
    behaviour = "" if columns["behaviour"] == "none" else f" · {format_words(columns['behaviour'])}"
    head = Text.assemble(
        (plain(dialogue.id), "bold"),
        f"  {plain(columns['domain'])} · {columns['difficulty']}{behaviour} · {columns['turns']} turns · "
        f"{columns['steps']} steps · {columns['task_count']} tasks · {plain(str(columns['model']))}  ",
        (dialogue.judgment, f"bold {_MOODS.get(dialogue.judgment, 'yellow')}"),
    )
    parts: list[RenderableType] = [head, Text()]
    if origin := columns.get("repaired_from"):
        said = f"repaired at message {columns['repaired_at']} from {origin} because {columns['repaired_because']}"
        parts[1:1] = [Text(plain(said), style="magenta")]
    parts.extend(_show_message(message) for message in dialogue.messages if message.role != "system")
    if columns["ending"] != "task_complete":
        parts.append(Text(f"ended: {format_words(columns['ending'])}: {plain(columns['detail'])}", style="red"))
    parts.append(_show_verdict(dialogue))
    return Group(*parts)


def list_dialogues(rows: Iterable[Mapping[str, Any]]) -> Table:
    """One line per dialogue: rows as `reading.list_dialogues` gives them."""
    table = _make_table("id", "domain", "level", ">turns", ">tasks", "verdict", "behaviour; why not")
    for column in table.columns:
        column.no_wrap = True
        column.overflow = "ellipsis"
    table.columns[0].min_width = len("dialogue_") + 16
    table.columns[5].min_width = len("unscored")
    table.columns[-1].ratio = 1
    table.expand = True
    for row in rows:
        notes: list[str] = row["reasons"][:1]
        if row["ending"] != "task_complete":
            notes = [f"ended: {format_words(row['ending'])}", *notes]
        if row["behaviour"] != "none":
            seen = "" if row["behaviour_occurred"] else " (did not occur)"
            notes = [format_words(row["behaviour"]) + seen, *notes]
        if row["repaired_from"]:
            notes = [f"repaired at message {row['repaired_at']}", *notes]
        verdict = Text(row["judgment"], style=_MOODS.get(row["judgment"], "yellow"))
        counts = (str(row["turns"]), str(row["task_count"]))
        _add_row(table, row["id"], row["domain"], row["difficulty"], *counts, verdict, "; ".join(notes))
    return table


def show_statistics(statistics: Statistics) -> RenderableType:
    """Table 1, the yield by stage, table 4, and how much the dialogues say."""
    information, language = statistics.information, statistics.language
    distinct = f"{language.distinct_first_user_messages} of {language.first_user_messages} first user messages"
    return Group(
        show_table1(statistics.table1),
        Text(),
        show_yields(statistics.yields),
        Text(),
        show_costs(statistics.costs),
        *([Text(), show_prefixes(statistics.prefixes)] if statistics.prefixes else []),
        *([Text(), show_behaviours(statistics.behaviours)] if statistics.behaviours else []),
        *([Text(), show_repairs(statistics.repair)] if statistics.repair else []),
        *(part for card in statistics.scorecards for part in (Text(), show_scorecard(card))),
        *([Text(), show_pass_k(statistics.pass_k)] if statistics.pass_k and statistics.pass_k.most_trials > 1 else []),
        Text(),
        Text(
            f"Empty turns: {format_share(information.empty_share)} "
            f"({format_share(information.empty_share_before_closing)} before the closing). "
            f"{distinct} differ. Words no person says: {language.identifiers} identifiers, "
            f"{language.surrogate_keys} database keys."
        ),
    )


def show_pass_k(found: PassK) -> RenderableType:
    """pass^k over all tasks and by difficulty (UO figure 5)."""
    table = _make_table("pass^k", *(f">k = {point.k}" for point in found.curve[:_MOST_TRIALS]))
    table.title = f"Trials: {found.trials} of {found.tasks} tasks"
    for name, curve in [("all", found.curve), *found.by_difficulty.items()]:
        cells = [f"{point.value:.3f}" for point in curve[:_MOST_TRIALS]]
        _add_row(table, name, *cells, *[""] * (min(len(found.curve), _MOST_TRIALS) - len(cells)))
    return table


def show_table1(rows: list[Table1Row]) -> RenderableType:
    """Table 1 in the paper's form: mean (maximum) of steps, turns and tasks."""
    accepted = list_lines(rows, "accepted")
    table = _make_table("mean (max)", ">step", ">turn", ">task", ">samples")
    table.title = "Table 1: accepted dialogues" if accepted else "Table 1: simulated dialogues, none accepted"
    for row in accepted or list_lines(rows, "all"):
        _add_row(
            table,
            f"{format_words(row.paradigm)}, {row.source}",
            format_spread(row.step),
            format_spread(row.turn),
            format_spread(row.task),
            format_count(row.samples),
        )
    return table


def show_yields(rows: list[YieldRow]) -> RenderableType:
    """What became of every planned unit, then the most frequent reasons."""
    table = _make_table("unit", ">planned", ">accepted", ">rejected", ">failed", ">not tried", ">yield")
    table.title = "Yield by stage"
    reasons: list[Text] = []
    for row in rows:
        _add_row(
            table,
            format_words(row.unit),
            format_count(row.planned),
            format_count(row.accepted),
            format_count(row.rejected),
            format_count(row.failed),
            format_count(row.not_attempted),
            format_share(row.rate if row.planned else None),
        )
        if row.reasons:
            listed = ", ".join(f"{reason.reason} {reason.count}" for reason in row.reasons[:5])
            reasons.append(Text.assemble((f"{format_words(row.unit)}: ", "dim"), plain(listed)))
    return Group(table, *reasons)


def show_costs(costs: Costs) -> RenderableType:
    """Table 4 in the paper's form, then calls and tokens by role and by stage, then what an accepted dialogue took."""
    speed = _make_table(">seconds per sample", ">tokens per second", ">wall time", ">calls", ">cost")
    speed.title = "Table 4: cost"
    _add_row(
        speed,
        format_number(costs.seconds_per_sample, 3),
        format_count(costs.tokens_per_second),
        format_seconds(costs.seconds),
        format_count(costs.calls),
        format_cost(costs.cost_usd),
    )
    roles = _make_table("role", ">calls", ">from the journal", ">tokens read", ">tokens generated", ">cost")
    for role in costs.roles:
        _add_row(
            roles,
            format_words(role.role),
            format_count(role.calls),
            format_count(role.replayed),
            format_count(role.prompt_tokens),
            format_count(role.completion_tokens),
            format_cost(role.cost_usd),
        )
    stages = _make_table("stage", ">wall time", ">requests", ">tokens", ">cost")
    for one in costs.stages:
        used = (format_count(one.requests), format_count(one.tokens), format_cost(one.cost_usd))
        _add_row(stages, one.stage, format_seconds(one.seconds), *used)
    per_accepted = Text(
        f"Per accepted dialogue: {format_seconds(costs.seconds_per_accepted)}, "
        f"{format_number(costs.calls_per_accepted, 1)} calls, {format_count(costs.tokens_per_accepted)} tokens, "
        f"{format_cost(costs.cost_per_accepted_usd)}."
    )
    parts: list[RenderableType] = [speed, *([Text(), roles] if costs.roles else [])]
    parts += [*([Text(), stages] if costs.stages else []), per_accepted]
    return Group(*parts, *([Text(), show_estimate(costs)] if costs.estimate else []))


def show_estimate(costs: Costs) -> RenderableType:
    """What was expected before the run, and what it really took."""
    table = _make_table("", ">calls", ">tokens", ">wall time", ">cost")
    estimate = costs.estimate
    if estimate is not None:
        source = f"{estimate.earlier_runs} earlier runs" if estimate.earlier_runs else "default figures"
        table.title = f"Estimate (from {source}) and reality"
        tokens = (format_count(estimate.tokens), format_seconds(estimate.seconds), format_cost(estimate.cost_usd))
        _add_row(table, "expected", format_count(estimate.calls), *tokens)
    used = format_count(costs.prompt_tokens + costs.completion_tokens)
    _add_row(table, "real", format_count(costs.calls), used, format_seconds(costs.seconds), format_cost(costs.cost_usd))
    return table


def show_prefixes(rows: list[PrefixReuse]) -> RenderableType:
    """How much of each role's prompts a prefix cache could serve, and did."""
    table = _make_table("role", ">calls counted", ">tokens read", ">ideal cache", ">server's cache")
    table.title = "Prompt tokens that a prefix cache serves"
    for row in rows:
        shares = (format_share(row.ideal_share), format_share(row.served_share))
        _add_row(table, format_words(row.role), format_count(row.calls), format_count(row.prompt_tokens), *shares)
    return table


def show_behaviours(rows: list[BehaviourFigures]) -> RenderableType:
    """What happened besides the goals, among the accepted dialogues; groups of behaviours come last."""
    table = _make_table("behaviour", ">planned", ">accepted", ">occurred", ">share of accepted", ">95 % interval")
    table.title = "Behaviours"
    for row in rows:
        name = (
            f"{format_words(row.name)} ({len(row.members)} {'kind' if len(row.members) == 1 else 'kinds'})"
            if row.members
            else format_words(row.name)
        )
        counts = (format_count(row.asked), format_count(row.accepted), format_count(row.occurred))
        interval = f"{format_share(row.ci_low)} to {format_share(row.ci_high)}"
        _add_row(table, name, *counts, format_share(row.share), interval)
    return table


def show_scorecard(card: Scorecard) -> RenderableType:
    """How often a model breaks its part as the user simulator."""
    table = _make_table("slip", ">dialogues", ">of", ">rate", ">95 % interval")
    table.title = f"User simulator: {plain(card.model)}"
    for row in card.rates:
        interval = f"{format_share(row.ci_low)} to {format_share(row.ci_high)}" if row.of else "–"
        counts = (format_count(row.count), format_count(row.of))
        _add_row(table, format_words(row.name), *counts, format_share(row.rate), interval)
    return table


def plain(text: str) -> str:
    """Text without control characters: an escape sequence in a tool's result must not reach the terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def _show_message(message: ReadMessage) -> RenderableType:
    parts: list[RenderableType] = []
    if message.reasoning:
        parts.append(Padding(Text(plain(message.reasoning), style="dim italic"), (0, 0, 0, 2)))
    speaker = {"user": ("You      ", "bold cyan"), "assistant": ("Assistant", "bold green")}.get(
        message.role, (message.role, "bold")
    )
    if message.content:
        line = Table.grid(padding=(0, 2), expand=False)
        line.add_column(no_wrap=True)
        line.add_column()
        line.add_row(Text(*speaker), Text(plain(message.content)))
        parts.append(line)
    parts.extend(_show_call(call) for call in message.calls)
    return Padding(Group(*parts), (0, 0, 1, 0))


def _show_call(call: ReadCall) -> RenderableType:
    result = "no result" if call.result is None else plain(call.result)
    if len(result) > _LONGEST_RESULT:
        result = f"{result[:_LONGEST_RESULT]}… ({len(result):,} characters)"
    text = Text.assemble(
        ("→ ", "dim"),
        (plain(call.name), "bold yellow"),
        f"({plain(call.brief_arguments)})\n",
        ("✗ " if call.failed else "← ", "red" if call.failed else "dim"),
        (result, "red" if call.failed else "dim"),
    )
    return Padding(text, (0, 0, 0, 11))


def _show_verdict(dialogue: ReadDialogue) -> RenderableType:
    verdict = dialogue.verdict
    if verdict is None:
        return Text("Not judged.", style="yellow")
    text = Text()
    text.append(f"{verdict['judgment']}", style=f"bold {_MOODS.get(verdict['judgment'], 'yellow')}")
    text.append(f"   replay {verdict['replay']} · outcome {verdict['outcome']} · judge {verdict['judge']}")
    for reason in verdict["reasons"]:
        text.append(f"\n✗ {plain(reason)}", style="red")
    for bullet in verdict["bullets"]:
        mark, style = ("✓", "green") if bullet["met"] else ("✗", "red")
        text.append(f"\n{mark} ", style=style)
        text.append(f"{plain(bullet['bullet'])} ")
        text.append(bullet["bullet_class"], style="dim")
    if verdict["reasoning"]:
        text.append(f"\n{plain(verdict['reasoning'])}", style="dim")
    return Panel(text, title="verdict", title_align="left", border_style="dim")


def _make_table(*columns: str) -> Table:
    """A table without lines; a column whose name begins with `>` is right-aligned."""
    table = Table(box=None, header_style="dim", title_justify="left", title_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left")
    return table


def _add_row(table: Table, *cells: str | Text) -> None:
    # Rich takes a plain string for markup.
    table.add_row(*(Text(plain(cell)) if isinstance(cell, str) else cell for cell in cells))
