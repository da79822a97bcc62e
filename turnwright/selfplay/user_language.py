"""Sentences of the simulated user: many ways to say each thing, by register. Values stand as marks until the end."""

import random
import re
from collections.abc import Sequence

from turnwright.selfplay.user_goal import Want
from turnwright.selfplay.words import join_words, start_sentence

Register = str

_GREETINGS: dict[Register, tuple[str, ...]] = {
    "casual": ("Hey!", "Hi!", "Hey there,", "Hi there,", "Hello,", "Morning!", "Hiya,", "Yo,", "", "", "", "Ok so,"),
    "neutral": ("Hello,", "Hi,", "Hello!", "Good morning,", "Good afternoon,", "Hi there!", "", "", ""),
    "formal": ("Good day,", "Good morning,", "Good afternoon,", "Dear support team,", "Hello,", "Good evening,", ""),
}
_REASONS = (
    "I'm putting a short summary together.",
    "It's for a meeting this afternoon.",
    "A colleague asked me and I had no answer.",
    "I'm tidying up my notes.",
    "I'm preparing something for work.",
    "My boss wants this today.",
    "I was going through my papers and got stuck.",
    "It's nothing urgent, I just want to get it right.",
    "I've been meaning to sort this out for a while.",
    "I'm new to this, so bear with me.",
    "I only have a few minutes.",
    "We talked about it over lunch and nobody was sure.",
    "I want to be sure before I pass it on.",
    "It came up in a call just now.",
    "I lost the sheet where I had this written down.",
    "I'm double-checking a list for a friend.",
)
_JOBS = (
    "I work as {job}, so I need this for my job.",
    "I'm {job} and this landed on my desk.",
    "As {job} I run into this all the time.",
    "I'm {job}, not a computer person.",
)
_NEXT: dict[Register, tuple[str, ...]] = {
    "casual": (
        "Cool, thanks.",
        "Great, ta.",
        "Nice, got it.",
        "Perfect.",
        "Ok, good to know.",
        "Awesome.",
        "Alright.",
        "Got that.",
    ),
    "neutral": (
        "Thanks.",
        "Great, thank you.",
        "Good to know.",
        "Okay, thanks.",
        "Perfect, thanks.",
        "All right.",
        "That helps.",
    ),
    "formal": (
        "Thank you.",
        "Thank you, that is helpful.",
        "Very good.",
        "I appreciate it.",
        "Understood, thank you.",
        "Excellent.",
    ),
}
_BRIDGES: dict[Register, tuple[str, ...]] = {
    "casual": ("Next up:", "One more thing:", "Oh, and", "Also,", "Now,", "While we're at it:"),
    "neutral": (
        "Next,",
        "There is something else.",
        "One more thing.",
        "Now,",
        "I also have another point.",
        "Moving on:",
    ),
    "formal": ("Furthermore,", "There is a further matter.", "In addition,", "My next point:", "Next,"),
}
_YES: dict[Register, tuple[str, ...]] = {
    "casual": ("Yep, go for it.", "Yes, do it.", "Yeah, that's right.", "Sure, go ahead.", "Yup, exactly."),
    "neutral": (
        "Yes, please go ahead.",
        "Yes, that's right.",
        "Correct, please do that.",
        "Yes, exactly.",
        "Yes please.",
    ),
    "formal": (
        "Yes, please proceed.",
        "That is correct, please go ahead.",
        "Yes, I confirm.",
        "Indeed, please proceed.",
    ),
}
_ENDS: dict[Register, tuple[str, ...]] = {
    "casual": (
        "Thanks, that's all!",
        "Perfect, cheers, that's it from me.",
        "Great, that's everything. Thanks!",
        "Awesome, thanks a lot. Bye!",
        "Nice one, thank you, all done.",
    ),
    "neutral": (
        "Thank you, that's all I needed.",
        "Great, thanks for your help. That is everything.",
        "Thanks, that was all.",
        "Perfect, thank you. Nothing else from me.",
    ),
    "formal": (
        "Thank you very much, that is everything.",
        "I appreciate your help. That was all.",
        "Thank you for your assistance, that is all for today.",
        "Many thanks, nothing else is open on my side.",
    ),
}
_SORRY_ENDS = (
    "All right, thanks for trying. That's all.",
    "Okay, never mind then. Thanks, that was everything.",
    "A pity, but thank you. That's all for now.",
)
_RETRY = (
    "Could you try again, please?",
    "Can you give it another try?",
    "Please try once more.",
    "Mind trying that again?",
)
_UNKNOWN = (
    "I don't know that, sorry. Can you find it out yourself?",
    "That I can't tell you. Maybe you can look it up?",
    "No idea, I'm afraid. Could you check with what I gave you?",
)
_ACCEPTED = (
    "No worries, forget that one.",
    "Okay, never mind that then.",
    "Fair enough, leave that.",
    "Understood, I'll sort that out elsewhere.",
)
_TYPOS = {
    "thanks": "thnaks",
    "just": "jsut",
    "because": "becuase",
    "really": "realy",
    "something": "somthing",
    "everything": "everthing",
    "minutes": "mintues",
    "meeting": "meetign",
    "colleague": "collegue",
    "friend": "freind",
    "afternoon": "aftrenoon",
    "help": "hepl",
}


