"""Wording: whether a description says what the plan says, and no more; and the rubric that goes with it."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from schemas.goals import BehaviourPlan, Persona
from schemas.replies import TaskDrafts
from schemas.tools import Tool
from turnwright.goals.behaviours.rubrics import state_behaviour
from turnwright.goals.drafts import Draft, DraftObjective
from turnwright.goals.expected_calls import state_calls, state_outcome
from turnwright.goals.words import comparable, join_words, say_value

SHORTEST, LONGEST = 25, 900
"""Bounds of a description, in characters."""
_BULLETS = 3
"""Most bullets of the model that are kept; the code's own come on top."""
_BULLET_LENGTH = 300
_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I'd|I've|I'll|my|me|myself|mine|we|our|us)\b")
_IDENTIFIER = re.compile(r"\b\w*[^\W_]_+[^\W_]\w*\b")
_WISH = re.compile(
    r"\b(?:want(?:s|ed)?|need(?:s|ed)?|would (?:also )?like|hop(?:es?|ing)|wish(?:es)?|plans?|asks?|tr(?:ies|ying)|"
    r"looking|intends?|has|have) to\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?![\w])")


def check_wording(
    drafts: TaskDrafts, draft: Draft[Tool], persona: Persona, tools: Sequence[Tool], *, query: bool = False
) -> tuple[list[str], list[str]]:
    """What is wrong with the writer's descriptions, said so that the writer can mend it.

    A `query` is the person's own message, and nobody can make good what it leaves out.

    Returns:
        Problems that forbid the text, and problems that a known detail can make good: a value that the description
        leaves out is still given to the user simulator.
    """
    if len(drafts.tasks) != len(draft.objectives):
        count = len(draft.objectives)
        return [f"There are {len(drafts.tasks)} tasks, but the plan has {count} objectives: write exactly {count}."], []
    grave: list[str] = []
    slight: list[str] = []
    hidden = _hidden_values(draft)
    names = {tool.name for tool in tools}
    for number, (task, objective) in enumerate(zip(drafts.tasks, draft.objectives, strict=True), start=1):
        text = " ".join(task.description.split())
        grave += [f"Task {number}: {problem}" for problem in _check_form(text, objective, names, query)]
        if query and (named := _find_third_person(text, objective, persona)):
            grave.append(f"Task {number}: write as the person, with I, not about {named}.")
        grave += [f"Task {number}: {problem}" for problem in _check_secrets(text, draft, objective, persona, hidden)]
        for known in objective.known:
            if not says_value(text, known.value):
                (grave if query else slight).append(
                    f"Task {number}: say the {known.label}, which is {say_value(known.value)}."
                )
    return grave, slight


def _check_form(text: str, objective: DraftObjective[Tool], names: set[str], query: bool) -> list[str]:
    problems: list[str] = []
    if not SHORTEST <= len(text) <= LONGEST:
        problems.append(f"the description must have {SHORTEST} to {LONGEST} characters, not {len(text)}.")
    plain = _mask_known(text, objective)
    found = [word for word in _IDENTIFIER.findall(plain) if word]
    found += [name for name in sorted(names) if "_" not in name and re.search(rf"\b{re.escape(name)}\(", plain)]
    if found:
        problems.append(f"do not use the technical name {found[0]}; say it in plain words.")
    if not query and not _WISH.search(plain):
        problems.append(f"say what the person wants: ... wants to {objective.purpose}.")
    elif any(goal.tool.effect == "write" for goal in objective.goals) and not _says_verb(plain, objective.purpose):
        problems.append(f"what the person wants done is missing: ... wants to {objective.purpose}.")
    if not query and _FIRST_PERSON.search(plain):
        problems.append("tell about the person in the third person, without I, my or we.")
    return problems


def _says_verb(text: str, purpose: str) -> bool:
    """Whether a text has the verb that a purpose begins with, in any form: `adding`, `to add`."""
    verb = purpose.split()[0].lower().rstrip("e")
    return re.search(rf"\b{re.escape(verb)}", text, re.IGNORECASE) is not None


def _mask_known(text: str, objective: DraftObjective[Tool]) -> str:
    """The text without the values that the person knows: what stands in a name is no word of the writer's."""
    plain = text
    for known in sorted((say_value(known.value) for known in objective.known), key=len, reverse=True):
        plain = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", " ", plain, flags=re.IGNORECASE)
    return plain


def _find_third_person(text: str, objective: DraftObjective[Tool], persona: Persona) -> str | None:
    """The person's own name as the one who wants something."""
    first = persona.name.split()[0]
    wants = rf"\b{re.escape(first)}\b(?: \w+)? (?:wants|needs|hopes|would like|is (?:looking|hoping|trying)) to\b"
    return first if re.search(wants, _mask_known(text, objective)) else None


