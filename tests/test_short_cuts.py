"""What spares validation work must never change what it finds: each short cut against the long way."""

import datetime
import random
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.hand_tools import make_file, make_tool, open_file
from turnwright.rollout import arguments
from turnwright.validation import language, values
from turnwright.validation.documents import read_document
from turnwright.validation.grounding import claims, deeds, plain_text, tracing
from turnwright.validation.grounding.evidence import Evidence
from turnwright.validation.grounding.known import read_spec
from turnwright.validation.grounding.plain_text import compose, fold, label_of, list_words, split_apart
from turnwright.validation.grounding.prose import Prose
from turnwright.validation.grounding.records import walk_leaves
from turnwright.validation.grounding.result_reading import read_result
from turnwright.validation.phrases import join_spoken, list_runs, list_spoken, may_share
from turnwright.validation.readings import read_spoken, read_text
from turnwright.validation.texts import Texts
from turnwright.validation.values import names, states

PROMPT = """You are a helper. It is 2025-07-05T09:19:00.

- Deliveries take 5
days, or 3.5
km; up to $
20 each, for 10%.
- Call before 10:30
am. Ask www.example.com or a@b.org:
1. Never book more than twelve seats; say so (see page 4).
2. Fees: 15 million; taxes apply.
  May 20, 2024 was the last.
Codes look like AB-12."""


def read_whole(text: str) -> Evidence:
    evidence = Evidence()
    evidence.add_text(text, 0)
    return evidence


def read_lines(text: str) -> Evidence:
    evidence = Evidence()
    evidence.add_lines(text, 0)
    return evidence


@pytest.mark.parametrize(
    "text", [PROMPT, PROMPT.replace("\n", "\r\n"), PROMPT + "\nİstanbul Σ.\n5 km", "", "5.\nkm", "a\n\n\n5"]
)
def test_a_prompt_read_line_by_line_says_what_it_says_as_a_whole(text: str) -> None:
    assert read_lines(text) == read_whole(text)


def test_mixed_lines_say_the_same_in_any_order() -> None:
    pieces = PROMPT.splitlines()
    rng = random.Random("lines")
    for _ in range(300):
        text = "\n".join(rng.choices(pieces, k=6))
        assert read_lines(text) == read_whole(text), text


def test_a_prompt_of_sentences_is_taken_apart() -> None:
    assert len(split_apart(PROMPT)) > 3
    assert split_apart("5\nkm") == ["5\nkm"]


def test_probes_miss_no_run() -> None:
    rng = random.Random("runs")
    shared = 0
    for size in (2, 3, 6, 9):
        for _ in range(400):
            words, other = rng.choices("abc", k=rng.randrange(30)), rng.choices("abc", k=rng.randrange(40))
            if list_runs(words, size) & list_runs(other, size):
                shared += 1
                assert may_share(words, " ".join(other), size)
    assert shared > 100


def test_probes_tell_most_texts_apart() -> None:
    told = join_spoken("Please look up the price of the ticket\nand then book it for two.")
    assert told == "please look up the price of the ticket and then book it for two"
    assert not may_share(list_spoken("Thanks, the price is fine, and that was all for now."), told, 6)


@pytest.mark.parametrize("text", ["".join(map(chr, range(128))), "**Ada** `says`\t5*5 \x1c\x1f ok", "", " * "])
def test_plain_letters_are_folded_as_all_others_are(text: str) -> None:
    assert fold(text) == text.translate(plain_text._SAME).lower()  # pyright: ignore[reportPrivateUsage]
    folded, beside = read_text(text).plain, read_text(f"{text} é").plain
    assert f"{folded} é".strip() == beside


def test_no_value_is_passed_over() -> None:
    rng = random.Random("values")
    pieces = [
        "one",
        "twenty-two",
        "someone",
        "often",
        "May",
        "5",
        "$",
        "€ 3",
        "us$ 4",
        "a@b.org",
        "www.x.org",
        "https://x.org/hours",
        "no",
        "_ten_",
    ]
    stated = 0
    for _ in range(500):
        folded = fold(" ".join(rng.choices(pieces, k=rng.randrange(4))))
        whole = [match.span() for match in claims._CLAIM.finditer(folded)]  # pyright: ignore[reportPrivateUsage]
        read = [(claim.start, claim.end) for claim in claims.read_claims(folded, folded, list_words(folded))]
        assert read == whole, folded
        stated += bool(whole)
    assert 100 < stated < 500


def test_a_specification_says_what_its_parts_say() -> None:
    spec = {
        "name": "findTrips",
        "description": "Up to 20 trips from France, in km; see page 4.",
        "parameters": {
            "limit": {"type": "integer", "maximum": 25, "enum": [5, 25, True, "France"]},
            "since": "2024-05-20",
        },
        "strict": True,
    }
    parts = Evidence()
    for name, leaf in walk_leaves(spec):
        parts.add_text(label_of(name), -1)
        parts.add_leaf(leaf, -1)
        if isinstance(leaf, str):
            parts.add_text(label_of(leaf), -1)
    whole = Evidence()
    whole.take(read_spec(orjson.dumps(spec)), -1)
    assert (whole.words, whole.numbers, whole.days, whole.units) == (
        parts.words,
        parts.numbers,
        parts.days,
        parts.units,
    )
    assert {"trips", "french"} <= whole.words and list(whole.numbers) == list(parts.numbers)


