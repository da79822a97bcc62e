"""Where a source is: its URL with the secrets, and the same without them for people."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from schemas.sources import SqlSource
from turnwright.sources.errors import SourceError

_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgres", "postgres": "postgres"}
_SECRET_PARAMETERS = re.compile(r"pass|secret|token|key", re.IGNORECASE)


@dataclass(frozen=True)
class Location:
    """A source's address. `url` may hold a password and must never be shown; `locator` never holds one."""

    url: URL
    dialect: str
    """sqlglot's name: `sqlite` or `postgres`."""
    locator: str
    title: str
    """How messages name the source: position and locator."""

    @property
    def path(self) -> Path:
        """The file of an SQLite source; relative paths are taken from the working directory."""
        return Path(_file_of(self.url) or "").expanduser()

    @property
    def name(self) -> str:
        """Name of the domain where the config gives none: the file's stem or the database's name."""
        return clean_name(self.path.stem if self.dialect == "sqlite" else self.url.database or "database")

    def __repr__(self) -> str:
        return f"Location({self.locator})"


def clean_name(name: str) -> str:
    """A domain name that is safe in ids and file names: letters, digits and single underscores."""
    return re.sub(r"\W+", "_", name).strip("_")[:64] or "database"


def locate(source: SqlSource, position: int) -> Location:
    """Resolves a source of the config; looks at the environment variable, not at the database.

    Raises:
        SourceError: the variable is not set, the URL is not one, or its dialect cannot run tools.
    """
    text = source.url
    if text is None:
        text = os.environ.get(source.url_env or "")
        if not text:
            raise SourceError(
                f"source {position}: the environment variable {source.url_env} is not set",
                "set it to the database's URL, as in postgresql://user:password@host/name",
            )
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text is not repeated: it may hold a password.
        raise SourceError(
            f"source {position}: {source.url_env or 'its url'} is not a database URL",
            "write sqlite:///path/to/file.sqlite or postgresql://user@host:5432/name; escape special characters",
        ) from None
    locator = hide_secrets(url)
    dialect = _DIALECTS.get(url.get_backend_name())
    title = f"source {position} ({locator})"
    if dialect is None:
        raise SourceError(
            f"{title}: tools cannot run on {url.get_backend_name()}",
            "use SQLite or PostgreSQL; copy other databases into one of them",
        )
    if dialect == "postgres":
        url = url.set(drivername="postgresql+psycopg")
    elif _file_of(url) in (None, "", ":memory:"):
        raise SourceError(f"{title}: an SQLite source needs a file", "write sqlite:///path/to/file.sqlite")
    return Location(url, dialect, locator, title)


def _file_of(url: URL) -> str | None:
    name = url.database
    if name and name.startswith("file:"):
        return re.sub(r"\?.*", "", name.removeprefix("file:"))
    return name


def hide_secrets(url: URL) -> str:
    """The URL without password and without parameters that look like one."""
    query = {key: value for key, value in url.query.items() if not _SECRET_PARAMETERS.search(key)}
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)
    return bare.render_as_string(hide_password=True)
