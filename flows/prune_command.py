"""The command `prune`: what nothing needs any more, with its bytes; deleted only where that is asked for."""

import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from flows.answers import Answer
from flows.exit_codes import UsageError


@dataclass(frozen=True)
class Asked:
    """What the command was asked for."""

    keep_last: int | None
    older_than: float | None
    drop: tuple[str, ...]
    delete: bool


def prune_runs(answer: Answer, runs: Path, asked: Asked) -> None:
    """Says what would go, or takes it away and tells the catalog.

    Raises:
        UsageError: there is no such folder, run or version, or a run that is to go is at work.
        AtWork: something is to be deleted while a run is at work.
        CatalogError: the catalog cannot be written; what was deleted is deleted.
        OSError: something cannot be read or deleted.
    """
    from rich.text import Text

    from turnwright.lineage.catalog import Catalog
    from turnwright.lineage.presence import hold_alone
    from turnwright.lineage.pruning import GivenUp, NotThere, carry_out, plan_prune
    from turnwright.lineage.registration import register_all
    from turnwright.storage.run_folder import find_run

    if not runs.is_dir():
        raise UsageError(f"{runs} is no folder", "give the folder of all runs with --runs")
    names = frozenset(name if "@" in name else find_run(runs, name).run_id for name in asked.drop)
    with hold_alone(runs) if asked.delete else nullcontext():
        try:
            plan = plan_prune(runs, GivenUp(asked.keep_last, asked.older_than, names), time.time())
        except NotThere as error:
            raise UsageError(
                str(error), "`turnwright datasets` lists versions; run ids are the folders' names"
            ) from None
        if asked.delete:
            carry_out(runs, plan)
    answer.fields = {"runs": str(runs), "deleted": asked.delete, **plan.model_dump(mode="json")}
    if asked.delete:
        with Catalog(runs) as catalog:
            register_all(catalog, runs)
    counts = Counter(one.kind for one in plan.doomed)
    sizes = Counter[str]()
    for one in plan.doomed:
        sizes[one.kind] += one.bytes
    lines = [f"{one.kind:9} {one.name}  {one.bytes:,} bytes" for one in plan.doomed if one.kind in ("run", "version")]
    lines += [
        f"{kind:9} {count:,} of them, {sizes[kind]:,} bytes"
        for kind, count in sorted(counts.items())
        if kind not in ("run", "version")
    ]
    word = "deleted" if asked.delete else "would go (nothing was deleted; add --delete)"
    lines.append(f"{len(plan.doomed):,} things {word}: {plan.bytes:,} bytes gained")
    lines.append(f"kept: {len(plan.kept_runs)} runs, {len(plan.kept_versions)} versions of datasets, all model replies")
    answer.say(Text("\n".join(lines)))
