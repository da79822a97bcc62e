"""Where seeds come from: databases, stateful domains, tool files, MCP servers, OpenAPI documents and conversations.

A secret never stands in them: headers and variables of a server are given by the *name* of an environment variable.
"""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, model_validator

from schemas.closed import Closed, Share

_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_SECRET_NAME = re.compile(
    r"(^|[-_.])(api[-_]?key|access[-_]?key|private[-_]?key|token|secret|passw(or)?d|pwd|credentials?|authorization)$",
    re.IGNORECASE,
)
_SECRET_WORD = re.compile(r"^(sk|pk|ghp|gho|ghs|glpat|xox[abprs]|github_pat)[-_]\w{8,}|^bearer\s", re.IGNORECASE)


EXECUTABLE = frozenset({"sql", "domain"})
"""Kinds of sources whose tools really run; those of the others are simulated."""


class SqlSource(Closed):
    """A relational database whose tables become tools and whose rows become dialogues."""

    kind: Literal["sql"]
    url: str | None = None
    """SQLAlchemy URL. Relative SQLite paths are taken from the working directory."""
    url_env: str | None = None
    """Name of the environment variable that holds the URL; use it when the URL has a password."""
    name: str | None = None
    """Name of the domain; default: the database's own name."""
    schema_name: str | None = None
    """PostgreSQL schema to read; default: the connection's own."""
    role: str | None = None
    """PostgreSQL role that tools run as; default: a throw-away role without rights where the login may make one."""
    tables: list[str] | None = None
    """Only these tables and views; default: all."""
    sample_rows: int = Field(default=3, ge=1, le=20)
    """Rows of each table that a writer role may see."""
    initial_state: str | list[str] | None = None
    """Where dialogues start from, in place of the database as it is (SQLite only): path of another file with the same
    tables, or INSERT, UPDATE and DELETE statements that are run on a copy. The database itself is never changed."""

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("needs exactly one of url and url_env")
        return self


class DomainSource(Closed):
    """A stateful domain: a Python class that answers tool calls on a state of its own."""

    kind: Literal["domain"]
    module: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    """`package.module:Class`, an implementation of turnwright.environments.domain.Domain."""
    path: str | None = None
    """Its database (JSON or TOML), or a folder with `db.json` or `db.toml`, `policy.md` and `tasks.json`. Relative
    paths are taken from the working directory."""
    policy: str | None = None
    """Text file of the assistant's policy, in place of the folder's or the domain's own."""
    tasks: str | None = None
    """JSON or TOML file of tasks, in place of the folder's or the domain's own."""
    initial_state: str | dict[str, Any] | None = None
    """Where dialogues start from: path of a JSON or TOML database in place of the one in `path`, or what is laid over
    it (a JSON merge patch: objects are merged, null takes a key away, everything else is replaced)."""
    name: str | None = None
    """Name of the domain in this run; default: the class's own."""
    own_tasks: Share = 0.25
    """Share of dialogues made from the tasks that the domain brings along; the others are written for its database."""


Injection = Literal["end", "drawn"] | Annotated[int, Field(ge=1)]
"""After which user message of a conversation tool use is injected."""


class ToolsSource(Closed):
    """Function specifications in files: the OpenAI format, in JSON or JSON Lines."""

    kind: Literal["tools"]
    path: str = Field(min_length=1)
    """A `.json` or `.jsonl` file, or a folder with such files. Relative paths are taken from the working directory."""
    name: str | None = Field(default=None, min_length=1)
    """Puts all tools into one domain of this name; default: a domain for each file, named like the file."""
    group_by: str | None = Field(default=None, min_length=1)
    """Field that stands beside a specification and names its domain, as `x_domain`. Tools without it stay with their
    file."""
    output_schema_field: str = Field(default="output_schema", min_length=1)
    """Field beside a specification that holds the JSON Schema of the result."""

    @model_validator(mode="after")
    def _one_grouping(self) -> Self:
        if self.name is not None and self.group_by is not None:
            raise ValueError("name puts all tools into one domain, group_by into several; give one of them")
        return self


