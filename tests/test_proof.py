from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from library_world import LibraryWorld, open_library

from schemas.goals import ArgumentSource, Fact, KnownDetail
from turnwright.goals.drafts import Detail, Draft, DraftCall, DraftObjective
from turnwright.goals.keys import Keys
from turnwright.goals.plans import PlanRejected
from turnwright.goals.proof import Proof, prove_plan

USER = ArgumentSource(kind="user")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibraryWorld]:
    opened = open_library(tmp_path_factory.mktemp("library"))
    yield opened
    opened.base.close()


def person(name: str = "Nina Petrov", parameter: str | None = "name") -> Detail:
    return Detail("member name", "name", name, parameter, "member", "name", "like")


def find(world: LibraryWorld, name: str = "Nina Petrov", number: int = 1, lookup: bool = True) -> DraftCall:
    tool, details = world.tool("find_members"), (person(name),)
    return DraftCall(f"c{number}", tool, {"name": name}, {"name": USER}, details, None, lookup, "member")


def from_call(number: int, field: str) -> ArgumentSource:
    return ArgumentSource(kind="result", call=f"c{number}", field=field)


def write(
    world: LibraryWorld,
    email: str,
    *,
    key: int = 101,
    number: int = 2,
    tool: str = "update_member_email",
    source: int = 1,
) -> DraftCall:
    name = tool.removeprefix("update_member_")
    details = (Detail(f"new {name}", name, email, name, "member", name, "set"),)
    sources = {"member_id": from_call(source, "member_id"), name: USER}
    return DraftCall(f"c{number}", world.tool(tool), {"member_id": key, name: email}, sources, details, None, False)


def read(world: LibraryWorld, *, key: Any = 101, field: str = "member_id") -> DraftCall:
    tool = world.tool("get_member")
    return DraftCall("c2", tool, {"member_id": key}, {"member_id": from_call(1, field)}, (), None, False)


def objective(*calls: DraftCall, facts: tuple[Fact, ...] = ()) -> DraftObjective:
    known = tuple(KnownDetail(label=detail.label, value=detail.value) for call in calls for detail in call.details)
    return DraftObjective("first", calls, facts, "do something", known)


def prove(world: LibraryWorld, *objectives: DraftObjective) -> Proof:
    draft = Draft(objectives, None, "easy", "2024-01-05T10:00:00")
    return prove_plan(draft, world.tools, Keys(world.database), world.base, seed="1")


def home_town(world: LibraryWorld) -> Any:
    return world.base.run("SELECT home_town FROM member WHERE member_id = 101", {}).rows[0]["home_town"]


def test_a_good_plan_is_proved_with_results_and_changes(world: LibraryWorld):
    fact = Fact(label="home town", value=home_town(world))
    new = write(world, "nina@new.example", number=3)
    proof = prove(world, objective(find(world), read(world), facts=(fact,)), objective(new))
    assert proof.results["c1"][0]["member_id"] == 101
    assert proof.results["c3"] == {"rows_changed": 1}
    assert proof.start_digest == world.base.digest != proof.goal_digest
    (change,) = proof.goal_changes
    assert change.after and change.after["email"] == "nina@new.example"


def test_a_plan_that_only_reads_ends_where_it_starts(world: LibraryWorld):
    fact = Fact(label="home town", value=home_town(world))
    proof = prove(world, objective(find(world), read(world), facts=(fact,)))
    assert proof.goal_digest == proof.start_digest
    assert proof.goal_changes == ()


def refuse(code: str, world: LibraryWorld, *objectives: DraftObjective) -> None:
    with pytest.raises(PlanRejected, match=f"^{code}: "):
        prove(world, *objectives)


def test_a_call_that_fails_is_refused(world: LibraryWorld):
    bad = replace(find(world, lookup=False), arguments={"nome": "x"}, sources={"nome": USER})
    bad = replace(bad, details=(person(parameter="nome"),))
    refuse("call_failed", world, objective(bad, facts=(Fact(label="x", value=1),)))


def test_a_value_that_the_result_does_not_have_is_refused(world: LibraryWorld):
    refuse("reference", world, objective(find(world), read(world, key=102)))
    refuse("reference", world, objective(find(world), read(world, field="branch")))


def test_a_reference_that_could_mean_several_rows_is_refused(world: LibraryWorld):
    vague = replace(find(world, name="a"), arguments={"name": "a"})
    refuse("ambiguous", world, objective(vague, read(world, key=101)))


def test_a_reference_to_a_later_call_is_refused(world: LibraryWorld):
    refuse("forward_reference", world, objective(read(world), find(world)))


def test_a_lookup_that_nobody_uses_is_refused(world: LibraryWorld):
    idle = find(world, "Omar Haddad", 9)
    refuse("idle_lookup", world, objective(find(world), idle, write(world, "a@b.example")))


def test_a_key_from_the_person_is_refused(world: LibraryWorld):
    key = Detail("member ID", "ID", 101, "member_id", "member", "member_id", "=")
    call = DraftCall("c1", world.tool("get_member"), {"member_id": 101}, {"member_id": USER}, (key,), None, False)
    refuse("surrogate_key", world, objective(call, facts=(Fact(label="x", value="y"),)))


def test_a_value_that_the_person_was_not_told_is_refused(world: LibraryWorld):
    refuse("unsaid", world, objective(replace(find(world, lookup=False), details=())))


def test_a_lookup_of_what_the_person_knows_is_refused(world: LibraryWorld):
    knows = replace(find(world), details=(person(), Detail("member ID", "ID", 101, None, "member", "member_id", "=")))
    refuse("known_key", world, objective(knows, write(world, "a@b.example")))


def test_facts_that_are_known_missing_or_empty_are_refused(world: LibraryWorld):
    def told(value: Any) -> DraftObjective:
        return objective(find(world), read(world), facts=(Fact(label="it", value=value),))

    refuse("met_at_start", world, told("Nina Petrov"))
    refuse("fact_missing", world, told("Atlantis"))
    refuse("empty_fact", world, told(None))
    refuse("empty_fact", world, told(""))
    refuse("nothing_to_reach", world, objective(find(world), read(world)))


def test_a_write_that_changes_nothing_is_refused(world: LibraryWorld):
    refuse("no_effect", world, objective(find(world), write(world, "nina.petrov@mail.example")))


def test_a_write_that_undoes_another_is_refused(world: LibraryWorld):
    back = write(world, "nina.petrov@mail.example", number=3)
    refuse("undone", world, objective(find(world), write(world, "a@b.example")), objective(back))


def test_a_write_that_another_makes_needless_is_refused(world: LibraryWorld):
    again = write(world, "c@d.example", number=3)
    refuse("needless_write", world, objective(find(world), write(world, "a@b.example")), objective(again))


def test_arguments_without_a_source_are_refused(world: LibraryWorld):
    refuse("sources", world, objective(replace(find(world, lookup=False), sources={})))


def test_an_objective_without_a_goal_is_refused(world: LibraryWorld):
    refuse("no_goal", world, objective(find(world)))
