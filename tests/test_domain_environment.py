"""Domains as environments: isolation, replay, digests, and what happens when a domain or its files are faulty."""

import sys
import textwrap
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.seeds import DomainSeed
from schemas.sources import DomainSource
from tests.domain_world import HOME, NOW, RETAIL, RETAIL_DATABASE, DomainWorld, open_world
from turnwright.environments.base import Fault, open_base
from turnwright.environments.domain_state import DomainState, freeze
from turnwright.sources.domain import collect_domain_seed, load_domain
from turnwright.sources.errors import SourceError
from turnwright.storage.store import Store

CANCEL = {"order_id": "#W1", "reason": "no longer needed"}

COUNTER = """
    from collections.abc import Mapping
    from turnwright.domains.tool_specs import describe_tool, record, text, whole
    from turnwright.environments.domain import DomainContent, Refusal

    DONE = record("Done.", {"value": whole("Value.")})
    NAME = {"name": text("Name of the counter.")}


    class Counters:
        name = "counters"
        unordered = {"counters": frozenset({"tags"})}
        tools = (
            describe_tool("read_counter", "read", "Read a counter.", NAME, DONE),
            describe_tool("add_one", "write", "Add one to a counter.", NAME, DONE),
            describe_tool("turn_tags", "write", "Turn the tags of a counter round.", NAME, DONE),
            describe_tool("drop_counter", "write", "Remove a counter.", NAME, DONE),
            describe_tool("careless", "write", "Write without asking for a copy.", NAME, DONE),
            describe_tool("dishonest", "read", "Write although only a read was declared.", NAME, DONE),
            describe_tool("half_way", "write", "Write, then refuse.", NAME, DONE),
            describe_tool("broken", "write", "Write, then fail.", NAME, DONE),
            describe_tool("odd_value", "write", "Write what is no JSON.", NAME, DONE),
            describe_tool("chatty", "read", "Say a lot.", NAME, text("A lot.")),
        )

        def load(self, files):
            return DomainContent(files.database or {"counters": {"a": {"value": 1, "tags": ["x", "y"]}}}, "Count.")

        def call(self, tool, arguments, state, now):
            name = arguments["name"]
            if state.find("counters", name) is None:
                raise Refusal("not_found", f"There is no counter {name}.")
            if tool == "careless":
                state.find("counters", name)["value"] = 99
            if tool == "read_counter":
                return {"value": state.find("counters", name)["value"]}
            if tool == "chatty":
                return "x" * 100_000
            if tool == "drop_counter":
                state.remove("counters", name)
                return {"value": 0}
            counter = state.edit("counters", name)
            if tool == "turn_tags":
                counter["tags"].reverse()
                return {"value": counter["value"]}
            counter["value"] += 1
            if tool == "half_way":
                raise Refusal("refused", "Changed my mind.")
            if tool == "broken":
                return {}["value"]
            if tool == "odd_value":
                counter["value"] = {1, 2}
            return {"value": counter["value"]}
"""


@pytest.fixture
def counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DomainWorld:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "counter_domain.py").write_text(textwrap.dedent(COUNTER))
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    load_domain.cache_clear()
    sys.modules.pop("counter_domain", None)
    return open_world(tmp_path, "counter_domain:Counters")


def test_dialogues_do_not_see_each_other(counters: DomainWorld):
    one, other = counters.environment(), counters.environment()
    assert one.call("add_one", {"name": "a"}).value == {"value": 2}
    assert one.call("read_counter", {"name": "a"}).value == {"value": 2}
    assert other.call("read_counter", {"name": "a"}).value == {"value": 1}
    assert one.state_digest() != other.state_digest() == counters.base.digest
    assert [(change.table, change.before, change.after) for change in one.changes()] == [
        ("counters", {"value": 1, "tags": ["x", "y"]}, {"value": 2, "tags": ["x", "y"]})
    ]


