"""Reading a config: each mistake is named with its file, field, value and what is allowed."""

from pathlib import Path

import pytest

from flows.config_file import ConfigError, load_config

WHOLE = "name: club\nsources:\n  - {kind: sql, url: 'sqlite:///club.sqlite'}\n"


def load(folder: Path, text: str, *overrides: str):
    file = folder / "club.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file, overrides)


def complaint(folder: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as raised:
        load(folder, text, *overrides)
    return str(raised.value).replace(f"{folder}/", "")


def test_a_config_is_read(tmp_path: Path) -> None:
    config = load(tmp_path, WHOLE + "limits: {turns: 40}\ntasks_per_dialogue: {2: 1.0}\n")
    assert (config.limits.turns, config.tasks_per_dialogue) == (40, {2: 1.0})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WHOLE + "dialogs: 3\n", "club.yaml: dialogs: unknown key; did you mean dialogues?"),
        (WHOLE + "limits: {turn: 3}\n", "club.yaml: limits.turn: unknown key; did you mean turns?"),
        (WHOLE + "zzz: 3\n", "club.yaml: zzz: unknown key; known keys: name, seed, model,"),
        (WHOLE + "limits: {turns: many}\n", "club.yaml: limits.turns: 'many': must be a valid integer"),
        (WHOLE + "limits: {turns: 1}\n", "club.yaml: limits.turns: 1: must be greater than or equal to 4"),
        (
            WHOLE + "difficulty: {eazy: 1.0}\n",
            "club.yaml: key of difficulty: 'eazy': must be 'easy', 'medium'",
        ),
        (WHOLE + "difficulty: {eazy: 1.0}\n", "did you mean easy?"),
        (WHOLE + "roles: {judge: {nme: x}}\n", "roles.judge.nme: unknown key; did you mean name?"),
        (WHOLE + "model: gpt\n", "club.yaml: model: 'gpt': must be `selfplay` or a mapping"),
        (WHOLE + "model: {base_url: 'http://x/v1'}\n", "club.yaml: model.name: is missing"),
        (
            WHOLE + "model: {kind: selfplay, mistke_rate: 0}\n",
            "model.mistke_rate: unknown key; did you mean mistake",
        ),
        (WHOLE + "checks: {mean_turns: {wran: [1, 2]}}\n", "checks.mean_turns.wran: unknown key; did you mean warn?"),
        ("name: club\n", "club.yaml: sources: is missing"),
        (
            "name: club\nsources: [{kind: sqll, url: x}]\n",
            "club.yaml: sources.0: kind 'sqll' is not known; must be",
        ),
        ("name: club\nsources: [{kind: sql}]\n", "club.yaml: sources.0: needs exactly one of url and url_env"),
        (
            "name: club\nsources: [{kind: sql, url: x, tabels: [a]}]\n",
            "sources.0.tabels: unknown key; did you mean tables",
        ),
        ("name: club\n a: b: c\n", "club.yaml: line 2, column"),
        ("name: [\n", "club.yaml: line 2, column 1"),
        ("name: club\nname: zoo\n", "club.yaml: line 2, column 1: key 'name' is given twice"),
        ("- 1\n", "club.yaml: must hold a mapping"),
        ("", "club.yaml: must hold a mapping"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in complaint(tmp_path, text)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    text = complaint(tmp_path, WHOLE + "dialogs: 3\nconcurrency: 0\n")
    assert text.splitlines()[0] == "club.yaml has 2 problems"
    assert "dialogs: unknown key" in text
    assert "concurrency: 0: must be greater than or equal to 1" in text


def test_a_password_is_never_repeated(tmp_path: Path) -> None:
    text = complaint(tmp_path, WHOLE + "model: {base_url: 'http://me:secret@x/v1', name: m}\n")
    assert "secret" not in text
    assert "api_key_env" in text


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "club.yaml").write_text(WHOLE)
    for path, expected in [
        (tmp_path / "clib.yaml", "clib.yaml: does not exist; did you mean"),
        (tmp_path / "none" / "x.yaml", "x.yaml: does not exist"),
        (tmp_path, "is a folder, must be a YAML file"),
    ]:
        with pytest.raises(ConfigError, match=expected):
            load_config(path)
    (tmp_path / "club.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "club.yaml")


def test_overrides_are_laid_over_the_file(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        WHOLE + "model: selfplay\ntasks_per_dialogue: {1: 1.0}\n",
        "limits.turns=40",
        "sources.0.url=sqlite:///zoo.sqlite",
        "tasks_per_dialogue.1=0.5",
        "tasks_per_dialogue.2=0.5",
        "model.seed=3",
        "checks.mean_turns.fail=[1, null]",
    )
    assert config.limits.turns == 40
    assert config.sources[0].url == "sqlite:///zoo.sqlite"
    assert config.tasks_per_dialogue == {1: 0.5, 2: 0.5}
    assert config.model.model_dump()["seed"] == 3
    assert config.checks.mean_turns.fail == (1.0, None)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("limits.turns", "--set limits.turns: must be of the form a.b=value"),
        ("=3", "must be of the form a.b=value"),
        ("name.x=3", "--set name.x=3: name is 'club', which has no fields"),
        ("sources.4.url=x", "sources is a list of 1; '4' is not a position in it"),
        ("limits.turns=[", "--set limits.turns=[: line 1"),
        ("limits.turn=5", "limits.turn: unknown key; did you mean turns?"),
        ("limits.turns=five", "limits.turns: 'five': must be a valid integer"),
    ],
)
def test_an_override_that_does_not_fit_is_named(tmp_path: Path, override: str, expected: str) -> None:
    assert expected in complaint(tmp_path, WHOLE, override)