def pick(rng: random.Random, bank: dict[Register, tuple[str, ...]], register: Register) -> str:
    """A phrase of that register."""
    return rng.choice(bank.get(register) or bank["neutral"])


def join(*parts: str) -> str:
    """Sentences in a row; what follows a comma goes on in the same sentence."""
    text = ""
    for part in parts:
        if not part:
            continue
        if text.endswith((",", ":", "and")):
            proper = re.match(r"(?:I\b|I'|⟦|[A-Z]{2,})", part)
            text += " " + (part if proper else part[:1].lower() + part[1:])
        else:
            text += (" " if text else "") + start_sentence(part)
    return text


def greet(register: Register, rng: random.Random) -> str:
    """The first words of a dialogue; may be empty."""
    return pick(rng, _GREETINGS, register)


def say_background(job: str, rng: random.Random) -> str:
    """Small talk that belongs to a request."""
    article = "an" if job[:1].lower() in "aeiou" else "a"
    return rng.choice(_JOBS).format(job=f"{article} {job}") if job and rng.random() < 0.4 else rng.choice(_REASONS)


def say_details(pieces: Sequence[tuple[str, str]], rng: random.Random) -> str:
    """Details that were asked for, as (label, mark or value)."""
    told = [f"the {label} is {value}" for label, value in pieces]
    text = join_words(told)
    if len(pieces) == 1:
        label, value = pieces[0]
        return rng.choice(
            [
                f"The {label} is {value}.",
                f"Sure, the {label} is {value}.",
                f"Right, the {label} should be {value}.",
                f"For the {label}, take {value}.",
            ]
        )
    return rng.choice(
        [f"{start_sentence(text)}.", f"Sure: {text}.", f"Of course. {start_sentence(text)}.", f"Here you go: {text}."]
    )


def say_narrowing(pieces: Sequence[tuple[str, str]], rng: random.Random) -> str:
    """Details that should have been said before."""
    text = join_words([f"the {label} {value}" for label, value in pieces])
    return rng.choice(
        [
            f"I should have said: only for {text}, please.",
            f"Sorry, I meant only {text}.",
            f"Actually, I only need that for {text}.",
        ]
    )


def say_correction(label: str, first: str, final: str, rng: random.Random) -> str:
    """A change of mind."""
    return rng.choice(
        [
            f"Sorry, I meant {final} as the {label}, not {first}.",
            f"Wait, no: the {label} should be {final}, not {first}.",
            f"Actually, make the {label} {final} instead of {first}.",
            f"Hold on, I mixed that up. I mean {final} for the {label}, not {first}.",
        ]
    )


