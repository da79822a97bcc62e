"""The copy of a database on which the calls of a plan are tried while it is drawn."""

from collections.abc import Iterable
from typing import Any

from schemas.content import canonical_json
from schemas.messages import ToolResult
from schemas.tools import SqlTool
from turnwright.environments.base import Environment, SqlBase
from turnwright.goals.drafts import DraftCall
from turnwright.goals.toolbox import Toolbox


class Scratch:
    """One environment whose reads are remembered until the next write, and which can be taken back to any prefix."""

    def __init__(self, base: SqlBase, toolbox: Toolbox, *, seed: str, reference_time: str) -> None:
        self._base = base
        self._toolbox = toolbox
        self._seed = seed
        self._reference_time = reference_time
        self._environment: Environment | None = None
        self._remembered: dict[str, ToolResult] = {}

    @property
    def environment(self) -> Environment:
        """The environment behind it, opened when it is first needed."""
        if self._environment is None:
            tools = tuple(self._toolbox)
            self._environment = self._base.open(tools, seed=self._seed, reference_time=self._reference_time)
        return self._environment

    def call(self, tool: SqlTool, arguments: dict[str, Any]) -> ToolResult | None:
        """The result of a call, or none where the arguments do not fit the tool's specification."""
        key = canonical_json([tool.name, arguments])
        if key in self._remembered:
            return self._remembered[key]
        if not self._toolbox.shape(tool).validator.is_valid(arguments):
            return None
        result = self.environment.call(tool.name, arguments)
        if tool.effect == "write":
            self._remembered.clear()
        else:
            self._remembered[key] = result
        return result

    def go_back(self, calls: Iterable[DraftCall]) -> None:
        """Leaves the state as it is after these calls alone."""
        self.close()
        for call in calls:
            if call.tool.effect == "write":
                self.environment.call(call.tool.name, call.arguments)

    def close(self) -> None:
        """Gives up the environment; the next call opens a fresh one."""
        self._remembered.clear()
        if self._environment is not None:
            self._environment.close()
            self._environment = None
