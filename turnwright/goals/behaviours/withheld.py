"""The person says less than they know: a value is left out, or a name fits several records."""

import random
import re
from collections.abc import Sequence
from typing import Any

from schemas.goals import BehaviourPlan
from schemas.tools import SqlTool, Tool
from turnwright.environments.determinism import FIXED_TIME
from turnwright.goals.behaviours.new_details import list_new_details
from turnwright.goals.drafts import Detail, DraftCall, DraftObjective
from turnwright.goals.keys import Keys, result_rows, shows_column
from turnwright.goals.row_source import RowSource
from turnwright.goals.words import comparable, same_value, say_value

_WORD = re.compile(r"[^\W\d_]{3,}")
MOST_CANDIDATES = 6
"""More records than that are a list, and nobody takes them for one."""


def plan_missing_parameter(objectives: Sequence[DraftObjective], rng: random.Random) -> BehaviourPlan | None:
    """A value that only the person knows is left out until the assistant asks for it."""
    found = [entry for entry in list_new_details(objectives) if entry[2].operator in ("=", "like", "set", "values")]
    if not found:
        return None
    index, call, detail = rng.choice(found)
    return BehaviourPlan(
        name="missing_parameter",
        objective=index,
        instruction=(
            f"When you first bring up task {index + 1}, leave out the {detail.label}. "
            f"Say that it is {say_value(detail.value)} only once the assistant asks for it."
        ),
        detail={"parameter": detail.parameter, "call": call.id, "label": detail.label, "value": detail.value},
    )


def plan_ambiguous_reference(
    objectives: Sequence[DraftObjective],
    tools: Sequence[Tool],
    source: RowSource,
    keys: Keys,
    rng: random.Random,
) -> BehaviourPlan | None:
    """The person first gives one word of a name, by which the plan's own search finds several records.

    That it does is proved by making the search on the base.
    """
    usable = [tool for tool in tools if isinstance(tool, SqlTool)]
    found = [entry for entry in list_new_details(objectives) if _is_searched(entry[2])]
    rng.shuffle(found)
    for index, call, detail in found:
        others = {value for objective in objectives for known in objective.known if (value := say_value(known.value))}
        words = [word for word in dict.fromkeys(_WORD.findall(str(detail.value))) if word not in others]
        rng.shuffle(words)
        for word in words:
            candidates = _find_candidates(call, detail, word, usable, source)
            if len(candidates) < 2 or keys.place(detail.table, detail.column) is None:
                continue
            full = say_value(detail.value)
            return BehaviourPlan(
                name="ambiguous_reference",
                objective=index,
                instruction=(
                    f"When you first bring up task {index + 1}, give the {detail.label} only as {word}. Say that it "
                    f"is {full} only once the assistant asks which one you mean, or shows several."
                ),
                detail={
                    "parameter": detail.parameter,
                    "call": call.id,
                    "label": detail.label,
                    "vague": word,
                    "value": detail.value,
                    "candidates": candidates,
                },
            )
    return None


def _is_searched(detail: Detail) -> bool:
    """Whether a part of the value finds the record: several words, compared with LIKE."""
    return detail.operator == "like" and isinstance(detail.value, str) and len(_WORD.findall(detail.value)) >= 2


def _find_candidates(
    call: DraftCall, detail: Detail, word: str, tools: Sequence[SqlTool], source: RowSource
) -> list[Any]:
    """The different values that the call's search shows for one word, the one that is meant among them; else none."""
    output = next(
        (one for one in call.tool.outputs if shows_column(one, detail.table or "", detail.column or "", detail.via)),
        None,
    )
    if output is None or detail.parameter is None:
        return []
    environment = source.base.open(tools, seed="0", reference_time=FIXED_TIME)
    try:
        result = environment.call(call.tool.name, {**call.arguments, detail.parameter: word})
    finally:
        environment.close()
    rows = result_rows(result.value) if result.error is None and not result.truncated else []
    values = {comparable(row[output.name]): row[output.name] for row in rows if row.get(output.name) is not None}
    meant = any(same_value(value, detail.value) for value in values.values())
    return list(values.values()) if meant and len(values) == len(rows) <= MOST_CANDIDATES else []