def test_a_closed_environment_is_replayed_from_its_log(counters: DomainWorld):
    environment = counters.environment()
    for _ in range(3):
        environment.call("add_one", {"name": "a"})
    digest, changes = environment.state_digest(), environment.changes()
    environment.close()
    assert environment.call("read_counter", {"name": "a"}).value == {"value": 4}
    assert (environment.state_digest(), environment.changes()) == (digest, changes)
    assert [call.tool for call in environment.log] == ["add_one"] * 3


def test_the_order_of_a_list_counts_only_where_it_means_something(counters: DomainWorld):
    environment = counters.environment()
    environment.call("turn_tags", {"name": "a"})
    assert environment.state_digest() == counters.base.digest and environment.changes() == []


def test_a_removed_record_is_a_change(counters: DomainWorld):
    environment = counters.environment()
    environment.call("drop_counter", {"name": "a"})
    assert environment.changes()[0].after is None
    assert environment.call("read_counter", {"name": "a"}).error is not None


@pytest.mark.parametrize(
    ("tool", "kind"),
    [
        ("careless", "database"),
        ("dishonest", "database"),
        ("half_way", "refused"),
        ("broken", "database"),
        ("odd_value", "database"),
        ("chatty", "too_large"),
        ("no_such_tool", "unknown_tool"),
    ],
)
def test_a_call_that_goes_wrong_is_an_error_and_changes_nothing(counters: DomainWorld, tool: str, kind: str):
    environment = counters.environment()
    result = environment.call(tool, {"name": "a"})
    assert result.error is not None and result.error.kind == kind
    assert orjson.loads(result.text) == result.value == {"error": kind, "message": result.error.message}
    assert environment.state_digest() == counters.base.digest
    assert environment.call("read_counter", {"name": "a"}).value == {"value": 1}
    assert counters.environment().call("read_counter", {"name": "a"}).value == {"value": 1}


@pytest.mark.parametrize("arguments", [{}, {"name": 3}, {"name": "a", "more": 1}, {"name": None}, {"name": ["a"]}])
def test_arguments_that_do_not_fit_never_reach_the_domain(counters: DomainWorld, arguments: dict[str, Any]):
    result = counters.environment().call("add_one", arguments)
    assert result.error is not None and result.error.kind == "invalid_arguments"


def test_a_fault_happens_once_and_leaves_the_state(counters: DomainWorld):
    fault = Fault("add_one", "unavailable")
    environment = counters.base.open(counters.tools, seed="", reference_time=NOW, fault=fault)
    first = environment.call("add_one", {"name": "a"})
    assert first.error is not None and first.error.kind == "unavailable"
    assert environment.state_digest() == counters.base.digest
    assert environment.call("add_one", {"name": "a"}).value == {"value": 2}


def test_frozen_records_cannot_be_changed():
    state = DomainState(freeze({"t": {"k": {"list": [{"deep": 1}]}}}))
    found = state.find("t", "k")
    assert found is not None
    for change in (
        lambda: found.__setitem__("list", 1),  # pyright: ignore
        lambda: found.update(list=1),  # pyright: ignore
        lambda: found["list"][0].pop("deep"),
        lambda: found["list"].append(1),
    ):
        with pytest.raises((TypeError, AttributeError)):
            change()
    with pytest.raises(KeyError):
        state.edit("t", "nothing")
    with pytest.raises(KeyError):
        state.add("t", "k", {})


def test_records_come_in_one_order_whatever_was_added(counters: DomainWorld):
    state = counters.base.start()
    for key in ("z", "b"):
        state.add("counters", key, {"value": 0})
    assert [key for key, _ in state.records("counters")] == ["a", "b", "z"]
    assert state.commit() == 2
    state.remove("counters", "a")
    state.commit()
    assert [key for key, _ in state.records("counters")] == ["b", "z"]


def test_seeds_are_the_same_for_the_same_content_and_new_for_new_code(counters: DomainWorld, tmp_path: Path):
    again = collect_domain_seed(DomainSource(kind="domain", module="counter_domain:Counters"), 3, 9, Store(tmp_path))
    assert (again.id, again.base_digest) == (counters.seed_row.id, counters.seed_row.base_digest)
    code = tmp_path / "code" / "counter_domain.py"
    code.write_text(code.read_text() + "\n# changed\n")
    other = collect_domain_seed(DomainSource(kind="domain", module="counter_domain:Counters"), 0, 9, Store(tmp_path))
    assert other.base_digest == again.base_digest and other.id != again.id


