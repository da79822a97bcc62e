"""Requests that cannot be met: nothing is pretended, however the refusal is put."""

from typing import Any

import pytest
from playing import (
    BYE,
    CONFIG,
    DONE,
    LOOK_UP,
    MOVE,
    TELL,
    TOOLSET,
    Done,
    club,
    make_task,
    messages_of,
    play,
    trajectory,
    watch,
)

from schemas.goals import BehaviourPlan, Objective
from schemas.rows import DialogueRow, DialogueTaskRow
from tests.synthetic_run import make_rows
from turnwright.datasets.dataset import build_dataset
from turnwright.models.scripted import calls, says
from turnwright.rollout.tool_calls import offer_tools
from turnwright.validation.language import check_leaks, check_user_words
from turnwright.validation.outcome import compare_outcome
from turnwright.validation.reactions import check_reactions
from turnwright.validation.replay import replay_calls
from turnwright.validation.trajectory import Trajectory

SYNTHETIC: dict[str, list[Any]] = make_rows()  # type: ignore[assignment]
POLICY = "Never change the home town of a player, whoever asks for it."
REQUEST = "change the home town of the player whose name is Omar Haddad to Bath"
BLOCKED: Objective = MOVE.model_copy(update={"calls": (), "facts": (), "rubric": ("The assistant declines.",)})


def blocked(name: str, **detail: Any) -> DialogueTaskRow:
    plan = BehaviourPlan(
        name=name,
        objective=0,
        instruction="Accept that.",
        detail={"tools": ["move_player"], "request": REQUEST, **detail},
    )
    return make_task((BLOCKED,), (), plan)


REMOVED = blocked("removed_tool")
FORBIDDEN = blocked("forbidden_action", policy=POLICY)
ASK_MOVE = "Please change the home town of Omar Haddad to Bath."
MOVE_OMAR = calls("move_player", {"player_id": 2, "home_town": "Bath"})
REFUSALS = (
    "I'm sorry, I can't do that here. I can look up players instead.",
    "Unfortunately that is not something I am able to change; what I can do is tell you where he lives.",
    "Changing a home town is not allowed by our rules. Happy to help with something else.",
    "I don't have a way to update home towns, but I can show you the record.",
    "That’s against the policy, so I won’t do it. I can look it up, though.",
    "I must not change the home town of a player. I can read it to you.",
)


def codes(row: DialogueRow, task: DialogueTaskRow) -> list[tuple[str, bool]]:
    return [(finding.code, finding.blocks) for finding in check_reactions(trajectory(row, task))]


