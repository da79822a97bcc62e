"""Cache keys: everything that changes a stage's rows is in its key, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.config import RunConfig
from schemas.rows import SeedRow
from schemas.vocabulary import STAGES, Role, Stage
from tasks import cache_keys
from tasks.cache_keys import (
    EXCUSED_FIELDS,
    STAGE_FIELDS,
    STAGE_ROLES,
    compute_shard_key,
    compute_stage_key,
    hash_row,
    identify_model,
    list_config_fields,
    list_modules,
    narrow_config,
    read_field,
)

ENDPOINT = {"base_url": "http://127.0.0.1:8000/v1", "name": "small"}


def config(**changes: Any) -> RunConfig:
    content: dict[str, Any] = {"name": "club", "sources": [{"kind": "sql", "url": "sqlite:///club.sqlite"}]}
    return RunConfig.model_validate(content | changes)


def keys(**changes: Any) -> dict[Stage, str]:
    return {stage: compute_stage_key(stage, config(**changes)) for stage in STAGES}


def changed(**changes: Any) -> set[Stage]:
    before, after = keys(), keys(**changes)
    return {stage for stage in STAGES if before[stage] != after[stage]}


def covers(path: str, field: str) -> bool:
    return field == path or field.startswith(f"{path}.")


@pytest.mark.parametrize("field", list_config_fields())
def test_every_config_field_is_in_a_key_or_excused_with_a_reason(field: str) -> None:
    in_keys = [stage for stage, paths in STAGE_FIELDS.items() if any(covers(path, field) for path in paths)]
    excuses = [reason for path, reason in EXCUSED_FIELDS.items() if covers(path, field)]
    assert bool(in_keys) != bool(excuses), f"{field}: in the keys of {in_keys}, excused by {excuses}"
    assert all(len(reason) > 20 for reason in excuses)


def test_no_key_names_a_field_that_is_not_there() -> None:
    for paths in [*STAGE_FIELDS.values(), tuple(EXCUSED_FIELDS)]:
        for path in paths:
            assert any(covers(path, field) for field in list_config_fields()), path
            read_field(config(), path)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "zoo"},
        {"concurrency": 3},
        {"shard_size": 7},
        {"retry_seconds": 1.0},
        {"budget": {"tokens": 5, "minutes": 1.0}},
    ],
)
def test_what_changes_no_row_changes_no_key(changes: dict[str, Any]) -> None:
    assert changed(**changes) == set()


def test_a_field_changes_the_keys_of_the_stages_that_read_it() -> None:
    assert changed(judging={"votes": 3}) == {"validate-dialogues", "repair-dialogues"}
    assert changed(repair={"tries": 2}) == {"repair-dialogues"}
    assert changed(export={"validation_share": 0.5}) == {"build-dataset"}
    assert changed(limits={"turns": 10}) == {"simulate-dialogues", "validate-dialogues", "repair-dialogues"}
    assert changed(checks={"min_valid_rate": 0.9}) == {"report"}
    assert "prepare-tools" in changed(seed=1)


def test_a_model_changes_the_keys_of_the_stages_whose_roles_it_plays() -> None:
    assert changed(roles={"judge": ENDPOINT}) == {"validate-dialogues", "repair-dialogues"}
    assert changed(roles={"assistant": ENDPOINT}) == {"simulate-dialogues", "repair-dialogues"}


def test_a_model_is_identified_by_what_decides_its_replies_alone() -> None:
    plain = identify_model("judge", config(model=ENDPOINT))
    same = {"timeout_seconds": 3.0, "api_key_env": "KEY", "price": {"prompt": 1, "completion": 2}}
    assert identify_model("judge", config(model=ENDPOINT | same | {"requests_per_minute": 5})) == plain
    for change in ({"temperature": 0.1}, {"name": "big"}, {"max_tokens": 99}, {"extra_body": {"top_k": 1}}):
        assert identify_model("judge", config(model=ENDPOINT | change)) != plain
    assert "KEY" not in str(identify_model("judge", config(model=ENDPOINT | same)))


def test_a_prompt_changes_the_keys_of_its_role_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys()
    digest = cache_keys.prompt_digest

    def edited(role: Role) -> str:
        return "edited" if role == "user_simulator" else digest(role)

    monkeypatch.setattr(cache_keys, "prompt_digest", edited)
    assert {stage for stage in STAGES if keys()[stage] != before[stage]} == {"simulate-dialogues", "repair-dialogues"}


def test_the_roles_of_a_stage_are_those_that_its_code_reaches() -> None:
    for stage in STAGES:
        modules = list_modules(f"tasks.{cache_keys.stage_module(stage)}")
        reached = {name.rpartition(".")[2] for name in modules if name.startswith("turnwright.roles.")}
        assert set(STAGE_ROLES[stage]) <= reached
        if not STAGE_ROLES[stage]:
            assert not reached, stage


def test_what_a_folder_reaches_is_more_than_what_lies_in_it() -> None:
    assert "turnwright.statistics.table1" in list_modules("turnwright.statistics.statistics")
    assert cache_keys.digest_reached("data_checks") != cache_keys.digest_folder("data_checks")
    assert cache_keys.digest_reached("data_checks") != cache_keys.digest_reached("schemas")


def test_a_stage_sees_only_the_fields_of_its_key() -> None:
    seen = narrow_config(config(dialogues=7, judging={"votes": 3}, limits={"turns": 9}, seed=4), "simulate-dialogues")
    assert (seen.seed, seen.limits.turns) == (4, 9)
    assert (seen.dialogues, seen.judging.votes) == (config().dialogues, 1)
    assert seen.sources == config().sources


def test_a_changed_row_changes_the_shard_and_only_that() -> None:
    row = SeedRow(
        id="seed_1",
        kind="sql",
        domain="club",
        source=0,
        locator="club.sqlite",
        base_digest="b",
        dialect="sqlite",
        content="{}",
    )
    other = row.model_copy(update={"locator": "zoo.sqlite"})
    assert hash_row(row) == hash_row(row.model_copy()) != hash_row(other)
    first = compute_shard_key("stage", {"seeds": [hash_row(row)]})
    assert compute_shard_key("stage", {"seeds": [hash_row(row)]}) == first
    assert compute_shard_key("stage", {"seeds": [hash_row(other)]}) != first
    assert compute_shard_key("other", {"seeds": [hash_row(row)]}) != first


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small project in place of this one."""
    files = {
        "tasks/__init__.py": "",
        "tasks/stage.py": "from turnwright.room.work import run\nimport json\n",
        "turnwright/__init__.py": "",
        "turnwright/room/__init__.py": "",
        "turnwright/room/work.py": "def run():\n    from turnwright.room import lazy\n    return lazy.x\n",
        "turnwright/room/lazy.py": "from schemas.rows import Row\nx = 1\n",
        "turnwright/room/unused.py": "y = 1\n",
        "schemas/__init__.py": "",
        "schemas/rows.py": "class Row: ...\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(cache_keys, "_ROOT", tmp_path)
    forget_sources()
    yield tmp_path
    forget_sources()


def forget_sources() -> None:
    for cached in (
        cache_keys.digest_code,
        cache_keys.list_modules,
        cache_keys.digest_folder,
        cache_keys._list_imports,
        cache_keys._source_digest,
    ):
        cached.cache_clear()


def test_modules_are_found_through_packages_and_inside_functions(project: Path) -> None:
    assert "turnwright.room.lazy" in list_modules("tasks.stage")
    assert "schemas.rows" in list_modules("tasks.stage")
    assert "turnwright.room" in list_modules("tasks.stage")
    assert "turnwright.room.unused" not in list_modules("tasks.stage")


@pytest.mark.parametrize(
    ("file", "matters"),
    [
        ("tasks/stage.py", True),
        ("turnwright/room/work.py", True),
        ("turnwright/room/lazy.py", True),
        ("turnwright/room/__init__.py", True),
        ("schemas/rows.py", True),
        ("turnwright/room/unused.py", False),
    ],
)
def test_the_code_that_a_stage_reaches_is_in_its_key(project: Path, file: str, matters: bool) -> None:
    before = cache_keys.digest_code("tasks.stage")
    with (project / file).open("a") as stream:
        stream.write("z = 2\n")
    forget_sources()
    assert (cache_keys.digest_code("tasks.stage") != before) is matters