def test_a_base_opens_from_the_seed_and_the_store_alone(counters: DomainWorld, tmp_path: Path):
    source = counters.config.sources[0]
    base = open_base(counters.seed_row, source, Store(tmp_path / "store"), counters.config)
    assert base.digest == counters.base.digest
    with pytest.raises(SourceError, match="stored state"):
        open_base(counters.seed_row, source, Store(tmp_path / "elsewhere"), counters.config)
    seed = DomainSeed.model_validate_json(counters.seed_row.content)
    fewer = seed.model_copy(update={"tools": seed.tools[:-1]})
    row = counters.seed_row.model_copy(update={"content": fewer.model_dump_json()})
    with pytest.raises(SourceError, match="other tools"):
        open_base(row, source, Store(tmp_path / "store"), counters.config)


def test_databases_are_read_from_json_and_from_toml(tmp_path: Path):
    (tmp_path / "homes.toml").write_text(
        """
        [areas.Hill]
        name = "Hill"
        [customers.C-1]
        customer_number = "C-1"
        name = "Ann Lee"
        phone = "555-1"
        area = "Hill"
        booked_speed = 50
        router_serial = "R1"
        [routers.R1]
        serial = "R1"
        customer_number = "C-1"
        area = "Hill"
        booked_speed = 50
        cable_in = true
        hung = false
        wifi_on = true
        profile = "fresh"
        firmware = "2.1"
        """
    )
    world = open_world(tmp_path, HOME, path=str(tmp_path / "homes.toml"))
    assert world.environment().call("run_speed_test", {"serial": "R1"}).value == {"download_speed": 50}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("db.json", b"{", "not valid JSON"),
        ("db.json", b"\xff\xfe\x00", "not UTF-8"),
        ("db.json", b"[1]", "must hold an object"),
        ("db.json", b'{"orders": {}}', "products"),
        ("db.json", b'{"products": {"p": 1}}', "products.p must be an object"),
        ("db.json", b'{"products": {"p": {"name": "x"}}}', "products.p has no product_id"),
        ("db.json", b"[" * 100_000, "not valid JSON"),
        ("db.toml", b"a = ", "not valid TOML"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes, said: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        open_world(tmp_path, RETAIL, path=str(tmp_path))
    assert "source 0" in str(caught.value)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (7, "task 0 is no object"),
        ({"id": "x"}, "task 0 cannot be read"),
        (
            {
                "id": "x",
                "instructions": "",
                "known_details": {},
                "actions": [{"name": "fly", "arguments": {}}],
                "facts": [],
            },
            "fly",
        ),
        ({"id": "x", "user_scenario": {}}, "task 0 cannot be read"),
    ],
)
def test_damaged_tasks_are_named(tmp_path: Path, task: Any, said: str):
    (tmp_path / "tasks.json").write_bytes(orjson.dumps([task]))
    with pytest.raises(SourceError, match=said):
        open_world(tmp_path, RETAIL, RETAIL_DATABASE)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("no.such.module:Thing", "cannot be imported"),
        ("turnwright.domains.retail:Wholesale", "has no Wholesale"),
        ("schemas.sources:SqlSource", "cannot be made"),
        ("pathlib:Path", "is no domain"),
    ],
)
def test_modules_that_are_no_domain_are_named(tmp_path: Path, module: str, said: str):
    with pytest.raises(SourceError, match=said):
        open_world(tmp_path, module)


def test_a_missing_path_is_named(tmp_path: Path):
    with pytest.raises(SourceError, match="no file"):
        open_world(tmp_path, RETAIL, path=str(tmp_path / "nowhere.json"))
    with pytest.raises(SourceError, match=r"no db\.json"):
        open_world(tmp_path, RETAIL, path=str(tmp_path))
    with pytest.raises(SourceError, match="needs a database"):
        open_world(tmp_path, RETAIL)
