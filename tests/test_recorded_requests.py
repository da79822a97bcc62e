"""Requests of a real, small model for given plans, and the calls that it reads out of them again (TC, back-translate).

A failure with `NotInJournal` means that a request is no longer the recorded one; docs/testing.md says how to record
again.
"""

import json
import re
import shutil
from typing import Any

import pytest
from recorded_plans import PLANS
from recording_requests import FACTS, JOURNAL, Errand, count_facts, read_requests_config, rebuild_errands

from schemas.goals import PlannedCall
from turnwright.models.errors import NotInJournal
from turnwright.models.journal import Journal
from turnwright.stateless.acceptance import check_plan
from turnwright.stateless.plans import find_sinks
from turnwright.stateless.request_checks import check_request, is_said, list_required


@pytest.fixture(scope="module")
def errands(tmp_path_factory: pytest.TempPathFactory) -> list[Errand]:
    folder = tmp_path_factory.mktemp("recorded")
    shutil.copytree(JOURNAL, folder / "journal")
    with Journal(folder / "journal") as journal:
        try:
            return rebuild_errands(read_requests_config(), journal, offline=True)
        except NotInJournal as error:
            pytest.fail(f"a request has changed since it was recorded; see docs/testing.md, `make record`: {error}")


@pytest.fixture(scope="module")
def said(errands: list[Errand]) -> list[tuple[Errand, str]]:
    return [(errand, errand.spoken.request) for errand in errands if errand.spoken is not None]


def asked_and_hidden(errand: Errand) -> tuple[list[PlannedCall], list[PlannedCall]]:
    """The calls that a person asks for, and a look-up that is left to the assistant."""
    sinks = {call.id for call in find_sinks(errand.planned)}
    hidden = [call for call in errand.planned[:1] if call.id not in sinks]
    return [call for call in errand.planned if call not in hidden], hidden


def codes(errand: Errand, text: str, *, first: bool = False) -> set[str]:
    asked, hidden = asked_and_hidden(errand)
    now = errand.steps.task.reference_time
    return {problem.code for problem in check_request(text, asked, hidden, errand.steps.tools, first=first, now=now)}


def test_the_given_plans_are_plans() -> None:
    from recorded_plans import read_service

    for service, calls in PLANS:
        tools = {tool.name: tool for tool in read_service(service)}
        assert check_plan(calls, tools, (), most=3) == []


def test_the_figures_are_the_recorded_ones(errands: list[Errand]) -> None:
    facts: dict[str, Any] = json.loads(FACTS.read_text(encoding="utf-8"))
    assert count_facts(errands) == facts


def test_a_small_model_gets_requests_through_to_the_end(said: list[tuple[Errand, str]]) -> None:
    assert len(said) >= 2
    for errand, request in said:
        assert all(is_said(value, request) for _, value in list_required(errand.planned))
        assert not any(name in request for name in errand.steps.tools)


def test_what_is_recovered_says_all_that_was_planned(errands: list[Errand]) -> None:
    for errand in errands:
        if errand.spoken is not None:
            given = [str(value).casefold() for _, value in list_required(errand.spoken.calls)]
            assert all(str(value).casefold() in given for _, value in list_required(errand.planned))


def test_a_request_without_one_of_its_values_is_never_taken_for_the_plan(errands: list[Errand]) -> None:
    damaged = [errand for errand in errands if errand.damaged is not None]
    assert damaged
    for errand in damaged:
        assert errand.damaged is not None
        assert not is_said(errand.lost, errand.damaged)
        assert "missing_literal" in codes(errand, errand.damaged)
        assert errand.recovered is None
        reasons = {each.code for each in errand.steps.account.rejections if each.attempt == 1}
        assert reasons, "no reading of it was rejected"


def test_a_hidden_call_that_is_named_in_a_real_request_is_found(said: list[tuple[Errand, str]]) -> None:
    asks = {
        "search_bookings": "Please search the bookings first.",
        "search_rooms": "Please search the rooms first.",
        "search_parcels": "Please search the parcels first.",
        "quote_shipment": "Please quote the shipment first.",
    }
    tried = 0
    for errand, text in said:
        asked, hidden = asked_and_hidden(errand)
        # Whoever only looks something up may say so of the hidden look-up, too: `find the room`.
        if hidden and errand.steps.tools[asked[-1].tool].effect == "write":
            assert "hidden_named" not in codes(errand, text), text
            assert "hidden_named" in codes(errand, f"{text} {asks[hidden[0].tool]}"), text
            tried += 1
    assert tried


def test_details_before_the_goal_are_found_in_real_requests(said: list[tuple[Errand, str]]) -> None:
    swapped = 0
    for errand, text in said:
        asked, hidden = asked_and_hidden(errand)
        own = [str(value) for _, value in list_required(asked)]
        told = [str(value) for _, value in list_required(hidden) if str(value) not in own]
        if own and told:
            front = f"It is about {', '.join(told)}. "
            rest = re.sub("|".join(map(re.escape, told)), "them", text)
            assert "hidden_first" in codes(errand, front + rest, first=True), text
            swapped += 1
    assert swapped
