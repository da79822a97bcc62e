"""What no dialogue should hold, on the way of the stage validate-dialogues and on that of `turnwright check`.

Each one is judged or rejected with a reason, and the verdict can be stored and read again.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playing import ASK, CONFIG, EARNINGS, TOOLSET, club, earnings_dialogue, judgement, make_task, messages_of

from flows.cli import main
from schemas.findings import Finding
from schemas.rows import DialogueRow, VerdictRow
from turnwright.models.scripted import ScriptedModels
from turnwright.storage.store import Store
from turnwright.storage.tables import read_rows, write_table
from turnwright.validation.verdict import validate_dialogue

Message = dict[str, Any]
Spoiler = Callable[[str], str]
"""Takes a result's text, gives the hostile one."""

LONG_TURNS = 600
MEGABYTE = 2**20
_DEEP = 50_000


def _with_result(text: str) -> list[Message]:
    """The good dialogue with another text as its only result; its answer stays."""
    messages = messages_of(earnings_dialogue())
    for message in messages:
        if message["role"] == "tool":
            message["content"] = text
    return messages


def _long() -> list[Message]:
    """600 turns: the same request and answer over and over."""
    messages = messages_of(earnings_dialogue())
    head, body = messages[:1], messages[1:-2]
    turns: list[Message] = []
    for number in range(LONG_TURNS // len(body) + 1):
        for message in json.loads(json.dumps(body)):
            for call in message.get("tool_calls", []):
                call["id"] += f"-{number}"
            if "tool_call_id" in message:
                message["tool_call_id"] += f"-{number}"
            turns.append(message)
    return [*head, *turns, *messages[-2:]]


CASES: dict[str, list[Message]] = {
    "600 turns": _long(),
    "1 MB of text": _with_result("x" * MEGABYTE),
    "1 MB of rows": _with_result(json.dumps([{"name": f"n{n}", "earnings": n} for n in range(30_000)])),
    "invalid UTF-8 escapes": _with_result('{"name": "\\ud800 and \\udfff", "earnings": 1200000}'),
    "deep JSON": _with_result("[" * _DEEP + "]" * _DEEP),
    "deep JSON that never ends": _with_result('{"a":' * _DEEP),
    "NaN": _with_result('[{"earnings": NaN, "player_id": -Infinity}]'),
    "huge integers": _with_result('[{"earnings": ' + "9" * 5_000 + ', "player_id": 1e999}]'),
    "duplicate keys": _with_result('[{"earnings": 1, "earnings": 1200000}]'),
    "control characters": _with_result("\x00\x1b[31m\u202e\ufeff" * 50),
}


def make_row(messages: list[Message]) -> DialogueRow:
    """A row whose records fit its messages, so that only what is hostile about it is."""
    row = earnings_dialogue()
    results = {message["tool_call_id"]: message["content"] for message in messages if message["role"] == "tool"}
    (record,) = json.loads(row.calls)
    records = [
        record | {"message": index, "call_id": call["id"], "result": results[call["id"]]}
        for index, message in enumerate(messages)
        for call in message.get("tool_calls", [])
    ]
    return row.model_copy(
        update={
            "messages": json.dumps(messages),
            "calls": json.dumps(records),
            "turns": len(messages) - 1,
            "steps": len(records),
        }
    )


def validate(row: DialogueRow, folder: Path) -> VerdictRow:
    """The verdict on a dialogue that lay in a table, as it lies in one afterwards."""
    store = Store(folder / "store")
    (stored,) = read_rows(write_table("dialogues", [row], store), DialogueRow)
    models: Any = ScriptedModels({"judge": [judgement((1, "Critical", True))]})
    verdict = asyncio.run(validate_dialogue(stored, make_task([EARNINGS]), TOOLSET, club(), models, CONFIG))
    (again,) = read_rows(write_table("verdicts", [verdict], store), VerdictRow)
    return again


@pytest.mark.parametrize("name", CASES)
def test_the_stage_judges_it(name: str, tmp_path: Path) -> None:
    verdict = validate(make_row(CASES[name]), tmp_path)
    assert verdict.judgment == "invalid"
    assert verdict.reasons
    findings = [Finding.model_validate(each) for each in json.loads(verdict.findings)]
    assert all(finding.explanation and len(finding.explanation) < 2_000 for finding in findings)
    assert verdict.fault is not None


def test_the_stage_finds_what_is_forged_in_it(tmp_path: Path) -> None:
    for name in ("NaN", "huge integers", "duplicate keys", "deep JSON"):
        assert validate(make_row(CASES[name]), tmp_path).replay == "mismatch", name


def test_600_turns_end_in_the_loops_that_they_are(tmp_path: Path) -> None:
    verdict = validate(make_row(CASES["600 turns"]), tmp_path)
    assert len(messages_of(make_row(CASES["600 turns"]))) > LONG_TURNS
    assert "rules.repeated_message" in {reason.partition(": ")[0] for reason in verdict.reasons}


@pytest.mark.parametrize("column", ["messages", "calls"])
@pytest.mark.parametrize("text", ["", "[", "null", '{"a": 1}', "[7]", "[" * _DEEP, '[{"role": "user"}]'])
def test_rows_that_hold_no_dialogue_are_rejected_with_a_reason(column: str, text: str, tmp_path: Path) -> None:
    verdict = validate(earnings_dialogue().model_copy(update={column: text}), tmp_path)
    assert verdict.judgment == "invalid"
    assert verdict.reasons[0].startswith("rules.unreadable_dialogue: ")
    assert len(verdict.reasons) == 1


@pytest.mark.parametrize("name", CASES)
def test_check_judges_it(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"messages": messages_of(earnings_dialogue())}
    file, out = tmp_path / "made.jsonl", tmp_path / "out.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in ({"messages": CASES[name]}, good)), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["check", str(file), "--json", "--out", str(out)])
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ended.value.code in (0, 3)
    assert answer["rows"] == 2
    first, second = (json.loads(line) for line in out.read_text(encoding="utf-8").splitlines())
    assert first["outcome"] in ("clean", "remarked", "wrong", "rejected")
    assert (first["outcome"] == "rejected") == (first["problem"] is not None)
    assert (second["row"], second["outcome"]) == (2, "clean")


def test_the_user_may_write_as_much_as_they_like(tmp_path: Path) -> None:
    messages = messages_of(earnings_dialogue())
    messages[1]["content"] = ASK + " " + "please " * 20_000
    verdict = validate(make_row(messages), tmp_path)
    assert verdict.reasons[0].startswith("rules.overlong_message: ")
