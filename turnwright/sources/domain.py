"""Stateful domains as sources: a Python class by its module path, with its database, policy and tasks."""

import hashlib
import importlib
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import orjson

from schemas.config import RunConfig
from schemas.content import canonical_json, content_id, digest
from schemas.rows import SeedRow
from schemas.seeds import DomainSeed
from schemas.sources import DomainSource
from schemas.tools import DomainTool
from turnwright.environments.base import limits_of
from turnwright.environments.domain import Domain, DomainBase, DomainContent, DomainFiles
from turnwright.environments.domain_state import freeze
from turnwright.environments.values import json_value
from turnwright.sources.errors import SourceError
from turnwright.sources.initial_state import merge_state
from turnwright.sources.locators import clean_name
from turnwright.storage.store import Store

_MOST_BYTES = 512 * 2**20
_FILES = {
    "database": ("db.json", "db.toml", "database.json", "database.toml"),
    "policy": ("policy.md", "policy.txt"),
    "tasks": ("tasks.json", "tasks.toml"),
}
SUFFIX = ".domain.json"
"""Of a domain's start state in the store."""


def collect_domain_seed(source: DomainSource, position: int, seed: int, store: Store) -> SeedRow:
    """Reads a domain and keeps its start state in the store; `base_digest` is the SHA-256 of its canonical JSON.

    Args:
        source: the source of the config.
        position: its position there, for messages.
        seed: of the run; a domain draws nothing when it is read.
        store: where the state is kept.

    Raises:
        SourceError: the class cannot be loaded, a file is missing or damaged, or the domain refuses what it holds.
    """
    del seed
    title = f"source {position} ({source.module})"
    domain = load_domain(source.module, title)
    files = read_files(source, title)
    if files.database is None and isinstance(source.initial_state, dict):
        own = orjson.loads(orjson.dumps(_read_content(domain, files, title).tables))
        files = replace(files, database=merge_state(own, source.initial_state))
    content = _read_content(domain, files, title)
    try:
        tables = orjson.dumps(content.tables, option=orjson.OPT_SORT_KEYS)
        freeze(orjson.loads(tables))
    except (TypeError, ValueError, RecursionError) as problem:
        raise SourceError(
            f"{title}: the database is no plain JSON: {problem}", "use text, numbers, lists, objects"
        ) from None
    name = clean_name(source.name or domain.name)
    described = DomainSeed(
        name=name,
        module=source.module,
        policy=content.policy,
        tools=tuple(domain.tools),
        tasks=content.tasks,
        reference_time=content.reference_time,
        own_tasks=source.own_tasks,
        code=digest_code(source.module),
    )
    base_digest = store.put_bytes(tables, SUFFIX)
    text = canonical_json(described.model_dump(mode="json"))
    return SeedRow(
        id=content_id("seed", {"kind": "domain", "domain": name, "base": base_digest, "content": text}),
        kind="domain",
        domain=name,
        source=position,
        locator=f"{source.module} {source.path}" if source.path else source.module,
        base_digest=base_digest,
        dialect="",
        content=text,
    )


def check_domain(source: DomainSource, position: int = 0) -> tuple[str, int]:
    """A quick look: name and number of tools.

    Raises:
        SourceError: the class cannot be loaded, or a file that the config names is not there.
    """
    title = f"source {position} ({source.module})"
    domain = load_domain(source.module, title)
    _find_files(source, title)
    return domain.name, len(domain.tools)


