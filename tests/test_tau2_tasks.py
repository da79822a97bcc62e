"""The gold actions of tau2's tasks on the real databases: they run, change what they should, and replay."""

import os
from pathlib import Path

import jsonschema_rs
import pytest

from schemas.seeds import DomainTask
from tests.domain_world import AIRLINE, NOW, RETAIL, DomainWorld, open_world

DATA = Path(os.environ.get("TURNWRIGHT_TEST_DATA", "")) / "tau2"
pytestmark = pytest.mark.skipif(
    "TURNWRIGHT_TEST_DATA" not in os.environ or not DATA.is_dir(), reason="needs TURNWRIGHT_TEST_DATA with tau2"
)

MEANT_TO_FAIL = {
    "37": ["find_user_id_by_email"],
    "39": ["find_user_id_by_name_zip"],
    "47": ["get_order_details", "get_order_details"],
    "54": ["find_user_id_by_email"],
    "55": ["find_user_id_by_email"],
    "68": ["find_user_id_by_name_zip"],
}
"""Retail tasks in which the user gives a wrong email, zip code or order number first; each tells so."""
CHANGES_NOTHING = {("110", "modify_user_address")}
"""The user asks for the address that the profile has already."""


@pytest.fixture(scope="module", params=["airline", "retail"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DomainWorld:
    name = str(request.param)
    folder = tmp_path_factory.mktemp(name)
    return open_world(folder, {"airline": AIRLINE, "retail": RETAIL}[name], path=str(DATA / name))


def play(world: DomainWorld, task: DomainTask) -> tuple[list[str], list[str], list[str], str]:
    """Names of failed calls, of writes, of writes that changed nothing, and the final digest."""
    environment = world.environment()
    effects = {tool.name: tool.effect for tool in world.tools}
    failed: list[str] = []
    writes: list[str] = []
    idle: list[str] = []
    for action in task.actions:
        before = environment.state_digest()
        result = environment.call(action["name"], action["arguments"])
        same = environment.state_digest() == before
        if result.error is not None:
            assert same
            failed.append(action["name"])
        elif effects[action["name"]] == "write":
            writes.append(action["name"])
            idle += [action["name"]] if same else []
        else:
            assert same, f"{action['name']} only reads"
    digest = environment.state_digest()
    environment.close()
    assert environment.state_digest() == digest
    return failed, writes, idle, digest


def test_all_gold_actions_run_and_writes_change_the_state(world: DomainWorld):
    tasks = world.base.seed.tasks
    assert len(tasks) == 50
    count = 0
    for task in tasks:
        failed, writes, idle, digest = play(world, task)
        retail = world.toolset.domain == "retail"
        assert failed == (MEANT_TO_FAIL.get(task.id, []) if retail else []), task.id
        assert [name for name in idle if (task.id, name) not in CHANGES_NOTHING] == [], task.id
        assert (digest != world.base.digest) == bool(len(writes) - len(idle)), task.id
        assert play(world, task) == (failed, writes, idle, digest), task.id
        count += len(writes)
    assert count == {"airline": 49, "retail": 74}[world.toolset.domain]


def test_the_base_is_as_it_was_after_all_tasks(world: DomainWorld):
    for task in world.base.seed.tasks:
        play(world, task)
    assert world.base.start().changes({}) == []
    assert world.environment().state_digest() == world.base.digest


def test_results_fit_their_declared_schemas(world: DomainWorld):
    validators = {tool.name: jsonschema_rs.validator_for(tool.output_schema) for tool in world.tools}
    for task in world.base.seed.tasks:
        environment = world.environment()
        for action in task.actions:
            result = environment.call(action["name"], action["arguments"])
            if result.error is None:
                problems = [error.message for error in validators[action["name"]].iter_errors(result.value)]
                assert problems == [], (action["name"], problems)


def test_policy_clock_and_tasks_are_read(world: DomainWorld):
    seed = world.base.seed
    assert seed.policy == (DATA / seed.name / "policy.md").read_text(encoding="utf-8").strip()
    assert seed.reference_time == (NOW if seed.name == "airline" else None)
    assert all(task.instructions for task in seed.tasks)
    assert any(task.facts for task in seed.tasks)
