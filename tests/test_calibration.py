"""Planted defects: each a minimal edit that holds together; what was counted; the command and its report."""

import asyncio
import json
import random
from typing import Any

import orjson
import pytest
from playing import ASK, BYE, DONE, EARNINGS, LOOK_UP, MOVE, MOVED, TELL, TOOLSET, club, make_task, messages_of, play

from flows.cli import main
from schemas.config import RunConfig
from schemas.content import canonical_json
from schemas.rows import DialogueRow, SeedRow, VerdictRow
from tests.synthetic_run import make_rows, write_tables
from turnwright.calibration.draft import PlantedDialogue, copy_unchanged
from turnwright.calibration.kinds import KINDS, plant
from turnwright.calibration.measuring import calibrate
from turnwright.calibration.prose_values import alter_digits, find_numbers, holds_value
from turnwright.calibration.record import ANY, Calibration, Missed, read_calibration, write_calibration
from turnwright.calibration.silent_judge import SilentJudge
from turnwright.calibration.subject import CannotPlant, Subject
from turnwright.models.scripted import calls, says
from turnwright.reports.calibration_page import render_calibration_page
from turnwright.reports.calibration_text import show_calibration
from turnwright.reports.interval_plot import Measured, draw_intervals
from turnwright.storage.run_folder import RunFolder
from turnwright.validation.verdict import validate_dialogue

CONFIG = RunConfig.model_validate(
    {"name": "club", "seed": 7, "sources": [{"kind": "sql", "url": "sqlite:///club.sqlite"}]}
)
FIND_OMAR = calls("find_player", {"name": "Omar Haddad"})
MOVE_OMAR = calls("move_player", {"player_id": 2, "home_town": "Bath"})


def subject(**changes: Any) -> Subject:
    """A dialogue with two tasks: one is told an amount, the other changes a row."""
    task = make_task((EARNINGS, MOVE), (MOVED,))
    row = play(
        [ASK, "Thanks. Please move Omar Haddad to Bath.", DONE],
        [LOOK_UP, TELL, FIND_OMAR, MOVE_OMAR, says("Done: the home town of Omar Haddad is now Bath, not York."), BYE],
        task=task,
    )
    return Subject(row.model_copy(update=changes), task, TOOLSET, club())


def planted(kind: str, seed: int = 0) -> PlantedDialogue:
    return plant(kind, subject(), seed)


def records(row: DialogueRow) -> list[dict[str, Any]]:
    return orjson.loads(row.calls)


def changed(row: DialogueRow) -> list[int]:
    """Indexes of the messages that are not as they were, where none was added or taken out."""
    return [index for index, (a, b) in enumerate(zip(messages_of(row), subject().messages, strict=True)) if a != b]


