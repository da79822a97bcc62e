r"""The embedded task_writer: puts a proved plan into words, from the blocks `service`, `persona` and `plan` alone.

Forms that readers of a description (the embedded user simulator and assistant) can rely on:

* One description an objective, of one to three sentences in the third person. Sentences that hold no want are
  background (who the person is, why they ask) and can be left out of a request.
* A want is one sentence, `[opener] SUBJECT WANT to VERB PHRASE.`, where
  - opener is none or one of `Once that is settled,` `Once that is clear,` `After that,` `Then,` `Building on that,`
    (extension) and `Separately,` `Besides that,` `On another matter,` `Apart from that,` (independent);
  - SUBJECT is the persona's full name, their first name, or `They` (models also write `She` and `He`);
  - WANT is `wants`/`want`, `would like`, `needs`/`need`, `hopes`/`hope`, `is hoping`/`are hoping`;
  - VERB PHRASE can be used after `I want to`. It is the plan's `purpose`, or a light rewording of it.
  In one regular expression: `(?:wants?|would like|needs?|hopes?|(?:is|are) hoping) to (.+?)\.(?=\s|$)`.
* A purpose, and so a verb phrase, has one of these forms (made by turnwright/goals/purposes.py):
  - `find out the LABEL[, the LABEL and the LABEL] of ENTITY` (reworded at times with `know` or `learn`)
  - `find out the LABEL … of ENTITY, of ENTITY and of ENTITY` (several look-ups at once)
  - `see the NOUNS [whose LABEL is VALUE] [with an age of at least 25 and at most 52] [of ENTITY][, only the first 3]`,
    or `see the LABELS of the NOUNS …` where it is not their names that are wanted
  - the tool's own description as a verb phrase, with clauses: `see the concerts held in a year, for the concert year
    2014 and the stadium whose name is Somerset Park, with a stadium capacity of at least 900, only the first 3`; bounds
    are `of at least`, `of at most`, `of more than`, `of less than`, for dates `not before`, `not after`, `after`,
    `before`, and `with at least 2 LABEL`, `leaving out the LABEL VALUE`
  - `change the LABEL of ENTITY to VALUE[, and the LABEL to VALUE]`, where VALUE can be an ENTITY
  - `add a new NOUN [with the LABEL VALUE, the LABEL VALUE and the LABEL VALUE][, for ENTITY[ and ENTITY]]`
  - `remove ENTITY`
* ENTITY is `the NOUN whose LABEL is VALUE[ and whose LABEL is VALUE]` (reworded at times as `the NOUN named VALUE` or
  `the NOUN called VALUE` where the label is a name or title), or after a chain of look-ups `the NOUN [with the LABEL
  VALUE[ and the LABEL VALUE]] of ENTITY[ and ENTITY]`, or `that NOUN` where the objective before found it. A NOUN can
  be a role (`from club`, `captain`); what was found in another role is `the ROLE that is ENTITY`.
* Over tools that are bare specifications a purpose is `PHRASE[, with the LABEL VALUE[, the LABEL VALUE and the LABEL
  VALUE]][, using the LABEL from before]`, and for several things at once `…, and again with the LABEL VALUE`. PHRASE is
  what the tool does, without a comma; text that does not stand out by itself is in quotes.
* LABEL is a column or parameter in plain words without underscores (`home town`, `date ordered`). VALUE stands as it is
  in the data, without quotes; the same values stand in the objective's `known_details`.
"""

import random
import re
from collections.abc import Sequence
from typing import Any

from turnwright.selfplay import user_language as say
from turnwright.selfplay.request import Request
from turnwright.selfplay.user_requests import ask_phrase

_BACKGROUND = (
    "{name} works as {article} {occupation}.",
    "{name}, {article} {occupation}, is getting some paperwork in order.",
    "{name} is {article} {occupation} with a long list of things to settle today.",
    "A colleague asked {name}, {article} {occupation}, for a quick answer.",
    "{name} is {article} {occupation} and is preparing a short report.",
    "As {article} {occupation}, {name} often has to check records like these.",
    "{name} is {article} {occupation} and has a meeting about this in an hour.",
    "It is a busy morning for {name}, {article} {occupation}.",
    "{name}, who is {article} {occupation}, is tidying up some old notes.",
    "{name} is {article} {occupation} and is going through the {domain} records.",
    "There was a question on the phone that {name}, {article} {occupation}, could not answer.",
    "{name} is new to the {domain} records and, being {article} {occupation}, likes to be thorough.",
)
_MOTIVES = (
    "It is for a summary that is due on Friday.",
    "A friend asked about it last week.",
    "There is some doubt about whether the notes on paper are right.",
    "It will help with planning the coming month.",
    "It has been on the list for days.",
    "Somebody is waiting for the answer.",
    "It should not take long.",
    "A short and clear answer is enough.",
    "Getting this right matters, because others rely on it.",
)
_WANTS = {
    "name": ("wants to", "would like to", "needs to", "hopes to", "is hoping to"),
    "they": ("want to", "would like to", "need to", "hope to", "are hoping to"),
}
_EXTENSION = ("Once that is settled,", "Once that is clear,", "After that,", "Then,", "Building on that,")
_INDEPENDENT = ("Separately,", "Besides that,", "On another matter,", "Apart from that,")
_LEAVES = (
    "You can go ahead right away.",
    "Please go ahead without asking back.",
    "No need to check with me first, just go ahead.",
)
_QUERY_NEXT = ("With that settled,", "Next,", "Then,", "Now that this is clear,")
_QUERY_BESIDE = ("Something else:", "On another matter,", "Also,", "Besides that,")
_FIND_OUT = ("find out", "find out", "know", "learn")
_NAMED = re.compile(r" whose (?:full )?(?:name|title) is (?=\S)")
_FACT_BULLETS = (
    "The assistant tells {first} the {label}.",
    "{first} is told the {label}.",
    "The assistant gives the {label}.",
)
_WRITE_BULLETS = (
    "What {first} asked for is carried out and reported back.",
    "The assistant makes the change and says so.",
    "The change is really made before the assistant says that it is.",
)


