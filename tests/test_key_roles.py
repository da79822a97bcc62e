"""What people call a row that a key points at, where its table alone does not say which row it is."""

import pytest

from schemas.databases import Column, Database, ForeignKey, Table
from turnwright.goals.words import name_detail
from turnwright.tools.key_roles import find_key, list_keys, name_field, name_path, name_reference, name_role, name_whole


def column(name: str, references: tuple[str, str] | None = None) -> Column:
    kind = "integer" if references or name == "id" else "string"
    return Column(
        name=name,
        type="",
        json_type=kind,
        nullable=True,
        primary_key=name == "id",
        surrogate=kind == "integer",
        references=references,
    )


def table(name: str, *columns: Column, keys: tuple[ForeignKey, ...] | None = None) -> Table:
    single = tuple(
        ForeignKey(columns=(one.name,), table=one.references[0], referred=(one.references[1],))
        for one in columns
        if one.references
    )
    found = single if keys is None else keys
    return Table(name=name, view=False, columns=columns, primary_key=(), foreign_keys=found, rows=1, sample=())


CITY = table("city", column("id"), column("name"))
CLUB = table("club", column("id"), column("name"), column("club_budget"), column("city_id", ("city", "id")))
TRANSFER = table("transfer", column("id"), column("from_club_id", ("club", "id")), column("to_club_id", ("club", "id")))
PLAYER = table("player", column("id"), column("club_id", ("club", "id")), column("loan_club_id", ("club", "id")))
EMPLOYEES = table(
    "employees", column("id"), column("first_name"), column("manager_id", ("employees", "id")), column("date_of_birth")
)
FOOTBALL = Database(name="football", dialect="sqlite", tables=(CITY, CLUB, TRANSFER, PLAYER, EMPLOYEES))


@pytest.mark.parametrize(
    ("inside", "key", "target", "rivals", "role"),
    [
        ("transfer", "from_club_id", "club", ("from_club_id", "to_club_id"), "from club"),
        ("game", "homeTeamID", "team", ("homeTeamID", "awayTeamID"), "home team"),
        ("game", "HOME_TEAM", "Teams", ("HOME_TEAM", "AWAY"), "home team"),
        ("game", "AWAY", "Teams", ("HOME_TEAM", "AWAY"), "away team"),
        ("game", "team_home", "team", ("team_home", "team_away"), "home team"),
        ("game", "FK1", "club", ("FK1", "FK2"), "club 1"),
        ("game", "FK2", "club", ("FK1", "FK2"), "club 2"),
        ("game", "player1_id", "players", ("player1_id", "player2_id"), "player 1"),
        ("game", "winner_id", "player", ("winner_id", "loser_id"), "winner"),
        ("flight", "SourceAirport", "airports", ("SourceAirport", "DestAirport"), "source airport"),
        ("parcel", "[back order id]", "orders", ("[order id]", "[back order id]"), "back order"),
        ("ticket", "created_by", "users", ("created_by", "approved_by"), "created-by user"),
        ("prereq", "prereq_id", "course", ("course_id", "prereq_id"), "prereq course"),
        ("transfer", "transfer_from", "club", ("transfer_from", "transfer_to"), "from club"),
        ("employees", "manager_id", "employees", ("manager_id",), "manager"),
        ("Employee", "ReportsTo", "Employee", ("ReportsTo",), "reports-to employee"),
        ("category", "parent_id", "category", ("parent_id",), "parent category"),
        ("category", "category_id", "category", ("category_id",), "related category"),
        ("meal", "先", "shop", ("先", "後"), "先 shop"),
        ("meal", "###", "shop", ("###", "$$$"), "shop 1"),
    ],
)
def test_a_key_gives_a_role(inside: str, key: str, target: str, rivals: tuple[str, ...], role: str):
    assert name_role(inside, key, target, rivals) == role


