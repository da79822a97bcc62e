"""statistics.json: everything that is counted over the tables of one run, in one pass over each."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.closed import Closed
from turnwright.statistics.behaviours import BehaviourFigures, count_behaviours
from turnwright.statistics.costs import Costs, compute_costs
from turnwright.statistics.dialogue_pass import DialoguePass, Source, read_table
from turnwright.statistics.information import Information
from turnwright.statistics.mix import Share, target_shares_of_run
from turnwright.statistics.pass_k import PassK, compute_pass_k
from turnwright.statistics.prefixes import PrefixReuse, measure_prefixes
from turnwright.statistics.repairs import RepairFigures, count_repairs
from turnwright.statistics.scorecard import Scorecard, name_user_model
from turnwright.statistics.stateless import compute_generation_yields
from turnwright.statistics.table1 import Table1Row
from turnwright.statistics.user_language import Language
from turnwright.statistics.yields import YieldRow, compute_yields
from turnwright.storage.store import replace_file


class Counts(Closed):
    """How many rows of each kind."""

    domains: int
    tools_verified: int
    tools_rejected: int
    toolsets: int
    dialogue_tasks: int
    dialogues: int
    valid: int
    invalid: int
    unscored: int
    exported: dict[str, int]
    """Rows of the dataset by split."""

    @property
    def valid_rate(self) -> float:
        """Valid share of the simulated dialogues."""
        return self.valid / self.dialogues if self.dialogues else 0.0


class Statistics(Closed):
    """All figures of a run. The same tables and the same run.json give the same figures."""

    counts: Counts
    table1: list[Table1Row]
    yields: list[YieldRow]
    costs: Costs
    prefixes: list[PrefixReuse] = []
    """By role; empty where the call journal is not there."""
    information: Information
    language: Language
    difficulty: list[Share]
    behaviour: list[Share]
    tasks: list[Share]
    domains: list[Share]
    endings: dict[str, int]
    reasons: dict[str, int]
    """Why dialogues are not valid: code -> dialogues, most frequent first."""
    distributions: dict[str, dict[int, int]]
    """`turns`, `steps` (per request that reached the tools), `tasks`, `calls`: value -> how often."""
    models: list[str]
    """Models that wrote some row, by name."""
    repairs: int
    behaviours: list[BehaviourFigures] = []
    """Each behaviour and the groups of them, among the accepted dialogues."""
    scorecards: list[Scorecard] = []
    """Of each model that played the user simulator; empty before anything was judged."""
    repair: RepairFigures | None = None
    """None where no dialogue was to be repaired. A repaired dialogue counts in all other figures in the place of the
    one that it was made of."""
    pass_k: PassK | None = None
    """How reliably tasks are done over their trials; none before anything was judged."""


def compute_statistics(tables: Mapping[str, Source], run: Mapping[str, Any], journal: Path | None = None) -> Statistics:
    """Counts the tables of a run, streaming; a table that is not there counts as empty.

    Args:
        tables: table name -> Parquet file.
        run: the content of run.json (`usage`, `timings`, `estimate` and `config` are read); may be empty.
        journal: folder of the call journal, for the reuse of prefixes.

    Raises:
        TableError: a file cannot be read or holds another table.
        SegmentError: the journal is damaged.
    """
    dialogues = DialoguePass(tables, target_shares_of_run(run))
    dialogues.read()
    accepted_specs = Counter(bool(row["accepted"]) for row in read_table(tables, "tool_specs", "accepted"))
    judged = Counter(dialogues.judgments.values())
    splits = Counter(str(row["split"]) for row in read_table(tables, "dataset", "split"))
    writers = {
        str(row["model"])
        for name in ("questions", "tool_specs", "dialogue_tasks", "verdicts")
        for row in read_table(tables, name, "model")
        if row["model"]
    }
    counts = Counts(
        domains=len({row["domain"] for row in read_table(tables, "seeds", "domain")}),
        tools_verified=accepted_specs[True],
        tools_rejected=accepted_specs[False],
        toolsets=sum(1 for _ in read_table(tables, "toolsets", "id")),
        dialogue_tasks=sum(1 for _ in read_table(tables, "dialogue_tasks", "id")),
        dialogues=dialogues.simulated,
        valid=judged["valid"],
        invalid=judged["invalid"],
        unscored=judged["unscored"],
        exported=dict(sorted(splits.items())),
    )
    behaviour = dialogues.behaviour.shares(with_occurred=True)
    return Statistics(
        counts=counts,
        table1=dialogues.table1.rows(),
        yields=[
            *compute_yields(read_table(tables, "ledger", "stage", "unit", "unit_id", "outcome", "reasons", "boundary")),
            *compute_generation_yields(read_table(tables, "dialogues", "id", "generation")),
        ],
        costs=compute_costs(run, simulated=counts.dialogues, accepted=counts.valid),
        prefixes=[] if journal is None else measure_prefixes(tables, journal),
        information=dialogues.information(),
        language=dialogues.language(),
        difficulty=dialogues.difficulty.shares(),
        behaviour=behaviour,
        tasks=dialogues.tasks.shares(),
        domains=dialogues.domains.shares(),
        endings=dict(sorted(dialogues.endings.items())),
        reasons=dict(sorted(dialogues.reasons.items(), key=lambda item: (-item[1], item[0]))),
        distributions={name: dict(sorted(values.items())) for name, values in dialogues.distributions.items()},
        models=sorted(dialogues.models | writers),
        repairs=dialogues.repairs,
        behaviours=count_behaviours(behaviour),
        scorecards=[dialogues.scorecard.read(name_user_model(run))] if dialogues.judgments else [],
        repair=count_repairs(tables),
        pass_k=compute_pass_k(read_table(tables, "verdicts", "dialogue_task_id", "judgment", "difficulty")),
    )


def write_statistics(statistics: Statistics, file: Path) -> None:
    """Writes statistics.json.

    Raises:
        OSError: the folder cannot be written.
    """
    replace_file(file, statistics.model_dump_json(indent=2).encode() + b"\n")


def read_statistics(file: Path) -> Statistics:
    """Reads statistics.json.

    Raises:
        OSError: the file cannot be read.
        ValueError: it was written by another version.
    """
    return Statistics.model_validate_json(file.read_bytes())