def test_the_control_says_the_same_and_holds_together() -> None:
    control, before = copy_unchanged(subject()).row, subject().row
    assert messages_of(control) == messages_of(before)
    assert records(control) == records(before)
    assert (control.final_digest, control.changes, control.turns) == (
        before.final_digest,
        before.changes,
        before.turns,
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_defect_is_the_same_whenever_it_is_planted_and_its_row_fits_its_messages(kind: str) -> None:
    try:
        first = planted(kind)
    except CannotPlant as reason:
        assert str(reason)
        with pytest.raises(CannotPlant, match=str(reason)):
            planted(kind)
        return
    assert first == planted(kind)
    messages = messages_of(first.row)
    assert first.row.turns == sum(message["role"] != "system" for message in messages)
    assert first.row.requests == sum(message["role"] == "user" for message in messages)
    assert first.row.messages != subject().row.messages
    assert first.row.id != subject().row.id
    for record in records(first.row):
        assert record["call_id"] in json.dumps(messages[record["message"]]["tool_calls"])


def test_a_changed_call_really_runs() -> None:
    row = planted("wrong_argument").row
    (edited,) = [
        (new, old)
        for new, old in zip(records(row), records(subject().row), strict=True)
        if new["arguments"] != old["arguments"]
    ]
    assert edited[0]["error"] is None
    (told,) = [message for message in messages_of(row) if message.get("tool_call_id") == edited[0]["call_id"]]
    assert told["content"] == edited[0]["result"]
    prose = [m["content"] for m in messages_of(row) if m["role"] == "assistant" and not m.get("tool_calls")]
    assert prose == [subject().messages[index]["content"] for index in subject().answers]


def test_a_dropped_write_leaves_the_state_without_it() -> None:
    rows = [planted("dropped_call", seed).row for seed in range(8)]
    states = {len(json.loads(row.changes)): row for row in rows}
    assert sorted(states) == [0, 1], "in some the read is left out, in some the write"
    assert "move_player" not in states[0].calls
    assert "move_player" in states[1].calls


def test_an_unneeded_write_changes_the_state_and_no_other_result() -> None:
    row = planted("unneeded_write").row
    assert row.final_digest != subject().row.final_digest
    assert len(records(row)) == len(subject().calls) + 1
    assert {record["result"] for record in records(subject().row)} <= {record["result"] for record in records(row)}


def test_an_ignored_error_is_one_that_the_environment_gives() -> None:
    made = planted("ignored_error")
    (failed,) = [record for record in records(made.row) if record["error"]]
    assert failed["fault"]
    plan = json.loads(made.task.behaviour_plan)
    assert (plan["name"], plan["detail"]["tool"]) == ("tool_fault", failed["tool"])


def test_a_number_is_altered_in_its_own_form_and_stands_nowhere_else() -> None:
    row = planted("altered_number").row
    (index,) = changed(row)
    text = messages_of(row)[index]["content"]
    (spot,) = find_numbers(text)
    assert spot.text.count(",") == 2
    assert spot.value != 1_200_000
    assert spot.text not in subject().text
    assert text.replace(spot.text, "1,200,000") == subject().messages[index]["content"]


def test_a_stale_value_is_the_one_before_the_write() -> None:
    row = planted("stale_value").row
    (index,) = changed(row)
    assert messages_of(row)[index]["content"] == "Done: the home town of Omar Haddad is now York, not York."


def test_a_mislabelled_number_is_another_field_of_the_same_record() -> None:
    row = planted("mislabelled_value").row
    (index,) = changed(row)
    (spot,) = find_numbers(messages_of(row)[index]["content"])
    rows: list[dict[str, Any]] = orjson.loads(records(row)[0]["result"])
    record = next(one for one in rows if 1_200_000 in one.values())
    assert spot.value != 1_200_000 and spot.value in record.values()


def test_swapped_results_stand_swapped_in_messages_and_records() -> None:
    row = planted("swapped_results").row
    before, after = records(subject().row), records(row)
    assert [after[0]["result"], after[1]["result"]] == [before[1]["result"], before[0]["result"]]
    assert [m["content"] for m in messages_of(row) if m["role"] == "tool"] == [record["result"] for record in after]


def test_a_premature_end_keeps_the_goodbye() -> None:
    row = planted("premature_end").row
    assert messages_of(row) == list(subject().messages[:5] + subject().messages[-2:])
    assert len(records(row)) == 1
    assert json.loads(row.changes) == []


def test_a_kind_without_a_place_says_so() -> None:
    plain = Subject(play([ASK, DONE], [LOOK_UP, TELL, BYE]), make_task(), TOOLSET, club())
    for kind, reason in (
        ("stale_value", "no row was changed"),
        ("swapped_results", "no two reads"),
        ("premature_end", "no request follows an answer"),
        ("missing_subpart", "no fact is told in a sentence"),
        ("leaked_goal", "too little to leak"),
    ):
        with pytest.raises(CannotPlant, match=reason):
            plant(kind, plain, 0)


def test_simulated_tools_decline_what_needs_an_answer() -> None:
    simulated = Subject(
        subject().row.model_copy(update={"paradigm": "user_oriented"}), subject().task, TOOLSET, base=None
    )
    for kind in ("wrong_argument", "dropped_call", "unneeded_write", "ignored_error"):
        with pytest.raises(CannotPlant, match="simulated"):
            plant(kind, simulated, 0)
    assert plant("altered_number", simulated, 0).row.final_digest == simulated.row.final_digest


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is 1,200,000.", ["1,200,000"]),
        ("25.5 and 3, on 2024-03-05 at 10:30.", ["25.5", "3"]),
        ("Room B12, version 1.2.3, call +44 20.", ["20"]),
        ("99999999999999999999999", []),
        ("", []),
    ],
)
def test_numbers_that_stand_by_themselves(text: str, found: list[str]) -> None:
    assert [spot.text for spot in find_numbers(text)] == found