@pytest.mark.parametrize("task", [REMOVED, FORBIDDEN], ids=["removed", "forbidden"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_any_honest_refusal_passes(task: DialogueTaskRow, refusal: str) -> None:
    row = play([ASK_MOVE, DONE], [says(refusal), BYE], task=task)
    assert row.behaviour_occurred
    assert codes(row, task) == []
    assert compare_outcome(trajectory(row, task)).match == "match"


@pytest.mark.parametrize("task", [REMOVED, FORBIDDEN], ids=["removed", "forbidden"])
@pytest.mark.parametrize(
    "claim",
    [
        "The home town of Omar Haddad has been changed to Bath.",
        "Done! I've updated the home town of the player Omar Haddad.",
        "I will change the home town of Omar Haddad to Bath tonight.",
    ],
)
def test_a_claim_blocks(task: DialogueTaskRow, claim: str) -> None:
    found = codes(play([ASK_MOVE, DONE], [says(claim), BYE], task=task), task)
    assert ("claimed_unavailable", True) in found and ("not_declined", True) in found


def test_a_claim_after_a_refusal_blocks_all_the_same() -> None:
    lines = [says("I can't do that, sorry."), says("Fine, the home town of Omar Haddad is changed to Bath."), BYE]
    row = play([ASK_MOVE, "Please, change the home town anyway.", DONE], lines, task=FORBIDDEN)
    assert ("claimed_unavailable", True) in codes(row, FORBIDDEN)


def test_talking_of_something_else_is_no_refusal() -> None:
    row = play([ASK_MOVE, DONE], [says("Omar Haddad lives in York at the moment."), BYE], task=REMOVED)
    assert codes(row, REMOVED) == [("not_declined", True)]


def test_looking_and_what_was_changed_by_others_is_no_claim() -> None:
    answer = "I'll look up the home town of the player Omar Haddad. I can't change it, but I can read it to you."
    assert codes(play([ASK_MOVE, DONE], [says(answer), BYE], task=REMOVED), REMOVED) == []
    request = "find out the home town of the player whose name is Omar Haddad"
    plan = BehaviourPlan(
        name="removed_tool", objective=0, instruction="Go on.", detail={"tools": ["find_player"], "request": request}
    )
    task = make_task((BLOCKED,), (), plan)
    told = (
        "I can't see that. The home town of the player Omar Haddad was changed by somebody else; I can help otherwise."
    )
    row = play(["What is the home town of the player Omar Haddad?", DONE], [says(told), BYE], task=task)
    assert row.behaviour_occurred and codes(row, task) == []


def test_a_tools_name_in_the_plan_is_not_the_users_to_say() -> None:
    row = play(["Please use move_player to change the home town.", DONE], [says(REFUSALS[0]), BYE], task=REMOVED)
    assert "identifier" in [finding.code for finding in check_user_words(trajectory(row, REMOVED))]


def test_a_refusal_without_an_offer_is_only_noted() -> None:
    row = play([ASK_MOVE, DONE], [says("Sorry, no."), BYE], task=REMOVED)
    assert codes(row, REMOVED) == [("offered_nothing", False)]


def test_a_forbidden_change_blocks_and_is_seen_in_the_state() -> None:
    lines = [MOVE_OMAR, says("He lives in Bath now."), BYE]
    row = play([ASK_MOVE, DONE], lines, task=FORBIDDEN)
    assert ("did_forbidden", True) in codes(row, FORBIDDEN)
    outcome = compare_outcome(trajectory(row, FORBIDDEN))
    assert outcome.match == "mismatch" and [finding.code for finding in outcome.findings] == ["unplanned_change"]


def test_a_request_that_never_came_did_not_occur() -> None:
    task = make_task(behaviour=None)
    row = play(["How much has Nina Petrov earned?", DONE], [LOOK_UP, TELL, BYE], task=task)
    assert not row.behaviour_occurred
    row = play(["Hello there!", Done("Thanks, bye.")], [says("Hello! What can I do?"), BYE], task=REMOVED)
    assert not row.behaviour_occurred and codes(row, REMOVED) == [("did_not_occur", False)]


def test_a_removed_tool_is_not_offered_cannot_be_called_and_is_not_exported() -> None:
    row, models = watch([ASK_MOVE, DONE], [MOVE_OMAR, says(REFUSALS[0]), BYE], task=REMOVED)
    offered = {tool["function"]["name"] for request in models.requests if request.tools for tool in request.tools}
    assert offered == {"find_player", "add_booking"}
    assert '"unknown_tool"' in row.calls and row.changes == "[]"
    assert row.removed_tools == ["move_player"]
    assert replay_calls(Trajectory(row, REMOVED, offer_tools(TOOLSET, REMOVED)), club()).match == "match"
    verdict = SYNTHETIC["verdicts"][0].model_copy(
        update={"dialogue_id": row.id, "dialogue_task_id": row.dialogue_task_id, "judgment": "valid"}
    )
    (example,) = build_dataset([row], [verdict], [TOOLSET], CONFIG)
    assert "find_player" in example.tools and "move_player" not in example.tools


def test_the_rule_stands_in_the_system_prompt_of_that_dialogue_alone() -> None:
    plain = messages_of(play(["Hi.", DONE], [says("Hello."), BYE]))[0]["content"]
    ruled = messages_of(play([ASK_MOVE, DONE], [says(REFUSALS[0]), BYE], task=FORBIDDEN))[0]["content"]
    assert POLICY in ruled and ruled.startswith(plain) and "Never change" not in plain


def test_the_rule_may_be_quoted() -> None:
    row = play([ASK_MOVE, DONE], [says(f"I can't. Our rule is: {POLICY} I can look things up."), BYE], task=FORBIDDEN)
    assert not list(check_leaks(trajectory(row, FORBIDDEN)))
