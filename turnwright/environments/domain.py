"""Stateful domains: any Python class that can answer tool calls on a state of its own, as an environment.

A domain is named in the config as `package.module:Class` and made without arguments. It holds no state: a call is given
the state, which makes snapshots, replay and thousands of isolated dialogues the business of this module alone.
"""

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import jsonschema_rs
import orjson

from schemas.goals import RowChange
from schemas.messages import ToolResult
from schemas.seeds import DomainSeed, DomainTask
from schemas.tools import DomainTool, Tool
from turnwright.environments.base import EnvironmentLimits, Fault
from turnwright.environments.domain_state import DomainState, Tables
from turnwright.environments.faults import FaultCounter
from turnwright.environments.state import make_error
from turnwright.environments.values import digest_state, json_text

_LOG = logging.getLogger(__name__)
_MESSAGE_LENGTH = 300

RefusalKind = Literal["not_found", "refused", "invalid_arguments"]


class Refusal(Exception):
    """What a domain raises instead of answering: the call has no effect, and the model is told why."""

    def __init__(self, kind: RefusalKind, message: str) -> None:
        super().__init__(message)
        self.kind: RefusalKind = kind
        self.message = message


@dataclass(frozen=True)
class DomainFiles:
    """What stood in the files of a source, read but not understood."""

    database: dict[str, Any] | None = None
    policy: str | None = None
    tasks: list[Any] | None = None


@dataclass(frozen=True)
class DomainContent:
    """What a domain made of its files."""

    tables: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """The start of every dialogue: table -> key -> record, plain JSON."""
    policy: str
    """What the assistant must do and must not do; its system prompt."""
    tasks: tuple[DomainTask, ...] = ()
    reference_time: str | None = None
    """The time that counts as now in all dialogues (ISO 8601, no zone); none: one is drawn for each."""


@runtime_checkable
class Domain(Protocol):
    """A service with its own state. Implementations are stateless and thread-safe.

    A domain that also has `people` and `scenarios` (turnwright.goals.scenarios.ScenarioSource) gets tasks
    written for its database besides those that it brings along.
    """

    @property
    def name(self) -> str:
        """Of the domain; letters, digits and underscores."""
        ...

    @property
    def tools(self) -> Sequence[DomainTool]:
        """What can be called, each with its effect, and with its side: the assistant's or the user's."""
        ...

    @property
    def unordered(self) -> Mapping[str, frozenset[str]]:
        """Table -> fields whose lists mean the same in any order."""
        ...

    def load(self, files: DomainFiles) -> DomainContent:
        """The start state, policy and tasks.

        Raises:
            ValueError: the files do not hold what the domain needs; the message says what is wrong and where.
        """
        ...

    def call(self, tool: str, arguments: Mapping[str, Any], state: DomainState, now: str) -> Any:
        """The result of a call, a JSON value. `arguments` fit the tool's schema; `now` is ISO 8601.

        Must depend on the arguments, the state and `now` alone. Writes through `state.edit`, `add` and `remove`.

        Raises:
            Refusal: it cannot be done; nothing that was written counts.
        """
        ...


@dataclass(frozen=True)
class LoggedCall:
    """One call that changed something."""

    tool: str
    arguments: Mapping[str, Any]


class DomainBase:
    """The start state of a domain's dialogues, frozen and shared."""

    def __init__(
        self, seed: DomainSeed, domain: Domain, tables: Tables, digest: str, limits: EnvironmentLimits
    ) -> None:
        """`tables` must be frozen (turnwright.environments.domain_state.freeze)."""
        self.digest = digest
        self.domain = domain
        self.seed = seed
        self.policy = seed.policy
        self._tables = tables
        self._limits = limits
        self._validators = {
            tool.name: jsonschema_rs.validator_for(tool.parameters, offline=True) for tool in domain.tools
        }

    def open(
        self, tools: Sequence[Tool], *, seed: str, reference_time: str, fault: Fault | None = None
    ) -> "DomainEnvironment":
        """A fresh environment; costs nothing until its first write. Domains draw nothing, so `seed` has no effect."""
        del seed
        return DomainEnvironment(self, tools, reference_time, self._limits, fault)

    def start(self) -> DomainState:
        """A state that nobody has written to."""
        return DomainState(self._tables)

    def explain_arguments(self, tool: str, arguments: Mapping[str, Any]) -> str | None:
        """What is wrong with the arguments of a call, or none where they fit its schema."""
        validator = self._validators.get(tool)
        if validator is None or validator.is_valid(dict(arguments)):
            return None
        problems = sorted(error.message for error in validator.iter_errors(dict(arguments)))
        return "; ".join(problems)[:_MESSAGE_LENGTH]

    def close(self) -> None:
        """There is nothing to give up."""