@pytest.mark.parametrize(
    ("value", "text", "told"),
    [
        ("0007", "the code 0007", True),
        ("0007", "number 7", False),
        ("7", "seven of them", True),
        ("France", "a French club", True),
        ("Ada Bell", "Ada Bella", False),
        ("2024-05-20", "on May 20, 2024", True),
        ("10:30", "at half past ten, 10:30 am", True),
        ("14:30", "at 2:30 pm", True),
        ("", "nothing", False),
    ],
)
def test_a_value_is_told_in_each_of_its_ways(value: str, text: str, told: bool) -> None:
    assert names(value, text) is told
    assert names(value, f"{text}. {'And so on. ' * 100}") is told  # a long message is remembered elsewhere


def test_no_value_is_missed_among_several_texts() -> None:
    rng = random.Random("texts")
    pieces = ["5", "1,200", "12", "1.2k", "0.5", "million", "7.25", "1e3", "0099", "20%", "-350", "Ada", "forty", "٣٠٠"]
    pieces += ["0.0999999999999999999", "Bell", "2024-05-20", "1 200", "$350.00", "100000000000000000001", "ten", "k"]
    values: list[Any] = [5, 12, 120, 1200, 350, -350, 300, 1000, 500_000, 12_000, 7250, 725, 99, 10, 40, 0.5, True]
    values += [10**20, 100_000, "Ada", "Ada Bell", "2024-05-20", "350", "", "0099", ["Ada", 5]]
    named = 0
    for _ in range(800):
        texts = [rng.choice(["", " "]).join(rng.choices(pieces, k=rng.randrange(5))) for _ in range(3)]
        for value in values:
            told = any(names(value, text) for text in texts)
            named += told
            assert Texts(texts).names(value) is told, (value, texts)
    assert named > 1000


def test_words_are_the_same_however_they_are_read() -> None:
    for text in ("It's *all* in `code`, 5_5!", "Ünïcode ﬁne", "a*b", "Plain words\tonly.\n\nYes", "x" * 50_000, ""):
        assert list(read_spoken(text)) == list_spoken(text)