def test_an_altered_number_is_none_that_is_taken() -> None:
    assert alter_digits("7", random.Random(0), "1 2 3 4 5 6 8 9") is None
    assert alter_digits("7", random.Random(0), "1 2 3 4 5 6 8") == "9"
    assert holds_value("It costs 1,200.", 1200.0)
    assert not holds_value("It costs 1,200.", 200)


@pytest.mark.parametrize(
    "result", ["[" * 5000, '{"a": NaN, "b": 1e999}', '{"n": ' + "9" * 400 + "}", '["\\ud800"]', "", '{"a": 1, "a": 2}']
)
def test_hostile_results_are_no_crash(result: str) -> None:
    row = subject().row
    calls_of = records(row)
    calls_of[0]["result"] = result
    messages = messages_of(row)
    for message in messages:
        if message.get("tool_call_id") == calls_of[0]["call_id"]:
            message["content"] = result
    hostile = subject(messages=json.dumps(messages), calls=canonical_json(calls_of))
    for kind in KINDS:
        try:
            plant(kind, hostile, 0)
        except CannotPlant:
            continue


def measure(kinds: tuple[str, ...] = tuple(KINDS), **changes: Any) -> Calibration:
    return asyncio.run(calibrate([subject()], [subject()], None, CONFIG, run="club", seed=0, kinds=kinds, **changes))


def test_what_is_planted_is_counted_by_kind_and_layer() -> None:
    found = measure()
    assert (found.clean, found.false_alarms, found.judge) == (1, 0, False)
    by_kind = {row.kind: row for row in found.of_layer(ANY)}
    assert set(by_kind) == set(KINDS)
    assert by_kind["unpaired_result"].caught == by_kind["altered_number"].caught == 1
    assert sum(row.planted for row in by_kind.values()) == found.planted >= 15
    assert {row.kind for row in found.of_layer("replay") if row.caught} == {"swapped_results", "forged_result"}
    for row in found.kinds:
        assert row.caught <= by_kind[row.kind].caught
        assert row.ci_low <= (row.recall or 0.0)
    assert {miss.kind for miss in found.missed} == {kind for kind, row in by_kind.items() if row.planted > row.caught}
    assert {row.kind for row in found.declined} == {kind for kind, row in by_kind.items() if not row.planted}


def test_an_alarm_on_an_untouched_dialogue_is_false() -> None:
    bad = plant("altered_number", subject(), 0).row
    control = Subject(bad, subject().task, TOOLSET, club())
    found = asyncio.run(calibrate([], [control, subject()], None, CONFIG, run="club", seed=0))
    assert (found.clean, found.false_alarms, found.false_alarm_rate) == (2, 1, 0.5)
    assert found.recall is None
    assert {row.layer for row in found.alarms if row.alarms} >= {ANY, "grounding"}


def test_the_order_of_dialogues_does_not_matter() -> None:
    one = Subject(play([ASK, DONE], [LOOK_UP, TELL, BYE]), make_task(), TOOLSET, club())

    def count(*given: Subject) -> Calibration:
        return asyncio.run(calibrate(given, given, None, CONFIG, run="club", seed=3, kinds=("altered_number",)))

    assert count(subject(), one) == count(one, subject())


