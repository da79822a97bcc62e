"""prefect.yaml: the pipeline and each stage flow, by entrypoints that are there."""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.failures import StageFailed
from flows.publish_dataset import publish_dataset
from schemas.vocabulary import STAGES
from tasks.run_context import RunContext
from tests.test_cache_keys import config

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def deployments() -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    found = {one["name"]: one for one in content["deployments"]}
    assert len(found) == len(content["deployments"])
    return found


def test_every_flow_is_a_deployment_and_every_deployment_a_flow(deployments: dict[str, dict[str, Any]]) -> None:
    flows: dict[str, str] = {}
    for name, one in deployments.items():
        module, _, function = one["entrypoint"].rpartition(".")
        flows[name] = getattr(import_module(module), function).name
    runs = {name: flow for name, flow in flows.items() if flow == "turnwright"}
    assert set(runs) == {"pipeline", "nightly", "weekly"}
    others = flows.keys() - runs.keys()
    assert others == {*STAGES, "publish-dataset", "work-shard"}
    assert all(flows[name] == name for name in others)
    # A file of flows/ that has a flow, and no other.
    files = {file.stem for file in (ROOT / "flows").glob("*.py") if "\n@flow(" in file.read_text(encoding="utf-8")}
    assert files == {one["entrypoint"].split(".")[1] for one in deployments.values()}


def test_every_deployment_says_what_it_is_and_schedules_are_off(deployments: dict[str, dict[str, Any]]) -> None:
    for name, one in deployments.items():
        assert one["description"].strip(), name
        assert "turnwright" in one["tags"], name
        assert not [schedule for schedule in one["schedules"] if schedule["active"]], name


async def publish(run: RunContext) -> None:
    await publish_dataset.fn(run)


def test_a_run_that_belongs_to_no_dataset_is_not_published(tmp_path: Path) -> None:
    run = RunContext(config=config(), run_id="club-1", runs=str(tmp_path))
    with pytest.raises(StageFailed, match=r"club-1 adds to no dataset[\s\S]*incremental\.dataset"):
        asyncio.run(publish(run))