def test_the_only_key_into_a_table_and_the_plain_one_of_two_give_none():
    assert name_role("player", "club_id", "club", ("club_id",)) == ""
    assert name_role("player", "club_id", "club", ("club_id", "loan_club_id")) == ""
    assert name_role("parcel", "[order id]", "orders", ("[order id]", "[back order id]")) == ""
    assert name_role("player", "home_club_id", "club", ("home_club_id",)) == ""


def test_keys_whose_names_say_the_same_are_numbered():
    rivals = ("club", "club_id")
    assert [name_role("game", key, "club", rivals) for key in rivals] == ["club 1", "club 2"]


@pytest.mark.parametrize("hostile", ["", " ", "_", "'; DROP TABLE club; --", "x" * 5000, "\u202e\u0000\ud7ff", "1"])
def test_any_name_of_a_key_gives_some_role(hostile: str):
    assert name_role("game", hostile, "club", (hostile, "to_club_id")).strip()


def test_a_key_declared_twice_is_one_key():
    again = ForeignKey(columns=("Owner_ID",), table="Owners", referred=("id",))
    dogs = table("dogs", column("owner_id", ("owners", "id")), keys=(again, again))
    assert [(key.telling.lower(), key.role) for key in list_keys(dogs)] == [("owner_id", "")]


def test_keys_of_several_columns_are_told_apart_by_what_they_do_not_share():
    keys = tuple(
        ForeignKey(columns=("league", side), table="team", referred=("league", "number"))
        for side in ("home_team", "away_team")
    )
    games = table("game", column("league"), column("home_team"), column("away_team"), keys=keys)
    assert {key.telling: key.role for key in list_keys(games)} == {"home_team": "home team", "away_team": "away team"}
    found = find_key(games, "AWAY_TEAM")
    assert found is not None and found.columns == ("league", "away_team")


def test_a_key_of_several_columns_is_one_key():
    both = ForeignKey(columns=("building", "room"), table="classroom", referred=("building", "number"))
    columns = column("building", ("classroom", "building")), column("room", ("classroom", "number"))
    assert [key.role for key in list_keys(table("section", *columns, keys=(both,)))] == [""]


def test_labels_of_joined_rows_carry_the_role():
    assert name_field(CLUB, CLUB.columns[1], "from club") == "from club name"
    assert name_field(CLUB, CLUB.columns[2], "from club") == "from club budget"
    assert name_field(EMPLOYEES, EMPLOYEES.columns[1], "manager") == "manager's first name"
    assert name_field(EMPLOYEES, EMPLOYEES.columns[3], "manager") == "manager's date of birth"
    named = table("teams", column("id"), column("team"))
    assert name_field(named, named.columns[1], "home team") == "home team"


def test_labels_without_a_role_stay_as_they_are():
    for one in (*CLUB.columns, *EMPLOYEES.columns):
        assert name_field(CLUB, one, "") == name_detail(CLUB, one)


def test_paths_of_several_keys():
    assert name_path((("transfer", "from_club_id"), ("club", "city_id")), FOOTBALL) == "from club city"
    assert name_path((("employees", "manager_id"), ("employees", "manager_id")), FOOTBALL) == "manager's manager"
    assert name_path((("player", "club_id"), ("club", "city_id")), FOOTBALL) == "club city"
    assert name_path((("player", "club_id"),), FOOTBALL) == ""
    assert name_path((("nowhere", "x"),), FOOTBALL) == ""


def test_the_row_that_a_column_points_at():
    assert name_reference(TRANSFER, "to_club_id") == "to club"
    assert name_reference(PLAYER, "club_id") == ""
    assert name_reference(PLAYER, "loan_club_id") == "loan club"
    assert name_reference(EMPLOYEES, "MANAGER_ID") == "manager"
    assert name_reference(CLUB, "name") == ""


def test_a_role_that_is_no_phrase_by_itself_is_said_with_what_has_it():
    assert name_whole("transfer", "from club name") == "transfer from club name"
    assert name_whole("match", "home club name") == "home club name"
