"""SQL tools and databases written by hand, for tests of sources and environments."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.config import RunConfig
from schemas.databases import Database
from schemas.rows import SeedRow
from schemas.sources import SqlSource
from schemas.tools import ParameterBinding, SqlTool
from turnwright.environments.base import SqlBase, open_base
from turnwright.environments.binding import find_parameters
from turnwright.sources.sql import collect_seed
from turnwright.storage.store import Store


def make_tool(name: str, sql: str, *, row: bool = False, listed: Iterable[str] = (), **properties: Any) -> SqlTool:
    """A tool around one statement; every parameter is required unless `properties` describes it with a default."""
    verb = sql.split()[0].lower()
    names = find_parameters(sql)
    described = {parameter: properties.get(parameter, {}) for parameter in names}
    required = [parameter for parameter in names if parameter not in properties]
    parameters = {"type": "object", "properties": described, "required": required}
    writes = verb in ("insert", "update", "delete")
    return SqlTool.model_validate(
        {
            "name": name,
            "spec": {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}},
            "output_schema": {},
            "effect": "write" if writes else "read",
            "sql": sql,
            "returns": "change" if writes else "row" if row else "rows",
            "bindings": tuple(
                ParameterBinding(name=parameter, table=None, column=None, operator="in" if parameter in listed else "=")
                for parameter in names
            ),
            "outputs": (),
            "verb": verb if writes else "select",
            "target": None,
        }
    )


def make_file(folder: Path, script: str, name: str = "shop.sqlite") -> Path:
    """An SQLite file with the content that a script makes."""
    path = folder / name
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.commit()
    connection.close()
    return path


def collect_file(path: Path, store: Store, **settings: Any) -> tuple[SeedRow, Database, SqlSource]:
    """The seed of a file, its database and the source that it came from."""
    source = SqlSource(kind="sql", url=f"sqlite:///{path}", **settings)
    row = collect_seed(source, 0, 7, store)
    return row, Database.model_validate_json(row.content), source


def open_file(path: Path, folder: Path, **limits: Any) -> SqlBase:
    """A base over a file, with limits of its own."""
    store = Store(folder / "store")
    row, _, source = collect_file(path, store)
    settings: dict[str, Any] = {"name": "t", "sources": [source]}
    settings["tools"] = {key: limits[key] for key in ("list_limit", "written_rows") if key in limits}
    settings["limits"] = {key: limits[key] for key in ("result_bytes", "statement_seconds") if key in limits}
    return open_base(row, source, store, RunConfig.model_validate(settings))