def open_domain_base(seed_row: SeedRow, store: Store, config: RunConfig) -> DomainBase:
    """Opens the start state that a seed describes.

    Raises:
        SourceError: the stored state is gone or damaged, or the class cannot be loaded or has other tools.
    """
    seed = DomainSeed.model_validate_json(seed_row.content)
    domain = load_domain(seed.module, seed.name)
    if canonical_json([tool.model_dump() for tool in domain.tools]) != canonical_json(
        [tool.model_dump() for tool in seed.tools]
    ):
        raise SourceError(f"{seed.name}: {seed.module} has other tools than the seed", "run collect-seeds again")
    try:
        content = store.find(seed_row.base_digest, SUFFIX).read_bytes()
        tables = freeze(orjson.loads(content))
    except (OSError, ValueError, TypeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is damaged"
        raise SourceError(
            f"the stored state of {seed.name} cannot be read: {reason}", "run collect-seeds again"
        ) from None
    return DomainBase(seed, domain, tables, seed_row.base_digest, limits_of(config))


@lru_cache(maxsize=64)
def load_domain(module: str, title: str) -> Domain:
    """The domain that `package.module:Class` names.

    Raises:
        SourceError: it cannot be imported or made, is no domain, or has tools that cannot be offered.
    """
    path, _, name = module.partition(":")
    hint = "write package.module:Class; the package must be importable where the run starts"
    try:
        made: Any = getattr(importlib.import_module(path), name)
        domain: Any = made() if isinstance(made, type) else made
    except ImportError as problem:
        raise SourceError(f"{title}: the module {path} cannot be imported: {problem}", hint) from None
    except AttributeError:
        raise SourceError(f"{title}: the module {path} has no {name}", hint) from None
    except Exception as problem:  # noqa: BLE001 code of others, run while it is imported and made
        raise SourceError(f"{title}: cannot be made: {type(problem).__name__}: {problem}", hint) from None
    if not isinstance(domain, Domain):
        raise SourceError(
            f"{title}: {name} is no domain", "it needs name, tools, unordered, load and call; see docs/domains.md"
        )
    _check_tools(domain.tools, title)
    return domain


def digest_code(module: str) -> str:
    """Digest of the code and data that a domain is made of: what its stages are keyed by, since it is loaded by name.

    It covers the folder of the module's package with all below, and the Python files beside that folder; of a module
    without a package the one file.
    """
    path = module.partition(":")[0]
    place = getattr(importlib.import_module(path), "__file__", None)
    if place is None:
        return ""
    file = Path(place)
    if file.name != "__init__.py" and "." not in path:
        return digest({file.name: hashlib.sha256(file.read_bytes()).hexdigest()})
    folder = file.parent
    files = [one for one in folder.rglob("*") if one.is_file() and "__pycache__" not in one.parts]
    if file.name == "__init__.py" and "." in path:
        files += folder.parent.glob("*.py")
    named = {one.relative_to(folder.parent).as_posix(): one for one in files}
    return digest({name: hashlib.sha256(one.read_bytes()).hexdigest() for name, one in named.items()})


def _check_tools(tools: Sequence[DomainTool], title: str) -> None:
    names = [tool.name for tool in tools]
    hint = "see docs/domains.md for what a tool must have"
    if not names:
        raise SourceError(f"{title}: the domain has no tools", hint)
    for name in names:
        if names.count(name) > 1:
            raise SourceError(f"{title}: two tools are named {name}", hint)
    for tool in tools:
        for schema in (tool.parameters, tool.output_schema):
            try:
                jsonschema_rs.validator_for(schema, offline=True)
            except (jsonschema_rs.ValidationError, ValueError, TypeError) as problem:
                text = f"{title}: {tool.name} has a schema that is none: {str(problem)[:200]}"
                raise SourceError(text, hint) from None


def _read_content(domain: Domain, files: DomainFiles, title: str) -> DomainContent:
    try:
        content = domain.load(files)
    except ValueError as problem:
        raise SourceError(f"{title}: {problem}", "correct the files of this domain") from None
    except Exception as problem:  # noqa: BLE001 code of others, on files of others
        text = f"{title}: its files could not be understood: {type(problem).__name__}: {str(problem)[:200]}"
        raise SourceError(text, "correct the files of this domain, or the domain's load()") from None
    offered = {tool.name for tool in domain.tools}
    for task in content.tasks:
        for action in task.actions:
            if action.get("name") not in offered or not isinstance(action.get("arguments"), dict):
                raise SourceError(
                    f"{title}: task {task.id} has an action that no tool fits", "correct the task's actions"
                )
    return content


def read_files(source: DomainSource, title: str) -> DomainFiles:
    """What stands in the files of a source.

    Raises:
        SourceError: one is missing, too large, no text, or no JSON or TOML of the right shape.
    """
    paths = _find_files(source, title)
    database = _read_data(paths["database"], title) if "database" in paths else None
    if database is not None and not isinstance(database, dict):
        raise SourceError(f"{title}: {paths['database'].name} must hold an object of tables", "see docs/domains.md")
    tasks = _read_data(paths["tasks"], title) if "tasks" in paths else None
    if isinstance(tasks, dict):
        tasks = cast("dict[str, Any]", tasks).get("tasks")
    if tasks is not None and not isinstance(tasks, list):
        raise SourceError(f"{title}: {paths['tasks'].name} must hold a list of tasks", "see docs/domains.md")
    if isinstance(source.initial_state, dict) and database is not None:
        database = merge_state(database, source.initial_state)
    policy = _read_text(paths["policy"], title).strip() if "policy" in paths else None
    return DomainFiles(cast("dict[str, Any] | None", database), policy, cast("list[Any] | None", tasks))


def _find_files(source: DomainSource, title: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    if source.path is not None:
        place = Path(source.path).expanduser()
        if place.is_dir():
            for part, names in _FILES.items():
                there = [place / name for name in names if (place / name).is_file()]
                if there:
                    found[part] = there[0]
            if "database" not in found:
                raise SourceError(f"{title}: the folder {source.path} has no db.json or db.toml", "correct `path`")
        else:
            found["database"] = place
    whole = source.initial_state if isinstance(source.initial_state, str) else None
    for part, given in (("database", whole), ("policy", source.policy), ("tasks", source.tasks)):
        if given is not None:
            found[part] = Path(given).expanduser()
    for path in found.values():
        if not path.is_file():
            raise SourceError(
                f"{title}: there is no file {path}", "correct the path; it is taken from the working directory"
            )
    return found


def _read_text(path: Path, title: str) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SourceError(f"{title}: {path.name} is larger than {_MOST_BYTES // 2**20} MB", "give a smaller file")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(f"{title}: {path.name} is not UTF-8 text", "save it as UTF-8") from None
    except OSError as problem:
        raise SourceError(
            f"{title}: {path.name} cannot be read: {problem.strerror}", "correct its permissions"
        ) from None


def _read_data(path: Path, title: str) -> Any:
    text = _read_text(path, title)
    try:
        if path.suffix.lower() == ".toml":
            return json_value(tomllib.loads(text))
        return orjson.loads(text)
    except (orjson.JSONDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
        raise SourceError(
            f"{title}: {path.name} is not valid {kind}: {str(problem)[:200]}", "correct the file"
        ) from None
