"""What the result of a stage depends on, said once: the cache key of a shard.

    key = digest(code, config, prompts, models, inputs)

`code`     sources of the stage's task file and of all modules of the project that it reaches by imports
`config`   the fields of STAGE_FIELDS[stage], nothing else
`prompts`  digest of the prompt files of each role of STAGE_ROLES[stage]
`models`   for each of these roles what changes a reply: name, endpoint, sampling
`inputs`   hashes of the rows that the shard reads

Concurrency, timeouts, budgets, paths and secrets are not in it: they change when a row is made, never what it holds.
`narrow_config` enforces that: library functions are given a config in which every other field has its default.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from prompts import prompt_digest
from schemas.config import RunConfig
from schemas.content import digest
from schemas.endpoints import SelfplayModel
from schemas.rows import Row
from schemas.vocabulary import Role, Stage

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("turnwright", "prompts", "schemas", "tasks")

_EXECUTION = (
    "seed",
    "tools.list_limit",
    "tools.written_rows",
    "limits.result_bytes",
    "limits.statement_seconds",
)
"""What the result of a tool call depends on, besides the tool and the state."""

_SCENARIO = (
    "twins",
    "stateless.sampler",
    "stateless.tools",
    "stateless.turns",
    "stateless.calls",
    "stateless.error_hints",
)
"""What the scenario of a stateless dialogue depends on."""
_TURNS = (
    "stateless.back_translation",
    "stateless.implicit_calls",
    "stateless.candidates",
    "stateless.attempts",
    "stateless.reactive_user",
)
"""What its turns depend on besides."""

STAGE_FIELDS: dict[Stage, tuple[str, ...]] = {
    "collect-seeds": ("sources", "seed"),
    "prepare-tools": (
        *_EXECUTION,
        "tools.questions_per_domain",
        "tools.per_domain",
        "tools.per_toolset",
        "tools.synthesise",
    ),
    "write-dialogue-tasks": (
        *_EXECUTION,
        "limits.task_draws",
        "paradigms",
        "tasks_per_dialogue",
        "difficulty",
        "behaviours",
        *_SCENARIO,
        "tools.synthesise.edge_weight",
        "tools.synthesise.samplers",
    ),
    "simulate-dialogues": (*_EXECUTION, "limits.turns", "limits.calls_per_request", "trials", *_TURNS),
    "validate-dialogues": (
        *_EXECUTION,
        "limits.turns",
        "limits.calls_per_request",
        "judging.votes",
        "judging.rule",
        "stateless.votes",
    ),
    "repair-dialogues": (
        *_EXECUTION,
        "limits.turns",
        "limits.calls_per_request",
        "judging.votes",
        "judging.rule",
        "repair.tries",
        "stateless.votes",
    ),
    "build-dataset": ("seed", "export.validation_share", "selection", "trials"),
    "report": ("checks",),
}
"""For each stage the config fields that change what it makes."""

EXCUSED_FIELDS: dict[str, str] = {
    "name": "names the run folder; no row holds it",
    "model": "the model of each role that a stage uses is in its key by identity",
    "roles": "the model of each role that a stage uses is in its key by identity",
    "dialogues": "decides which slots there are; each slot is an input of the shard that works on it",
    "budget": "stops a run; what was made before is the same",
    "concurrency": "changes when a call is made, not what it asks",
    "shard_size": "tables are merged in an order that does not depend on shards",
    "workers": "where shards run; their rows do not depend on it",
    "retry_seconds": "how long infrastructure failures are retried; a failed shard is not cached",
    "incremental": "decides which slots there are; each slot is an input of the shard that works on it",
    "openlineage": "tells other systems about a run; nothing that is made depends on it",
    "export.formats": "chooses which files are written from the dataset, which is the same",
}
"""Fields in no key, each with the reason."""

STAGE_ROLES: dict[Stage, tuple[Role, ...]] = {
    "collect-seeds": (),
    "prepare-tools": ("question_writer", "sql_tool_writer", "tool_writer", "tool_expander", "schema_writer"),
    "write-dialogue-tasks": ("task_writer",),
    "simulate-dialogues": (
        "user_simulator",
        "user_operator",
        "assistant",
        "tool_simulator",
        "planner",
        "requester",
        "back_translator",
        "summariser",
        "responder",
    ),
    "validate-dialogues": ("judge",),
    "repair-dialogues": ("user_simulator", "user_operator", "assistant", "tool_simulator", "judge"),
    "build-dataset": (),
    "report": (),
}
"""The roles whose prompts and models a stage's rows depend on."""


def list_roles() -> list[Role]:
    """All roles that some stage asks for, in the order of the stages."""
    return list(dict.fromkeys(role for stage_roles in STAGE_ROLES.values() for role in stage_roles))


