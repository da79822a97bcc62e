"""Sentences of the simulated assistant, several for each thing to say."""

import random

from turnwright.selfplay.words import join_words, start_sentence


def tell_fields(parts: list[tuple[str, str]], subject: str, rng: random.Random) -> str:
    """Values of one record, as (label, value)."""
    if len(parts) == 1:
        label, value = parts[0]
        if not subject:
            return rng.choice(
                [
                    f"The {label} is {value}.",
                    f"It shows the {label} as {value}.",
                    f"I found this: the {label} is {value}.",
                ]
            )
        return rng.choice(
            [
                f"The {label} for {subject} is {value}.",
                f"For {subject}, the {label} is {value}.",
                f"I checked {subject}: the {label} is {value}.",
                f"According to the records, the {label} of {subject} is {value}.",
            ]
        )
    told = join_words([f"the {label} is {value}" for label, value in parts])
    listed = ", ".join(f"{label}: {value}" for label, value in parts)
    if not subject:
        return rng.choice(
            [
                f"Here is what I found: {told}.",
                f"I found one record. {start_sentence(told)}.",
                f"Here are the details. {start_sentence(listed)}.",
            ]
        )
    return rng.choice(
        [
            f"For {subject}, {told}.",
            f"Here is what the records say about {subject}: {told}.",
            f"I looked at {subject}. {start_sentence(told)}.",
            f"Details for {subject}: {listed}.",
        ]
    )


def tell_list(items: list[str], *, long: bool, rng: random.Random) -> str:
    """Several records."""
    count = len(items)
    if long:
        lines = "\n".join(f"- {item}" for item in items)
        head = rng.choice(
            [
                f"I found {count} entries:",
                f"There are {count} in the results:",
                f"Here are the {count} results:",
                f"{count} records came back:",
            ]
        )
        return f"{head}\n{lines}"
    told = join_words(items)
    return rng.choice(
        [
            f"There are {count}: {told}.",
            f"I found {count}: {told}.",
            f"These {count} came up: {told}.",
            f"Here they are, {count} in all: {told}.",
        ]
    )


def nothing_found(subject: str, rng: random.Random) -> str:
    """No record fits."""
    if subject:
        return rng.choice(
            [
                f"I couldn't find any record for {subject}. If it may be spelled differently, tell me and I'll look "
                f"again.",
                f"There is no entry that matches {subject}. Another detail would let me search again.",
                f"Nothing came up for {subject} in the records. I can try another name or detail if you have one.",
            ]
        )
    return rng.choice(
        [
            "I couldn't find any matching record. With another detail I can look again.",
            "The search came back empty. If you have another detail, I can try that.",
        ]
    )


def failed(kind: str, message: str, action: str, rng: random.Random) -> str:
    """A call that did not work, with a next step."""
    reason = {
        "timeout": "the system did not answer in time",
        "unavailable": "the system is not available right now",
        "rate_limit": "too many requests are being made right now",
        "http_500": "the system reported an internal error",
        "malformed": "the answer broke off and cannot be read",
        "partial": "only a part of the data could be loaded, and it is incomplete",
        "stale": "the live data could not be reached, and all I got is an old copy",
        "refused": "that is not allowed",
        "too_large": "the answer is too long",
        "invalid_arguments": "the details were not accepted",
    }.get(kind, "the system reported a problem")
    detail = (
        f" It said: {message.rstrip('.')}."
        if message and kind in ("database", "invalid_arguments") and "_" not in message
        else ""
    )
    return rng.choice(
        [
            f"I'm sorry, I could not {action}: {reason}.{detail} Nothing was made up or changed; I can try again "
            f"whenever you like.",
            f"That did not work, because {reason}.{detail} We can try once more in a moment, or change the details.",
            f"Unfortunately {reason}, so I was not able to {action}.{detail} Just say so if I should try again.",
        ]
    )


def unchanged(subject: str, rng: random.Random) -> str:
    """A write that met no record."""
    about = f" for {subject}" if subject else ""
    return rng.choice(
        [
            f"Nothing was changed: no record{about} matched.",
            f"No record{about} was affected, so everything is as it was.",
        ]
    )


_PAST = {"add": "added", "set": "set", "change": "changed", "remove": "removed"}


def done(verb: str, change: str, rng: random.Random) -> str:
    """A write that worked; `change` is in the infinitive, as in `set the age to 5 for Bo`."""
    head, _, rest = change.partition(" ")
    past = _PAST.get(head, head)
    choices = [
        f"Done, I've {past} {rest}.",
        f"I have {past} {rest}.",
        f"That's saved: I {past} {rest}.",
        f"All right, I've {past} {rest}.",
    ]
    if verb == "delete":
        choices += [f"{start_sentence(rest)} has been removed."]
    return rng.choice(choices)


