"""Plans from the tasks that a domain brings along: their words and their calls as they are given."""

from collections.abc import Sequence
from typing import Any

from schemas.goals import ArgumentSource, Fact, KnownDetail
from schemas.seeds import DomainTask
from schemas.tools import DomainTool
from schemas.vocabulary import Difficulty
from turnwright.environments.domain import DomainBase
from turnwright.goals.difficulty import measure_difficulty
from turnwright.goals.domain_proof import prove_domain_plan
from turnwright.goals.domain_values import Earlier, trace_argument
from turnwright.goals.drafts import Draft, DraftCall, DraftObjective, number_calls
from turnwright.goals.plans import PlanRejected
from turnwright.goals.scenarios import ScenarioSource
from turnwright.goals.verb_phrases import verb_phrase
from turnwright.goals.words import join_words, say_value


def plan_given_task(
    task: DomainTask, tools: Sequence[DomainTool], base: DomainBase, now: str, seed: str
) -> Draft[DomainTool]:
    """The plan of a given task: one objective with the task's own words.

    Left out are reads that fail, because the task means the user to try in vain first, and writes of what is there
    already.

    Raises:
        PlanRejected: a tool is not offered, or a call that writes fails.
    """
    by_name = {tool.name: tool for tool in tools}
    environment = base.open(tools, seed=seed, reference_time=now)
    known = tuple(KnownDetail(label=label, value=value) for label, value in task.known_details.items())
    said = [*known, KnownDetail(label="wish", value=task.instructions)]
    calls: list[DraftCall[DomainTool]] = []
    for action in task.actions:
        tool = by_name.get(str(action["name"]))
        if tool is None:
            raise PlanRejected("tool_missing", f"task {task.id} needs {action['name']}, which is not offered")
        arguments: dict[str, Any] = dict(action["arguments"])
        result = environment.call(tool.name, arguments)
        if result.error is not None:
            if tool.effect == "write":
                raise PlanRejected("call_failed", f"task {task.id}: {tool.name} gave {result.error.message}")
            continue
        if tool.effect == "write" and not result.rows_changed:
            continue
        earlier = [Earlier(call.id, call.result) for call in calls]
        sources = {
            name: trace_argument(value, said, earlier) or ArgumentSource(kind="default")
            for name, value in arguments.items()
        }
        calls.append(
            DraftCall[DomainTool](f"d{len(calls) + 1}", tool, arguments, sources, (), result.value, lookup=False)
        )
    objective = DraftObjective[DomainTool](
        relation="first",
        calls=_mark_lookups(calls),
        facts=_name_facts(task.facts),
        purpose=_state_purpose(calls),
        known=known,
        description=task.instructions,
        rubric=task.rubric,
    )
    numbered = number_calls([objective])
    difficulty: Difficulty = measure_difficulty(numbered) if calls else "easy"
    draft = Draft(numbered, None, difficulty, now, person=_find_person(task, base))
    prove_domain_plan(draft, tools, base, seed=seed, given=True)
    return draft


def _mark_lookups(calls: Sequence[DraftCall[DomainTool]]) -> tuple[DraftCall[DomainTool], ...]:
    """What writes is the goal, else the last read; everything else was only made on the way."""
    writes = any(call.tool.effect == "write" for call in calls)
    marked: list[DraftCall[DomainTool]] = []
    for position, call in enumerate(calls):
        goal = call.tool.effect == "write" if writes else position == len(calls) - 1
        marked.append(
            DraftCall[DomainTool](
                call.id, call.tool, call.arguments, call.sources, call.details, call.result, lookup=not goal
            )
        )
    return tuple(marked)


def _name_facts(facts: Sequence[str]) -> tuple[Fact, ...]:
    if len(facts) == 1:
        return (Fact(label="answer", value=facts[0]),)
    return tuple(Fact(label=f"answer {number}", value=fact) for number, fact in enumerate(facts, start=1))


def _state_purpose(calls: Sequence[DraftCall[DomainTool]]) -> str:
    done = [verb_phrase(call.tool.description) for call in calls if call.tool.effect == "write"]
    return join_words(list(dict.fromkeys(done))) if done else "have the matter looked into"


def _find_person(task: DomainTask, base: DomainBase) -> str | None:
    """Whose records the task is about: who is named in what it tells, by key or by full name."""
    if not isinstance(base.domain, ScenarioSource):
        return None
    told = " ".join([task.instructions, *(say_value(value) for value in task.known_details.values())])
    state = base.start()
    named: list[str] = []
    for person in base.domain.people(state):
        name = base.domain.full_name(state, person)
        if person in told or name in told:
            named.append(name)
    return named[0] if len(set(named)) == 1 else None