def _check_secrets(
    text: str, draft: Draft[Tool], objective: DraftObjective[Tool], persona: Persona, hidden: set[str]
) -> list[str]:
    allowed = [known.value for other in draft.objectives for known in other.known]
    context = f"{objective.purpose} {persona.name} {persona.occupation}"
    for value in sorted(hidden):
        if says_value(text, value) and not _is_covered(value, allowed) and not says_value(context, value):
            return [f"do not mention the id {value}; the person does not know it."]
    for other in draft.objectives:
        for fact in other.facts:
            if not _is_telling(fact.value) or _is_covered(fact.value, allowed) or says_value(context, fact.value):
                continue
            if says_value(text, fact.value):
                return [f"do not say the {fact.label}: the person wants to find it out."]
    return []


def _hidden_values(draft: Draft[Tool]) -> set[str]:
    return {
        say_value(value)
        for call in draft.calls
        for name, value in call.arguments.items()
        if call.sources[name].kind == "result" and value is not None
    }


def _is_covered(value: Any, allowed: Iterable[Any]) -> bool:
    return any(says_value(say_value(known), value) for known in allowed)


def _is_telling(value: Any) -> bool:
    """Whether a value in a text can be no accident: single digits and very short words turn up anywhere."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return abs(value) >= 10 or not float(value).is_integer()
    return len(say_value(value)) >= 3


def says_value(text: str, value: Any) -> bool:
    """Whether a text has a value: numbers by amount (1,200 is 1200), text as whole words without case."""
    wanted = comparable(value)
    said = say_value(value)
    if re.fullmatch(r"[-+]?\d[\d,]*(?:\.\d+)?", said):
        return any(comparable(number.rstrip(",")) == wanted for number in _NUMBER.findall(text))
    plain = " ".join(text.casefold().split())
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", plain) is not None


def build_rubric(
    bullets: Sequence[str],
    objective: DraftObjective[Tool],
    behaviour: BehaviourPlan | None,
    *,
    earlier: Sequence[DraftObjective[Tool]] = (),
    simulated: bool = False,
) -> tuple[str, ...]:
    """The rubric of one objective: the model's bullets that cannot contradict the plan, then what code knows must hold.

    Dropped are bullets with technical names, with numbers that are not the plan's, and those that repeat a fact which
    a bullet made by code states anyway. Where tools are simulated there is no state to compare, so the rubric names the
    calls that matter, which may rest on those of `earlier` objectives.
    """
    if simulated:
        certain = state_outcome(objective) + state_calls(objective, earlier) + state_behaviour(behaviour)
    else:
        certain = _state_facts(objective) + _state_changes(objective) + state_behaviour(behaviour)
    certain = [*certain, *objective.rubric]
    said = [fact.value for fact in objective.facts] + [known.value for known in objective.known]
    numbers = {
        comparable(number.rstrip(","))
        for value in [*said, objective.purpose]
        for number in _NUMBER.findall(say_value(value))
    }
    kept: list[str] = []
    for bullet in bullets:
        text = " ".join(bullet.split())
        foreign = any(comparable(number.rstrip(",")) not in numbers for number in _NUMBER.findall(text))
        repeats = any(says_value(text, fact.value) for fact in objective.facts if _is_telling(fact.value))
        if not text or len(text) > _BULLET_LENGTH or foreign or repeats or _IDENTIFIER.search(text):
            continue
        kept.append(text)
    rubric = dict.fromkeys([*kept[:_BULLETS], *certain])
    return tuple({text.casefold().rstrip("."): text for text in rubric}.values())


def _state_facts(objective: DraftObjective[Tool]) -> list[str]:
    labels = [fact.label for fact in objective.facts]
    listed = [say_value(fact.value) for fact in objective.facts if labels.count(fact.label) > 1]
    single = [fact for fact in objective.facts if labels.count(fact.label) == 1]
    bullets = [f"The assistant tells the user all of these: {join_words(listed)}."] if listed else []
    if len(single) > 3:
        told = [f"the {fact.label} ({say_value(fact.value)})" for fact in single]
        return [
            *bullets,
            f"The assistant tells the user {join_words(told)}.",
        ]
    return [*bullets, *(f"The assistant tells the user the {fact.label}: {say_value(fact.value)}." for fact in single)]


def _state_changes(objective: DraftObjective[Tool]) -> list[str]:
    if all(goal.tool.effect == "read" for goal in objective.goals):
        return []
    return [f"The assistant carries this out and says that it is done: {objective.purpose}."]