def read_back(parts: list[tuple[str, str]], rng: random.Random) -> str:
    """What the record shows after a change."""
    told = join_words([f"the {label} as {value}" for label, value in parts])
    return rng.choice([f"The record now shows {told}.", f"I looked again, and it shows {told}."])


def ask_values(labels: list[str], rng: random.Random) -> str:
    """Asks for what is missing."""
    told = join_words([f"the {label}" for label in labels])
    one = len(labels) == 1
    return rng.choice(
        [
            f"What is {told}?" if one else f"Could you tell me {told}?",
            f"Could you give me {told}?",
            f"To do that I still need {told}. Can you tell me {'that' if one else 'those'}?",
            f"Sure. Which {labels[0]} should I use?" if one else f"I'm missing {told}. What should I put there?",
        ]
    )


def ask_rest(rng: random.Random) -> str:
    """Asks for details that were announced."""
    return rng.choice(
        [
            "Of course. What are the other details?",
            "Sure, I can do that. Could you give me the rest of the details?",
            "Happy to. What else should I enter?",
        ]
    )


def confirm(change: str, rng: random.Random) -> str:
    """Asks whether to make a change."""
    return rng.choice(
        [
            f"Before I do that: I would {change}. Shall I go ahead?",
            f"Just to confirm, you want me to {change}. Is that right?",
            f"I'm ready to {change}. Should I go ahead?",
            f"So I will {change}. Shall I go ahead?",
        ]
    )


def decline(abilities: list[str], rng: random.Random) -> str:
    """Says that no tool does what is asked, and what can be done instead."""
    told = join_words(abilities, "or")
    return rng.choice(
        [
            f"I'm sorry, that is something I can't do here. I can {told}, if that helps.",
            f"That is outside what I have access to, so I can't help with it. What I can do is {told}.",
            f"I'm afraid I have no way to do that. I can {told} instead.",
        ]
    )


def ask_which(names: list[str], rng: random.Random) -> str:
    """Several records fit; asks which one is meant."""
    told = join_words(names[:6], "or")
    return rng.choice(
        [
            f"There are {len(names)} that fit: {join_words(names[:6])}. Which one do you mean?",
            f"Do you mean {told}?",
            f"I found more than one: {join_words(names[:6])}. Could you tell me which of them you mean?",
        ]
    )


def forbid(action: str, abilities: list[str], rng: random.Random) -> str:
    """Says that a rule of the service does not allow something, and what can be done instead."""
    told = join_words(abilities, "or")
    instead = f" I can {told} instead." if told else ""
    return rng.choice(
        [
            f"I'm sorry, I can't do that: the rules of this service do not allow me to {action}.{instead}",
            f"That is not something I can do. A rule here forbids to {action}, so everything stays as it is.{instead}",
            f"I'm afraid I can't help with that, because I must not {action}.{instead}",
        ]
    )


def not_shown(labels: list[str], abilities: list[str], rng: random.Random) -> str:
    """Says that no tool shows what is asked for."""
    told, instead = join_words([f"the {label}" for label in labels]), join_words(abilities, "or")
    return rng.choice(
        [
            f"I'm sorry, I can't look up {told}: nothing that I can see shows it. I can {instead}, if that helps.",
            f"I don't have a way to see {told}, so I can't help with that part. What I can do is {instead}.",
        ]
    )


def join_sentences(*parts: str) -> str:
    """Parts of one message in a row, empty ones left out; after a list the next part has its own line."""
    text = ""
    for part in parts:
        if part:
            text += ("\n" if "\n" in text else " " if text else "") + part
    return text


def refused(rng: random.Random) -> str:
    """The user took a request back."""
    return rng.choice(["All right, I have left everything as it was.", "No problem, nothing was changed."])


def announce(rng: random.Random) -> str | None:
    """Words beside a call; mostly none."""
    return rng.choice([None, None, None, "Let me look that up.", "One moment, I'll check.", "Let me see."])


def close(rng: random.Random) -> str:
    """Answers a thank-you."""
    return rng.choice(
        ["You're welcome! Have a good day.", "Glad I could help.", "Happy to help. Take care!", "Any time."]
    )


def greet(rng: random.Random) -> str:
    """Answers a message without a request."""
    return rng.choice(
        [
            "Hello! What can I look up or change for you?",
            "Hi, how can I help you?",
            "Good to hear from you. What do you need?",
        ]
    )


def offer(listed: bool, rng: random.Random) -> str:
    """An end to a report, on a line of its own below a list; mostly none."""
    text = rng.choice(["", "", "", "", "Let me know if you need more.", "Is there anything else?"])
    return (("\n" if listed else " ") + text) if text else ""