class RemoteSource(Closed):
    """What sources that are reached over HTTP have in common."""

    headers_env: dict[str, str] = {}
    """Header of each request -> name of the environment variable that holds its value."""
    token_env: str | None = Field(default=None, pattern=_VARIABLE)
    """Name of the environment variable whose value is sent as `Authorization: Bearer …`."""
    timeout_seconds: float = Field(default=15.0, gt=0.0, le=600.0)
    """Longest time that reading this source may take. The look before a run takes 15 s at most."""

    @model_validator(mode="after")
    def _header_names(self) -> Self:
        for header, variable in self.headers_env.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", header):
                raise ValueError(f"headers_env: {header[:40]!r} is not the name of a header")
            if not re.fullmatch(_VARIABLE, variable):
                raise ValueError(f"headers_env: what is given for {header} is not the name of an environment variable")
        if self.token_env and any(header.lower() == "authorization" for header in self.headers_env):
            raise ValueError("token_env and headers_env both set Authorization; give one of them")
        return self


class McpSource(RemoteSource):
    """A server of the Model Context Protocol; its tools are listed, none is called."""

    kind: Literal["mcp"]
    command: list[str] | None = Field(default=None, min_length=1)
    """Program and arguments that start a server which talks over its standard input and output."""
    env: list[str] = []
    """Names of the environment variables that the server is given, besides the likes of PATH and HOME."""
    url: str | None = None
    """Endpoint of a server that talks streamable HTTP."""
    name: str | None = Field(default=None, min_length=1)
    """Name of the domain; default: what the server calls itself."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("needs exactly one of command and url")
        if self.url is not None:
            if self.env:
                raise ValueError("env is for servers that command starts; a url takes headers_env or token_env")
            check_url(self.url)
        if self.command is not None:
            if self.headers_env or self.token_env:
                raise ValueError("headers_env and token_env are for a url; a command takes env")
            _check_command(self.command)
        for variable in self.env:
            if not re.fullmatch(_VARIABLE, variable):
                raise ValueError("env lists names of environment variables, without values")
        return self


class OpenApiSource(RemoteSource):
    """An OpenAPI 3.0 or 3.1 document; each of its operations is a tool."""

    kind: Literal["openapi"]
    path: str | None = Field(default=None, min_length=1)
    """A JSON or YAML file. Relative paths are taken from the working directory."""
    url: str | None = None
    """Where the document is served."""
    name: str | None = Field(default=None, min_length=1)
    """Name of the domain; default: the document's title."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("needs exactly one of path and url")
        if self.url is not None:
            check_url(self.url)
        elif self.headers_env or self.token_env:
            raise ValueError("headers_env and token_env are for a url")
        return self


class DialoguesSource(Closed):
    """Conversations that were begun elsewhere, one a line, as `{messages, tools}` in OpenAI's chat format."""

    kind: Literal["dialogues"]
    path: str = Field(min_length=1)
    """A `.jsonl` or `.json` file, or a folder with such files. Relative paths are taken from the working directory."""
    name: str | None = Field(default=None, min_length=1)
    """Puts all conversations into one domain of this name; default: a domain for each file, named like the file."""
    inject_at: Injection = "end"
    """Where tool use comes in: after the whole conversation, after a drawn number of its requests, or after so many.
    What was said from there on is left out; a conversation with fewer requests is kept whole."""
    tools: Literal["own", "others"] = "own"
    """`own`: a conversation goes on with the tools that it brings along, and with those of the config's other sources
    where it brings none; `others`: always with those of the other sources."""


def check_url(url: str) -> None:
    """Whether a URL can be asked over HTTP and holds no secret.

    Raises:
        ValueError: it is no http(s) URL, or has a user, a password or a parameter that looks like a secret. The
            message never repeats it.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise ValueError("url is not an http(s) URL") from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", url):
        raise ValueError("url is not an http(s) URL")
    if "@" in parts.netloc:
        raise ValueError("url must not hold a user or password; use token_env or headers_env")
    if any(is_secret_name(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError("url must not hold a secret; use token_env or headers_env")


def is_secret_name(name: str) -> bool:
    """Whether an option or parameter of that name holds a secret, as `--api-key` and `access_token` do."""
    return bool(_SECRET_NAME.search(name.lstrip("-"))) or name.lower() in {"key", "apikey", "sig", "signature"}


def _check_command(command: list[str]) -> None:
    for part in command:
        if "\0" in part:
            raise ValueError("command holds a NUL character")
        name, _, value = part.partition("=")
        given = bool(value) or part.startswith("-")
        if (given and is_secret_name(name)) or _SECRET_WORD.search(value or part):
            raise ValueError("command must not hold a secret; name its variable in env and let the server read it")
    if not command[0].strip():
        raise ValueError("command begins with nothing")


Source = Annotated[
    SqlSource | DomainSource | ToolsSource | McpSource | OpenApiSource | DialoguesSource,
    Field(discriminator="kind"),
]