def compute_stage_key(stage: Stage, config: RunConfig) -> str:
    """What all shards of a stage have in common: everything but their input rows."""
    roles = STAGE_ROLES[stage]
    return digest(
        {
            "stage": stage,
            "code": digest_code(f"tasks.{stage_module(stage)}"),
            "config": {path: read_field(config, path) for path in STAGE_FIELDS[stage]},
            "prompts": {role: prompt_digest(role) for role in roles},
            "models": {role: identify_model(role, config) for role in roles},
        }
    )


def compute_shard_key(stage_key: str, inputs: Mapping[str, Iterable[str]]) -> str:
    """The cache key of one shard.

    Args:
        stage_key: from `compute_stage_key`.
        inputs: for each table, or other kind of input, the hashes of what the shard reads.
    """
    return digest({"stage": stage_key, "inputs": {name: list(hashes) for name, hashes in inputs.items()}})


def hash_row(row: Row) -> str:
    """Digest of a whole row: an id covers what made a row, this covers what it says."""
    return digest(row.model_dump())


def identify_model(role: Role, config: RunConfig) -> dict[str, Any]:
    """What decides a role's replies besides the request. Never a secret, a timeout or a price.

    The embedded endpoint is identified by its own source: its replies follow from the code and the seed.
    """
    model = config.model_for(role)
    if isinstance(model, SelfplayModel):
        return model.model_dump() | {"code": digest_folder("turnwright/selfplay")}
    chosen = model.model_dump(include={"kind", "name", "temperature", "top_p", "max_tokens", "extra_body"})
    return chosen | {"urls": sorted(model.urls)}


def narrow_config(config: RunConfig, stage: Stage) -> RunConfig:
    """`config` with everything that is not in the stage's key at its default.

    A library function cannot depend on a field that its stage's key leaves out, because it never sees that field's
    value. Name, sources, model and roles stay: other parts of the key stand for them.
    """
    kept = config.model_dump(include={"name", "sources", "model", "roles"})
    for path in STAGE_FIELDS[stage]:
        _place(kept, path.split("."), read_field(config, path))
    return RunConfig.model_validate(kept)


def read_field(config: RunConfig, path: str) -> Any:
    """The JSON value of a field given by its dotted path.

    Raises:
        KeyError: there is no such field.
    """
    value: Any = config.model_dump(mode="json")
    for step in path.split("."):
        value = value[step]
    return value


def list_config_fields() -> list[str]:
    """Dotted paths of all fields of a RunConfig; the fields of its nested models, not those of lists and mappings."""

    def walk(kind: type[BaseModel], prefix: str) -> Iterator[str]:
        for name, field in kind.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from walk(field.annotation, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}"

    return list(walk(RunConfig, ""))


def stage_module(stage: Stage) -> str:
    """File stem of a stage's flow and task, `prepare_tools` for `prepare-tools`."""
    return stage.replace("-", "_")


@cache
def digest_code(module: str) -> str:
    """Digest of a module's source and of all project modules that it reaches, imports inside functions included."""
    return digest({name: _source_digest(_find(name)) for name in list_modules(module)})


@cache
def list_modules(module: str) -> tuple[str, ...]:
    """The project modules that a module reaches by imports, itself included, sorted.

    Imports are read from the sources, so a lazy import counts as well as one at the top. A module brings the
    packages that it lies in.
    """
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or _path(name) is None:
            continue
        seen.add(name)
        waiting.extend(_list_imports(name))
        if "." in name:
            waiting.append(name.rpartition(".")[0])
    return tuple(sorted(seen))


@cache
def digest_folder(folder: str) -> str:
    """Digest of all Python files of a folder of the project: for code that is loaded by name."""
    files = sorted((_ROOT / folder).rglob("*.py"))
    return digest({str(file.relative_to(_ROOT)): _source_digest(file) for file in files})


@cache
def digest_reached(folder: str) -> str:
    """Digest of the project modules that the files of a folder reach by imports."""
    stems = [file.relative_to(_ROOT).with_suffix("") for file in sorted((_ROOT / folder).rglob("*.py"))]
    names = {name for stem in stems for start in _list_imports(".".join(stem.parts)) for name in list_modules(start)}
    return digest({name: _source_digest(_find(name)) for name in sorted(names)})


@cache
def _list_imports(module: str) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(_find(module).read_bytes())):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name` imports a module or a name of the package: the file system says which.
            names.append(node.module)
            names.extend(f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(name for name in names if name.split(".")[0] in _PACKAGES)


def _path(module: str) -> Path | None:
    place = _ROOT.joinpath(*module.split("."))
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            return file
    return None


def _find(module: str) -> Path:
    file = _path(module)
    if file is None:
        raise ModuleNotFoundError(f"no module {module} in {_ROOT}")
    return file


@cache
def _source_digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _place(target: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        target = cast("dict[str, Any]", target.setdefault(step, {}))
    target[steps[-1]] = value