def test_no_day_is_passed_over() -> None:
    rng = random.Random("days")
    stated = 0
    for _ in range(2000):
        day = datetime.date(rng.choice([1999, 2024]), rng.randrange(1, 13), rng.randrange(1, 29))
        other = datetime.date(day.year, rng.choice([day.month, 5]), rng.choice([day.day, 5]))
        forms = ["%B %d, %Y", "%d %b %Y", "the %dth of %B %Y", "%Y/%m/%d", "%m.%d.%Y", "%d-%m-%Y", "%b. %d %Y"]
        text = f"on {other.strftime(rng.choice(forms))}, as said".replace(" 0", rng.choice([" 0", " "]))
        plain = read_text(text).plain
        long_way = values._date_forms(day).search(plain) is not None  # pyright: ignore[reportPrivateUsage]
        stated += long_way
        assert names(day.isoformat(), text) is (long_way or day.isoformat() in text), (day, text)
    assert stated > 200


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b c": "d  e"}',
        '{"a":1,"a":1}',
        '{"a": 1, "b": {"a": 1, "a": 2}}',
        '{"a": 1.50, "b": -0, "c": 1e5, "d": -0.0}',
        '{"a": 12345678901234567890123}',
        '{"a": 18446744073709551615}',
        '{"a": NaN}',
        '{"a": "\\u00e9 \\ud800"}',
        '{"a": "\\/"}',
        ' {"a": [1, 2]}\n',
        '{"a": ' + "[" * 250 + "]" * 250 + "}",
        '{"a": ' + "[" * 5000 + "]" * 5000 + "}",
        "[1]",
        "{",
        "",
    ],
)
def test_plain_arguments_are_read_as_all_others_are(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> tuple[str, str]:
        try:
            return "value", repr(arguments.parse_json_object(text))
        except ValueError as error:
            return "error", str(error)

    fast = read()
    monkeypatch.setattr(arguments, "_read_plain", re.compile("(?!)").search)  # never finds any
    assert read() == fast


def test_a_result_that_is_remembered_is_not_written_to() -> None:
    text = '[{"id": 7, "name": "Ada Bell", "fee": 5}, {"id": 8, "name": "Bo", "fee": 5}]'
    first = read_result(text)
    evidence = Evidence()
    evidence.add_result(first, 2, ["Ada"])
    evidence.records.overwrite({"id": 7}, {"fee": 9}, ["name"], 4)
    assert evidence.records.all[0].cells == {"id": 7, "fee": 9}
    assert read_result(text) is first
    assert [record.cells for record in first.records] == read_document(text)
    assert first.columns == (("id", [7, 8]), ("fee", [5, 5])) and first.sizes == (2,)
    assert set(first.counts) == {1, 2}
    assert {5, 7, 8} == set(first.known.numbers) and {"ada", "bell", "bo", "fee"} <= set(first.known.words)


def test_spelled_numbers_are_read() -> None:
    assert states(42, "there are forty-two") and not states(42, "there are forty")


VERBS = [re.sub(r"\(\?:\\w\+ \)\{1,5\}\?", "it ", verb) for verb in [*deeds._PLAIN_VERBS]]  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "claim",
    [
        *(f"I have {verb} it." for verb in VERBS),
        "I signed you up.",
        "We confirmed your seat.",
        "I have made that change.",
        "That's taken care of.",
        "I passed it all on.",
        "I've passed along the note.",
        "Everything is done.",
        "All set!",
        "Fine: saved.",
        "A red taxi is on its way.",
        "Your small order has been delivered.",
        "The seat is sorted.",
        "The bill has been settled.",
    ],
)
def test_each_claim_of_a_deed_has_a_word_that_is_looked_for(claim: str) -> None:
    prose = Prose(claim)
    found = deeds._CLAIMS.search(prose.folded) or deeds._STATES.search(prose.folded)  # pyright: ignore[reportPrivateUsage]
    assert found is not None
    assert not prose.vocabulary.isdisjoint(deeds._TELLING)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "words",
    [
        "I couldn't find it.",
        "I could not find it.",
        "I did not find any.",
        "No matching records were found.",
        "There are no such entries.",
        "Nothing came up.",
        "The search came back empty.",
        "I can't find it.",
        "I cannot find it.",
        "The search returned no rows.",
        "Ada is not in the system.",
        "That club doesn't exist.",
        "That club does not exist.",
    ],
)
def test_each_way_to_say_that_nothing_was_found_has_a_word_that_is_looked_for(words: str) -> None:
    prose = Prose(words)
    assert deeds._NOT_FOUND.search(prose.folded) is not None  # pyright: ignore[reportPrivateUsage]
    assert not prose.vocabulary.isdisjoint(deeds._MISSING)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "label",
    "status type category color colour gender nationality priority grade genre brand severity occupation".split(),
)
def test_each_attribute_is_looked_for(label: str) -> None:
    prose = Prose(f"The {label} is purple.")
    assert tracing._ATTRIBUTE.search(prose.folded) is not None  # pyright: ignore[reportPrivateUsage]
    assert not prose.vocabulary.isdisjoint(tracing._ATTRIBUTES)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "words",
    [
        "the user simulator",
        "a SYSTEM PROMPT",
        "your rubric",
        "two tool calls",
        "a function call",
        "API calls",
        "known_details",
        "Known details",
        "my persona",
        "the simulated user",
        "role-play",
        "role play",
        "the assistant",
        "run another tool",
        "use the functions",
        "call a tool",
        "the u\u017fer simulator",
        "the system prompt\u2026",
    ],
)
def test_words_behind_the_scenes_are_found(words: str) -> None:
    assert language.find_scenes(f"Well, {words} it is.") is not None


@pytest.mark.parametrize(
    "words",
    [
        "How may I assist you?",
        "how can i help",
        "I'm here to help.",
        "Anything else I can do for you?",
        "As an AI, yes.",
        "Happy to assist you.",
        "I would be happy to help.",
        "Let me know if you have any wishes.",
        "Let me \u212anow if you need it. as an ai",
    ],
)
def test_offers_are_found(words: str) -> None:
    assert language.find_offer(words) is not None


@pytest.mark.parametrize("text", ["Ada Bell was born 1990-01-02.", 'É\u0301 costs 5 €, "so it is".', ""])
def test_prose_keeps_positions(text: str) -> None:
    prose = Prose(text)
    assert prose.plain == compose(text)
    assert prose.folded == fold(prose.plain)
    assert [prose.folded[start:end] for start, end in prose.places] == prose.words


def test_a_statement_that_is_kept_is_refused_no_less_and_tells_its_own_time(tmp_path: Path) -> None:
    base = open_file(make_file(tmp_path, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);"), tmp_path)
    try:
        tool = make_tool("clock", "SELECT datetime('now') AS now, random() AS dice, a FROM t")
        times = ["2031-05-06T07:08:09", "2032-05-06T07:08:09", "2031-05-06T07:08:09"]
        told = [base.open([tool], seed="s", reference_time=each).call("clock", {}).value[0] for each in times]
        assert told[0] == told[2]
        assert told[0]["now"] == "2031-05-06 07:08:09"
        assert told[1]["now"] == "2032-05-06 07:08:09"
        other = base.open([tool], seed="z", reference_time=times[0]).call("clock", {}).value[0]
        assert other["dice"] != told[0]["dice"]
        for _ in range(3):
            refused = base.run("SELECT name FROM sqlite_master", {})
            assert refused.error is not None and refused.error.kind == "refused"
            assert base.run("SELECT a FROM t", {}).rows == ({"a": 1},)
            broken = base.run("SELECT b FROM t", {})
            assert broken.error is not None and broken.error.kind == "database"
    finally:
        base.close()
