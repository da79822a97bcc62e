"""Sources in the config: what is refused, that no secret can stand there, and what a look before a run says."""

from pathlib import Path
from typing import Any

import pytest

from flows.config_file import ConfigError, check_config
from schemas.config import RunConfig
from schemas.sources import is_secret_name
from tasks.preflight import look_at_source

SECRET = "hunter2andmore"


def config(**source: Any) -> RunConfig:
    return check_config({"name": "t", "sources": [source]}, "t.yaml")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"kind": "tools"}, "sources.0.path: is missing"),
        ({"kind": "tools", "path": "a", "file": "b"}, "unknown key"),
        ({"kind": "csv", "path": "a"}, "kind 'csv' is not known"),
        ({"kind": "mcp"}, "exactly one of command and url"),
        ({"kind": "mcp", "url": "http://h/mcp", "command": ["a"]}, "exactly one of command and url"),
        ({"kind": "mcp", "command": []}, "sources.0.command"),
        ({"kind": "mcp", "command": [" "]}, "begins with nothing"),
        ({"kind": "mcp", "command": ["a"], "token_env": "T"}, "a command takes env"),
        ({"kind": "mcp", "url": "http://h/mcp", "env": ["T"]}, "a url takes"),
        ({"kind": "mcp", "url": "ftp://h/mcp"}, "not an http(s) URL"),
        ({"kind": "mcp", "url": "http://[h/mcp"}, "not an http(s) URL"),
        ({"kind": "mcp", "url": "http://h:port/mcp"}, "not an http(s) URL"),
        ({"kind": "mcp", "url": "http://h/m", "headers_env": {"X Y": "V"}}, "not the name of a header"),
        ({"kind": "mcp", "url": "http://h/m", "headers_env": {"Authorization": "V"}, "token_env": "T"}, "both set"),
        ({"kind": "openapi"}, "exactly one of path and url"),
        ({"kind": "openapi", "path": "a", "url": "http://h"}, "exactly one of path and url"),
        ({"kind": "openapi", "path": "a", "token_env": "T"}, "are for a url"),
        ({"kind": "openapi", "path": "a", "timeout_seconds": 0}, "timeout_seconds"),
        ({"kind": "dialogues", "path": ""}, "sources.0.path"),
    ],
)
def test_what_is_refused(source: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**source)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "mcp", "url": f"https://ann:{SECRET}@h/mcp"},
        {"kind": "mcp", "url": f"https://h/mcp?api_key={SECRET}"},
        {"kind": "openapi", "url": f"https://h/api.json?access_token={SECRET}"},
        {"kind": "mcp", "url": "http://h/m", "headers_env": {"Authorization": f"Bearer {SECRET}"}},
        {"kind": "mcp", "command": ["server", "--api-key", SECRET]},
        {"kind": "mcp", "command": ["server", f"--token={SECRET}"]},
        {"kind": "mcp", "command": ["env", f"SHOP_TOKEN={SECRET}", "server"]},
        {"kind": "mcp", "command": ["server", f"sk-{SECRET}"]},
        {"kind": "mcp", "command": ["server"], "env": [f"KEY={SECRET}"]},
    ],
)
def test_a_secret_is_refused_and_not_repeated(source: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**source)
    assert SECRET not in str(caught.value)


def test_names_of_secrets() -> None:
    secret = ("--api-key", "X-Api-Key", "token", "access_token", "client_secret", "PASSWORD", "key")
    assert all(map(is_secret_name, secret))
    plain = ("--tokens", "keyword", "keys", "x-branch", "author", "monkey", "--max-tokens", "passwords")
    assert not any(map(is_secret_name, plain))


def test_sources_that_can_be_written_down() -> None:
    assert config(kind="mcp", command=["uvx", "server", "--max-tokens=5", "KEYS"], env=["SHOP_TOKEN"]).sources
    assert config(kind="mcp", url="https://h/mcp?branch=north", headers_env={"X-Key": "SHOP_KEY"}).sources
    assert config(kind="openapi", url="https://h/api.json", token_env="SHOP_TOKEN").sources
    assert config(kind="tools", path="tools", group_by="x_domain").sources
    assert config(kind="dialogues", path="talks.jsonl", name="talks").sources


def test_a_look_before_a_run(tmp_path: Path) -> None:
    path = tmp_path / "tools.jsonl"
    path.write_text('{"name": "a", "description": "Does a."}\n{"name": "b.c", "description": "Does b."}\n{\n')
    (source,) = config(kind="tools", path=str(path)).sources
    found = look_at_source(source, 0)
    assert (found.ok, found.subject, found.message) == (True, str(path), "3 tools in 1 domain tools")
    assert found.warnings[0].startswith("2 tools cannot be used (illegal_name 1, unreadable 1): tools.jsonl:2: ")
    path.unlink()
    missing = look_at_source(source, 0)
    assert not missing.ok
    assert "no such file" in missing.message
    assert missing.hint