class DomainEnvironment:
    """One dialogue's copy of a domain: the log of its writes, and as a cache the state that they lead to."""

    def __init__(
        self,
        base: DomainBase,
        tools: Iterable[Tool],
        reference_time: str,
        limits: EnvironmentLimits,
        fault: Fault | None = None,
    ) -> None:
        self._base = base
        self._tools = {tool.name: tool for tool in tools if isinstance(tool, DomainTool)}
        self._now = reference_time
        self._limits = limits
        self._faults = FaultCounter(fault)
        self._lock = threading.Lock()
        self._log: list[LoggedCall] = []
        self._state: DomainState | None = base.start()
        self._known: tuple[int, list[RowChange]] = (0, [])

    def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Runs one tool. Blocks; never raises for what the call did wrong."""
        with self._lock:
            found = self._tools.get(tool)
            if found is None:
                return make_error("unknown_tool", f"There is no tool named {tool}.")
            fault = self._faults.strike(tool)
            if fault is not None:
                return make_error(fault.kind, fault.message)
            problem = self._base.explain_arguments(tool, arguments)
            if problem is not None:
                return make_error("invalid_arguments", f"{problem}.")
            return self._run(found, arguments)

    def _run(self, tool: DomainTool, arguments: Mapping[str, Any]) -> ToolResult:
        state = self._current()
        try:
            text = json_text(self._base.domain.call(tool.name, arguments, state, self._now))
            if len(text.encode()) > self._limits.result_bytes:
                return make_error("too_large", "The result is too large to be returned. Nothing was changed.")
            if tool.effect == "read" and state.drafted:
                raise RuntimeError(f"{tool.name} is declared to only read, and it wrote")
            changed = state.commit()
        except Refusal as refusal:
            return make_error(refusal.kind, refusal.message)
        except Exception as problem:  # noqa: BLE001 code of others: its mistake is this call's, not the whole run's
            _LOG.warning("%s: %s failed: %s", self._base.domain.name, tool.name, type(problem).__name__, exc_info=True)
            return make_error("database", f"{tool.name} could not be carried out. Nothing was changed.")
        finally:
            state.discard()
        if changed:
            self._log.append(LoggedCall(tool.name, dict(arguments)))
        return ToolResult(text=text, value=orjson.loads(text), rows_changed=changed)

    def _current(self) -> DomainState:
        if self._state is None:
            state = self._base.start()
            for write in self._log:
                self._base.domain.call(write.tool, write.arguments, state, self._now)
                if not state.commit():
                    raise RuntimeError(f"a logged call of {write.tool} did not repeat")
            self._state = state
        return self._state

    @property
    def log(self) -> tuple[LoggedCall, ...]:
        """The calls that changed something, in order: with the base's digest they are the whole state."""
        return tuple(self._log)

    @property
    def now(self) -> str:
        """The reference time."""
        return self._now

    def view(self) -> DomainState:
        """The state, for code that reads it to draw what a person may want; it must not be written."""
        with self._lock:
            return self._current()

    def state_digest(self) -> str:
        """Digest of the content: the base's own until a record differs, and again once none does."""
        return digest_state(self._base.digest, self.changes())

    def changes(self) -> list[RowChange]:
        """Records that differ from the base, in canonical order."""
        with self._lock:
            writes, changes = self._known
            if writes != len(self._log):
                changes = self._current().changes(self._base.domain.unordered)
                self._known = (len(self._log), changes)
            return list(changes)

    def close(self) -> None:
        """Gives up the state. The log stays, so that the environment may be used again."""
        with self._lock:
            self._state = None


def policy_of(base: object) -> str | None:
    """The policy that the assistant works under, where the base has one."""
    return base.policy if isinstance(base, DomainBase) else None