def reply(request: Request) -> dict[str, Any]:
    """A description and a rubric for each objective of the plan.

    The first reply to a plan has at the configured rate a description that leaves a known value out; a reply to
    `problems` never does.
    """
    blocks = request.blocks
    persona: dict[str, Any] = blocks["persona"]
    domain: dict[str, Any] = blocks["service"]
    objectives: list[dict[str, Any]] = blocks["plan"]["objectives"]
    rng = request.rng_for("task_writer", persona, blocks["plan"])
    faulty = "problems" not in blocks and rng.random() < request.mistake_rate
    spoilt = rng.randrange(len(objectives)) if faulty else -1
    query = blocks["plan"].get("form") == "query"
    register = rng.choice(("casual", "neutral", "formal")) if query else ""
    tasks: list[dict[str, Any]] = []
    for number, objective in enumerate(objectives):
        if query:
            description = _write_query(objective, number, persona, register, rng)
        else:
            description = _describe(objective, number, persona, str(domain["name"]), rng)
        if number == spoilt:
            description = _leave_out(description, objective)
        tasks.append({"description": description, "rubric": _write_rubric(objective, persona, rng)})
    return {"tasks": tasks}


def _describe(objective: dict[str, Any], number: int, persona: dict[str, Any], domain: str, rng: random.Random) -> str:
    name = str(persona["name"])
    first = name.split()[0]
    occupation = str(persona["occupation"])
    opener = ""
    if number:
        openers = _EXTENSION if objective["relation"] == "extension" else _INDEPENDENT
        opener = f"{rng.choice(openers)} "
    background = rng.choice(_BACKGROUND).format(
        name=name,
        occupation=occupation,
        article="an" if occupation[0] in "aeiou" and not occupation.startswith("uni") else "a",
        domain=" ".join(word for word in re.split(r"[\W_]+", domain) if not word.isdigit()) or "office",
    )
    told = number == 0 or rng.random() < 0.25
    subject, want = _choose_subject(name, first, told, bool(opener), rng)
    sentence = f"{opener}{subject} {want} {_reword(str(objective['purpose']), rng)}."
    motive = rng.choice(_MOTIVES) if rng.random() < 0.45 else ""
    if not told:
        parts = [sentence, motive]
    elif opener or rng.random() < 0.8:
        parts = [background, sentence, motive] if not opener else [sentence, motive]
    else:
        # The want first: the full name has to stand in it.
        want = rng.choice(_WANTS["name"])
        parts = [f"{name} {want} {_reword(str(objective['purpose']), rng)}.", motive or "It is part of the day's work."]
    return " ".join(part for part in parts if part)


def _write_query(
    objective: dict[str, Any], number: int, persona: dict[str, Any], register: str, rng: random.Random
) -> str:
    """The whole request as the person types it, with everything that the assistant needs."""
    request = ask_phrase(str(objective["purpose"]), register, rng)
    leave = "" if objective["to_find_out"] and rng.random() < 0.7 else rng.choice(_LEAVES)
    if number:
        lead = rng.choice(_QUERY_NEXT if objective["relation"] == "extension" else _QUERY_BESIDE)
        return say.join(lead, request, leave)
    reason = say.say_background(str(persona["occupation"]), rng) if rng.random() < 0.6 else ""
    return say.join(say.greet(register, rng), reason, request, leave)


def _choose_subject(name: str, first: str, told: bool, after_opener: bool, rng: random.Random) -> tuple[str, str]:
    kind = rng.choice(("first", "first", "they")) if told else rng.choice(("first", "name", "first"))
    if kind == "they":
        return "they" if after_opener else "They", rng.choice(_WANTS["they"])
    return (name if kind == "name" else first), rng.choice(_WANTS["name"])


def _reword(purpose: str, rng: random.Random) -> str:
    """The purpose with other words for its fixed parts; values are never touched, because they follow those parts."""
    if purpose.startswith("find out the "):
        purpose = rng.choice(_FIND_OUT) + purpose.removeprefix("find out")
    if rng.random() < 0.5:
        purpose = _NAMED.sub(lambda _: f" {rng.choice(('named', 'called'))} ", purpose)
    return purpose


def _leave_out(description: str, objective: dict[str, Any]) -> str:
    for known in objective["known_details"]:
        text = str(known["value"])
        if text in description:
            return description.replace(text, "a certain one")
    return description


def _write_rubric(objective: dict[str, Any], persona: dict[str, Any], rng: random.Random) -> list[str]:
    first = str(persona["name"]).split()[0]
    labels: Sequence[str] = objective["to_find_out"]
    pattern = rng.choice(_FACT_BULLETS)
    bullets = [pattern.format(first=first, label=label) for label in dict.fromkeys(labels[:3])]
    if not bullets:
        bullets.append(rng.choice(_WRITE_BULLETS).format(first=first))
    return bullets
