"""What dialogues say, who says what they should not, and all of it together over a run."""

from pathlib import Path
from typing import Any

import pytest

from schemas.rows import TableRef
from schemas.tools import SqlTool
from tests.synthetic_run import CONFIG, TOOLS, change_row, make_database, make_rows, replace_rows, write_tables
from turnwright.statistics.information import find_empty_turns
from turnwright.statistics.statistics import compute_statistics, read_statistics, write_statistics
from turnwright.statistics.user_language import find_identifiers, find_surrogate_fields, find_surrogate_keys

RUN = {"run_id": "r", "config": CONFIG.model_dump(mode="json"), "usage": {}, "timings": {}}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TableRef]:
    return write_tables(make_rows(), tmp_path_factory.mktemp("tables"))


def say(*lines: str) -> list[dict[str, Any]]:
    """Lines of a conversation: `user: ...`, `assistant: ...`, `tool: ...`."""
    return [{"role": line.split(": ")[0], "content": line.split(": ", 1)[1]} for line in lines]


def test_filler_and_repetition_are_empty_and_everything_else_is_not() -> None:
    messages = say(
        "system: Help the league's office.",
        "user: Hi! What does Maria Silva earn?",
        "assistant: Sure, let me check that for you.",
        "tool: 910000",
        "assistant: Maria Silva earns 910,000.",
        "user: So Maria Silva earns 910000?",
        "assistant: Yes, that's right.",
        "user: Great, thanks! Bye.",
    )
    assert find_empty_turns(messages) == [2, 5, 6, 7]


def test_a_message_with_a_call_is_not_empty() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert find_empty_turns([{"role": "assistant", "content": None, "tool_calls": [call]}]) == []


def test_numbers_are_compared_by_value() -> None:
    messages = say("user: 1200 or 2.50 or 3", "assistant: 1,200.", "assistant: 2.5", "assistant: 4")
    assert find_empty_turns(messages) == [1, 2]


def test_identifiers_count_only_before_a_tool_or_the_assistant_has_said_them() -> None:
    messages = say(
        "system: Tables: player_stats.",
        "user: Show player_stats for _me_ and first_name",
        "assistant: Do you mean club_squad?",
        "user: Yes, club_squad and last_name.",
    )
    assert find_identifiers(messages) == ["first_name", "player_stats", "last_name"]


FIELDS = find_surrogate_fields(make_database(), TOOLS)


def called(**changes: Any) -> dict[str, Any]:
    row = '{"player_id": 4117, "name": "Maria", "position": "forward", "earnings": 910000}'
    return {"tool": "get_player", "arguments": '{"player_id": 4117}', "result": row, "error": None} | changes


def test_surrogate_fields_follow_bindings_and_outputs() -> None:
    assert ("get_player", "player_id") in FIELDS.arguments
    assert ("search_players", "player_id") in FIELDS.outputs
    assert ("search_players", "name") not in FIELDS.outputs
    limited = SqlTool.model_validate(
        TOOLS[1].model_dump()
        | {"bindings": [{"name": "limit", "table": "player", "column": "player_id", "operator": "limit"}]}
    )
    assert find_surrogate_fields(make_database(), [limited]).arguments == frozenset()


def test_a_key_that_nobody_said_before_is_found_and_one_that_was_told_is_not() -> None:
    assert find_surrogate_keys(say("user: What does 4117 earn?"), [called()], FIELDS) == ["4117"]
    told = say("user: Who is Maria?", "tool: 4117", "user: And 4117 earns what?")
    assert find_surrogate_keys(told, [called()], FIELDS) == []
    assert find_surrogate_keys(say("user: What does 4117 earn?"), [called()], FIELDS, [4117]) == []
    assert find_surrogate_keys(say("user: Who earns 910000?"), [called()], FIELDS) == []


def test_a_small_number_is_a_key_only_where_the_words_say_so() -> None:
    small = called(arguments='{"player_id": 7}', result='{"player_id": 7}')
    assert find_surrogate_keys(say("user: The top 7 players, please."), [small], FIELDS) == []
    assert find_surrogate_keys(say("user: The player with id 7, please."), [small], FIELDS) == ["7"]


def test_a_run_is_counted_whole(tables: dict[str, TableRef], tmp_path: Path) -> None:
    statistics = compute_statistics(tables, RUN)
    assert (statistics.counts.dialogues, statistics.counts.valid, statistics.counts.invalid) == (30, 24, 6)
    assert statistics.counts.valid_rate == 0.8
    assert (statistics.counts.tools_verified, statistics.counts.tools_rejected) == (3, 1)
    assert sum(statistics.counts.exported.values()) == 24
    assert statistics.models == ["selfplay"]
    assert statistics.reasons == {"outcome.fact_missing": 6}
    assert statistics.language.distinct_first_user_messages == 24
    assert statistics.language.identifiers == statistics.language.surrogate_keys == 0
    assert 0 < statistics.information.empty_share < 0.2
    assert statistics.information.empty_share_before_closing < statistics.information.empty_share
    assert {share.name: share.target for share in statistics.difficulty} == CONFIG.difficulty
    changed = next(share for share in statistics.behaviour if share.name == "changed_mind")
    assert (changed.simulated, changed.accepted, changed.occurred, changed.valid_rate) == (6, 0, 0, 0.0)
    missing = next(share for share in statistics.behaviour if share.name == "missing_parameter")
    assert (missing.simulated, missing.accepted, missing.occurred) == (6, 6, 6)
    assert sum(statistics.distributions["turns"].values()) == 24
    write_statistics(statistics, tmp_path / "statistics.json")
    assert read_statistics(tmp_path / "statistics.json") == statistics


def test_first_messages_that_repeat_are_named(tables: dict[str, TableRef], tmp_path: Path) -> None:
    given = replace_rows(tables, "dialogues", lambda rows: change_row(1, messages=rows[0].messages)(rows), tmp_path)
    language = compute_statistics(given, RUN).language
    assert language.distinct_first_user_messages == 23
    assert len(language.repeated_first_user_messages) == 1


def test_a_run_without_verdicts_counts_all_dialogues(tables: dict[str, TableRef]) -> None:
    statistics = compute_statistics({"dialogues": tables["dialogues"]}, {})
    assert statistics.counts.valid == 0
    assert sum(statistics.distributions["turns"].values()) == 30
    assert {row.scope for row in statistics.table1} == {"all"}


def test_an_empty_run_has_statistics(tmp_path: Path) -> None:
    statistics = compute_statistics({}, {})
    assert statistics.counts.dialogues == 0
    assert statistics.information.empty_share == 0.0
