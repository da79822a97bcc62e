"""Which planner draws the goal of a slot: by what the tools of its seed are, and by whether they are to run."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol, TypeVar, cast

from schemas.databases import Database
from schemas.rows import SeedRow
from schemas.seeds import DialogueSeed, DomainSeed, ToolSeed
from schemas.sources import EXECUTABLE
from schemas.tools import DomainTool, SpecTool, SqlTool, Tool
from turnwright.environments.base import Base, SqlBase
from turnwright.goals.behaviours.refused import find_blocked
from turnwright.goals.drafts import Draft, forget_results
from turnwright.goals.execution import run_plan
from turnwright.goals.plans import PlanRejected, draw_plan
from turnwright.goals.proof import Proof, prove_plan
from turnwright.goals.row_source import row_source
from turnwright.goals.slots import Slot
from turnwright.goals.spec_plans import draw_spec_plan

ToolT = TypeVar("ToolT", bound=Tool)


class Service(Protocol):
    """What a seed describes: a database, a set of tools, a domain."""

    @property
    def name(self) -> str:
        """Of the domain."""
        ...


def read_service(seed: SeedRow) -> Service:
    """The content of a seed, parsed once per process."""
    return _read_service(seed.kind, seed.content)


@lru_cache(maxsize=64)
def _read_service(kind: str, content: str) -> Database | ToolSeed | DialogueSeed | DomainSeed:
    match kind:
        case "sql":
            return Database.model_validate_json(content)
        case "domain":
            return DomainSeed.model_validate_json(content)
        case "dialogues":
            return DialogueSeed.model_validate_json(content)
        case _:
            return ToolSeed.model_validate_json(content)


def plan_goal(
    slot: Slot, seed: SeedRow, tools: Sequence[Tool], base: Base | None, draw: int
) -> tuple[Draft[Tool], Proof]:
    """A plan for a slot and what is known of running it; `draw` numbers the attempts. Blocks where tools run.

    Tools that can run have their plans drawn on real rows even where the dialogue is to be simulated: what a person
    says is then true of something. What only a real result could tell is left out of such a plan.

    Raises:
        PlanRejected: no plan came out of this draw, or one that does not hold.
    """
    executed = slot.paradigm == "user_oriented_executed"
    if seed.kind not in EXECUTABLE or any(isinstance(tool, SpecTool) for tool in tools):
        if executed:
            raise PlanRejected("paradigm_not_supported", "the tools are specifications, which cannot be executed")
        draft = draw_spec_plan(slot, _only(tools, SpecTool), draw)
        return draft, unproved(seed, draft)
    if base is None:
        raise PlanRejected("no_base", f"nothing was opened that runs the tools of {seed.domain}")
    if seed.kind == "domain":
        # The domains of stateful seeds come with their own planner, which is loaded only where one is used.
        from turnwright.goals.domain_plans import draw_domain_plan

        service = cast(DomainSeed, read_service(seed))
        drawn = draw_domain_plan(slot, service, _only(tools, DomainTool), base, draw)
        proof = run_plan(drawn, tools, base, seed=slot.seed)
        return (drawn, proof) if executed else (forget_results(drawn), unproved(seed, drawn))
    database, sql_base, sql_tools = cast(Database, read_service(seed)), cast(SqlBase, base), _only(tools, SqlTool)
    plan = draw_plan(slot, sql_tools, database, sql_base, draw)
    proof = prove_reachable(plan, sql_tools, database, sql_base, seed=slot.seed)
    return (plan, proof) if executed else (forget_results(plan), unproved(seed, plan))


def prove_reachable(
    draft: Draft[SqlTool], tools: Sequence[SqlTool], database: Database, base: SqlBase, *, seed: str
) -> Proof:
    """The proof of what a plan comes to: of all of it, or without the objective that its behaviour blocks.

    The whole plan is proved in any case: only what would be possible otherwise can be refused.

    Raises:
        PlanRejected: the plan does not hold.
    """
    keys = row_source(base, database).keys
    proof = prove_plan(draft, tools, keys, base, seed=seed)
    blocked = find_blocked(draft.behaviour)
    if blocked is None:
        return proof
    rest = tuple(objective for number, objective in enumerate(draft.objectives) if number != blocked)
    return prove_plan(replace(draft, objectives=rest), tools, keys, base, seed=seed)


def unproved(seed: SeedRow, draft: Draft[Tool]) -> Proof:
    """What is known of a plan whose tools are simulated: nothing runs, so the state stays what the seed found."""
    return Proof({call.id: None for call in draft.calls}, seed.base_digest, seed.base_digest, ())


def _only(tools: Sequence[Tool], kind: type[ToolT]) -> list[ToolT]:
    return [tool for tool in tools if isinstance(tool, kind)]
