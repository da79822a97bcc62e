"""What repair brought and what it cost, beside what the same dialogues would have cost made anew."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from schemas.closed import Closed
from schemas.rows import TableRef
from turnwright.storage.tables import read_columns

Source = Path | TableRef


class RepairFigures(Closed):
    """The repairs of a run."""

    invalid: int
    """Dialogues with a verdict of invalid."""
    tried: int
    """Dialogues that were made again from before their first fault, once or more."""
    repaired: int
    """Dialogues whose place a valid one has taken."""
    tries: int
    calls: int
    """Model calls that the tries and their verdicts rest on."""
    tokens: int
    """Prompt and generated tokens of the tries, without the judge's."""
    valid_rate_before: float
    valid_rate_after: float
    calls_per_repaired: float | None
    """Model calls for each valid dialogue that repair added."""
    calls_per_valid_anew: float | None
    """Model calls of simulation and judgement for each dialogue that was valid at once: what another would cost."""
    by_fault: dict[str, tuple[int, int]]
    """Whose fault it was -> dialogues tried, dialogues repaired."""


def find_replaced(tables: Mapping[str, Source]) -> dict[str, str]:
    """Invalid dialogue -> the valid one that was made of it."""
    if not {"repaired_dialogues", "repaired_verdicts"} <= tables.keys():
        return {}
    columns = ("dialogue_id", "judgment")
    verdicts = read_columns(tables["repaired_verdicts"], "repaired_verdicts", columns)
    valid = {row["dialogue_id"] for row in verdicts if row["judgment"] == "valid"}
    tries = read_columns(tables["repaired_dialogues"], "repaired_dialogues", ("id", "repaired_from"))
    return {row["repaired_from"]: row["id"] for row in tries if row["id"] in valid}


def count_repairs(tables: Mapping[str, Source]) -> RepairFigures | None:
    """The figures of a run, or none where nothing was to be repaired.

    Calls are counted by the rows that rest on them, so that a run from the journal has the same figures.

    Raises:
        TableError: a file cannot be read or holds another table.
    """
    needed = ("dialogues", "verdicts", "repaired_dialogues", "repaired_verdicts")
    if any(name not in tables for name in needed):
        return None
    judged = list(read_columns(tables["verdicts"], "verdicts", ("judgment", "model_calls")))
    simulated = list(read_columns(tables["dialogues"], "dialogues", ("model_calls",)))
    columns = ("repaired_from", "repaired_because", "model_calls", "prompt_tokens", "completion_tokens")
    tries = list(read_columns(tables["repaired_dialogues"], "repaired_dialogues", columns))
    again = list(read_columns(tables["repaired_verdicts"], "repaired_verdicts", ("model_calls",)))
    replaced = find_replaced(tables)
    faults = {row["repaired_from"]: str(row["repaired_because"]).split(":", 1)[0] for row in tries}
    tried, mended = Counter(faults.values()), Counter(faults[origin] for origin in replaced)
    valid = sum(row["judgment"] == "valid" for row in judged)
    calls = sum(len(row["model_calls"]) for row in (*tries, *again))
    anew = sum(len(row["model_calls"]) for row in (*simulated, *judged))
    return RepairFigures(
        invalid=sum(row["judgment"] == "invalid" for row in judged),
        tried=len(faults),
        repaired=len(replaced),
        tries=len(tries),
        calls=calls,
        tokens=sum(row["prompt_tokens"] + row["completion_tokens"] for row in tries),
        valid_rate_before=round(valid / len(simulated), 6) if simulated else 0.0,
        valid_rate_after=round((valid + len(replaced)) / len(simulated), 6) if simulated else 0.0,
        calls_per_repaired=round(calls / len(replaced), 3) if replaced else None,
        calls_per_valid_anew=round(anew / valid, 3) if valid else None,
        by_fault={fault: (tried[fault], mended[fault]) for fault in sorted(tried)},
    )