def say_more_labels(labels: Sequence[str], entity: str, rng: random.Random) -> str:
    """Asks for what else is wanted of the same thing."""
    told = join_words(list(labels))
    verb = "are" if len(labels) > 1 else "is"
    frames = [
        f"And what {verb} {told} there?",
        f"Could you also tell me {told} of it?",
        f"And {told} of that one, please?",
        f"What about {told} of {entity}?",
    ]
    return rng.choice(frames)


def say_check(want: Want, rng: random.Random) -> str:
    """Asks for a look at the record after a change."""
    if want.kind == "change":
        label, value = want.changes[0]
        return rng.choice(
            [
                f"Could you check that {label} of {want.entity} is really {value} now?",
                f"To be safe, can you look up {label} of {want.entity} again?",
                f"Can you tell me {label} of {want.entity} now, so that I see it went through?",
            ]
        )
    name = next(
        (part for part in want.parts if re.match(r"the (?:name|title)\b", part)), want.parts[0] if want.parts else ""
    )
    noun = re.sub(r"^an? (?:new )?", "", want.noun)
    return rng.choice(
        [
            f"Could you look up the {noun} with {name} to see that it is there?",
            f"Can you check that the {noun} with {name} can be found now?",
        ]
    )


def say_belief(label: str, value: str, rng: random.Random) -> str:
    """What the person takes for true."""
    return rng.choice(
        [
            f"As far as I know, the {label} is {value}.",
            f"I think the {label} is {value}.",
            f"I was told the {label} is {value}.",
        ]
    )


def stand_corrected(rng: random.Random) -> str:
    """Takes a correction."""
    return rng.choice(["Ah, then I had that wrong.", "Oh, I see, I was mistaken there.", "Okay, so my note was off."])


def announce_more(rng: random.Random) -> str:
    """Says that there are details to come."""
    return rng.choice(
        [
            "I'll give you the rest of the details in a second.",
            "Just ask me for the rest of the details.",
            "I have the other details here as well.",
        ]
    )


def say_wish(wish: str, rng: random.Random) -> str:
    """A request beside the goal."""
    return rng.choice(
        [
            f"By the way, could you also {wish}?",
            f"Oh, and can you {wish} for me?",
            f"One other thing: could you {wish}?",
            f"I'd also like you to {wish}, if that's possible.",
        ]
    )


def acknowledge(register: Register, rng: random.Random) -> str:
    """Takes note of an answer."""
    return pick(rng, _NEXT, register)


def bridge(register: Register, rng: random.Random) -> str:
    """Leads over to another matter."""
    return pick(rng, _BRIDGES, register)


def agree(register: Register, rng: random.Random) -> str:
    """Says yes."""
    return pick(rng, _YES, register)


def end(register: Register, satisfied: bool, rng: random.Random) -> str:
    """The last words: a short thank-you without a question."""
    return pick(rng, _ENDS, register) if satisfied else rng.choice(_SORRY_ENDS)


def retry(rng: random.Random) -> str:
    """Asks to try again."""
    return rng.choice(_RETRY)


def admit_ignorance(rng: random.Random) -> str:
    """Does not know what was asked."""
    return rng.choice(_UNKNOWN)


def accept_refusal(rng: random.Random) -> str:
    """Lets a wish go."""
    return rng.choice(_ACCEPTED)


def insist(rng: random.Random) -> str:
    """Leads into saying the same again in other words."""
    return rng.choice(
        [
            "Hm, let me put it another way.",
            "Maybe I wasn't clear.",
            "Let me say that again.",
            "That doesn't sound right, so once more:",
        ]
    )


def add_typos(text: str, rng: random.Random) -> str:
    """One misspelt word of no importance; never in a value, which stands as a mark here."""
    words = [word for word in _TYPOS if re.search(rf"\b{word}\b", text)]
    if not words:
        return text
    word = rng.choice(words)
    spots = list(re.finditer(rf"\b{word}\b", text))
    spot = spots[-1]
    return text[: spot.start()] + _TYPOS[word] + text[spot.end() :]
