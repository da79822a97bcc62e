"""Plans over tables that are reached by several keys: everything that is said tells which row is meant."""

import re
import sqlite3
from pathlib import Path

from football_world import open_football
from library_world import LibraryWorld

from turnwright.goals.drafts import Draft, DraftObjective
from turnwright.goals.keys import Keys
from turnwright.goals.plans import PlanRejected, draw_plan
from turnwright.goals.proof import prove_plan
from turnwright.goals.slots import Slot

CLUB = r"[A-Z]\w+ Rovers"
PLAYER = r"[A-Z]\w+ [A-Z]\w+"


def draw(world: LibraryWorld, count: int = 12, **changes: object) -> list[Draft]:
    """Proved plans with these tools; not each seed gives one."""
    drafts: list[Draft] = []
    for number in range(count):
        plain = {"number": number, "toolset_id": "t", "domain": "football", "paradigm": "user_oriented_executed"}
        fields = {**plain, "difficulty": "easy", "task_count": 1, "behaviour": "none", "seed": f"{number}", **changes}
        slot = Slot(**fields)  # type: ignore[arg-type]
        try:
            draft = draw_plan(slot, world.tools, world.database, world.base, 0)
            prove_plan(draft, world.tools, Keys(world.database), world.base, seed=slot.seed)
        except PlanRejected:
            continue
        drafts.append(draft)
    world.base.close()
    assert len(drafts) >= count // 3
    return drafts


def objectives(drafts: list[Draft]) -> list[DraftObjective]:
    return [objective for draft in drafts for objective in draft.objectives]


def truth(folder: Path, sql: str, *values: object) -> object:
    connection = sqlite3.connect(folder / "football.sqlite")
    try:
        return connection.execute(sql, values).fetchone()[0]
    finally:
        connection.close()


def test_facts_and_purposes_say_which_club_and_which_city(tmp_path: Path) -> None:
    found = objectives(draw(open_football(tmp_path, "get_transfer")))
    labels = {fact.label.rpartition(" of ")[0] or fact.label for one in found for fact in one.facts}
    assert labels == {
        "transfer from club name",
        "transfer to club name",
        "transfer from club city name",
        "transfer to club city name",
    }
    for one in found:
        said = re.fullmatch(r"find out the (.+) of the transfer whose code is (T\d+)", one.purpose)
        assert said is not None, one.purpose
        asked = re.split(r", the | and the ", said.group(1))
        assert [f"transfer {label}" for label in asked] == [fact.label for fact in one.facts]
        for label, fact in zip(asked, one.facts, strict=True):
            side, column = ("from" if label.startswith("from") else "to"), "city.name" if "city" in label else "k.name"
            sql = (
                f"SELECT {column} FROM transfer t JOIN club k ON k.club_id = t.{side}_club_id "
                "JOIN city ON city.city_id = k.city_id WHERE t.code = ?"
            )
            assert truth(tmp_path, sql, said.group(2)) == fact.value


def test_two_parameters_of_one_table_get_two_rows(tmp_path: Path) -> None:
    found = objectives(draw(open_football(tmp_path, "list_transfers_by_clubs")))
    for one in found:
        assert [known.label for known in one.known] == ["from club name", "to club name"]
        seller, buyer = (known.value for known in one.known)
        assert seller != buyer
        assert f"the from club whose name is {seller}" in one.purpose
        assert f"the to club whose name is {buyer}" in one.purpose


def test_what_is_found_first_keeps_its_role(tmp_path: Path) -> None:
    found = objectives(draw(open_football(tmp_path, "find_clubs", "list_transfers_of_seller"), difficulty="medium"))
    asked = [one for one in found if one.goals[-1].tool.name == "list_transfers_of_seller"]
    assert asked
    assert all(re.search(rf"of the from club whose name is {CLUB}", one.purpose) for one in asked)


def test_a_row_found_in_one_role_and_used_in_another_is_said_in_both(tmp_path: Path) -> None:
    found = objectives(draw(open_football(tmp_path, "find_transfer", "list_transfers_of_seller"), difficulty="medium"))
    asked = [one for one in found if one.goals[-1].tool.name == "list_transfers_of_seller"]
    wanted = r"see the transfers of the from club that is the to club of the transfer whose code is (T\d+)"
    assert asked
    for one in asked:
        said = re.fullmatch(wanted, one.purpose)
        assert said is not None, one.purpose
        club = truth(tmp_path, "SELECT to_club_id FROM transfer WHERE code = ?", said.group(1))
        assert one.goals[-1].arguments == {"club_id": club}


def test_a_row_of_the_same_table_is_not_taken_for_its_own(tmp_path: Path) -> None:
    found = objectives(draw(open_football(tmp_path, "find_players", "get_player"), difficulty="medium"))
    facts = {
        (fact.label.rpartition(" of ")[0], one.known[0].value): fact.value
        for one in found
        if one.goals[-1].tool.name == "get_player"
        for fact in one.facts
    }
    assert {label for label, _ in facts} >= {"captain's name", "captain's goals"}
    for (label, name), value in facts.items():
        if label.startswith("captain"):
            column = "goals" if "goals" in label else "name"
            sql = f"SELECT c.{column} FROM player p JOIN player c ON c.player_id = p.captain_id WHERE p.name = ?"
            assert truth(tmp_path, sql, name) == value


def test_the_one_club_of_a_player_is_just_the_club(tmp_path: Path) -> None:
    found = objectives(draw(open_football(tmp_path, "find_players", "get_player"), difficulty="medium"))
    labels = {fact.label.rpartition(" of ")[0] for one in found for fact in one.facts}
    assert "club name" in labels and not any("player club" in label for label in labels)


def test_players_of_a_captain(tmp_path: Path) -> None:
    found = objectives(draw(open_football(tmp_path, "list_players_by_captain")))
    for one in found:
        assert re.search(rf"\bof the captain whose name is {PLAYER}", one.purpose), one.purpose
        captain = one.known[0].value
        sql = "SELECT COUNT(*) FROM player p JOIN player c ON c.player_id = p.captain_id WHERE c.name = ?"
        assert truth(tmp_path, sql, captain)


def test_a_change_of_a_key_says_which(tmp_path: Path) -> None:
    found = objectives(draw(open_football(tmp_path, "find_clubs", "move_transfer"), difficulty="medium"))
    moved = [one for one in found if one.goals[-1].tool.name == "move_transfer"]
    assert moved
    for one in moved:
        wanted = rf"change the to club of the transfer whose code is T\d+ to the club whose name is {CLUB}"
        assert re.fullmatch(wanted, one.purpose), one.purpose