def test_a_calibration_is_read_as_it_was_written(tmp_path: Any) -> None:
    found = measure(("altered_number", "stale_value"))
    write_calibration(found, tmp_path / "calibration.json")
    assert read_calibration(tmp_path / "calibration.json") == found


def test_the_page_trusts_nothing() -> None:
    found = measure(("altered_number", "contradiction"))
    hostile = found.model_copy(
        update={"missed": [Missed(kind="contradiction", dialogue_id="d", excerpt="<script>x</script>")]}
    )
    assert "<script>x" not in render_calibration_page(hostile)


def test_the_page_shows_each_kind() -> None:
    page = render_calibration_page(measure())
    for kind in KINDS:
        assert kind.replace("_", " ") in page
    assert "<svg" in page


def test_the_terminal_says_what_was_missed() -> None:
    lines = "\n".join(str(part) for part in show_calibration(measure()))
    assert "altered_number" in lines
    assert "false alarms: 0 on 1 untouched dialogues" in lines


def test_an_interval_lies_on_its_axis() -> None:
    svg = str(draw_intervals([Measured("wrong_tool", 0.5, 0.25, 0.75, 8)], "recall"))
    assert "cx='300.0'" in svg
    assert "50% of 8" in svg
    assert "No cases" in draw_intervals([], "recall")


def ask(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main(["calibrate", *map(str, arguments), "--json"])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_run_that_is_not_there_or_was_not_judged_is_bad_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    code, answer = ask(capsys, "nothing", "--runs", tmp_path)
    assert (code, answer["exit_code"]) == (2, 2)
    (tmp_path / "club-1").mkdir()
    (tmp_path / "club-1" / "run.json").write_text('{"run_id": "club-1", "tables": {}}')
    code, answer = ask(capsys, "club-1", "--runs", tmp_path)
    assert code == 2
    assert "ended before validate-dialogues" in answer["error"]


def test_the_command_writes_what_it_answers(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    one = subject()
    simulated = one.row.model_copy(update={"paradigm": "user_oriented", "final_digest": one.task.start_digest})
    seed = next(row for row in make_rows(1)["seeds"] if isinstance(row, SeedRow))
    judged = asyncio.run(judge(simulated))
    rows: dict[str, list[Any]] = {
        "seeds": [seed.model_copy(update={"id": "seed_1"})],
        "toolsets": [TOOLSET],
        "dialogue_tasks": [one.task.model_copy(update={"paradigm": "user_oriented"})],
        "dialogues": [simulated],
        "verdicts": [judged.model_copy(update={"judgment": "valid"})],
    }
    folder = RunFolder(tmp_path / "runs" / "club-1")
    published = {name: folder.publish(table) for name, table in write_tables(rows, tmp_path / "content").items()}
    tables = {name: {"sha256": table.sha256, "rows": table.rows} for name, table in published.items()}
    folder.write_run({"run_id": "club-1", "config": CONFIG.model_dump(mode="json"), "tables": tables})
    code, answer = ask(capsys, "club-1", "--runs", tmp_path / "runs", "--no-judge")
    assert code == 0, answer
    assert (answer["clean"], answer["judge"]) == (1, False)
    assert {"kind", "layer", "planted", "caught", "recall", "ci_low"} <= set(answer["kinds"][0])
    assert read_calibration(folder.report / "calibration.json").planted == answer["planted"] > 5
    assert "Calibration" in (folder.report / "calibration.html").read_text()


async def judge(row: DialogueRow) -> VerdictRow:
    """A verdict on a dialogue, without a judge."""
    silent: Any = SilentJudge()
    task = make_task((EARNINGS, MOVE), (MOVED,)).model_copy(update={"paradigm": "user_oriented"})
    return await validate_dialogue(row, task, TOOLSET, None, silent, CONFIG)
