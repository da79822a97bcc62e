"""A tool as turnwright knows it: what a model is shown, and what code needs to run it."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from schemas.closed import Closed
from schemas.vocabulary import Effect

KeyPath = tuple[tuple[str, str], ...]
"""Foreign keys that lead to a row, each table and column, that of the row itself last; of a composite key the column
that tells it from the table's other keys."""


class ParameterBinding(Closed):
    """What a `:named` parameter of an SQL tool stands against."""

    name: str
    table: str | None
    """Table whose column it is compared with or written to; none for LIMIT and for computed expressions."""
    column: str | None
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "like", "in", "set", "values", "limit", "offset", "expression"]
    """`set` and `values` write the column; `limit` and `offset` count rows."""
    via: KeyPath = ()
    """How the row was reached, where its table alone does not say which row it is; see OutputField."""


class OutputField(Closed):
    """Where a field of a result row comes from."""

    name: str
    table: str | None
    """None where the field is computed (an aggregate, a CASE ratio)."""
    column: str | None
    via: KeyPath = ()
    """How the row was reached, where its table alone does not say which row it is: of a transfer's two clubs that of
    `from_club_id`, of two employees the manager. Empty everywhere else."""


Side = Literal["assistant", "user"]


class Tool(Closed):
    """What holds for every tool that can be offered in a dialogue. What answers its calls, its kind tells."""

    name: str
    spec: dict[str, Any]
    """OpenAI function format: `{type: function, function: {name, description, parameters}}`. All that a model sees."""
    output_schema: dict[str, Any]
    """JSON Schema of a successful result: an array of rows for search and list tools, one object otherwise."""
    effect: Effect
    side: Side = "assistant"
    """Whose tool it is: in domains with dual control the user has some of their own."""

    @property
    def description(self) -> str:
        """What the model is told that the tool does."""
        return str(self.spec["function"]["description"])

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return dict(self.spec["function"]["parameters"])


class SqlTool(Tool):
    """One parameterised statement on a relational database."""

    kind: Literal["sql"] = "sql"
    sql: str
    """The one statement, in the dialect of the source, with `:named` parameters."""
    returns: Literal["rows", "row", "change"]
    """`rows`: an array of objects; `row`: one object, or a not-found error; `change`: `{rows_changed, inserted?}`."""
    bindings: tuple[ParameterBinding, ...]
    outputs: tuple[OutputField, ...]
    """Empty for tools that write."""
    verb: Literal["select", "insert", "update", "delete"]
    target: str | None
    """Table that a write changes."""


class DomainTool(Tool):
    """A function of a stateful domain; the domain's own code answers it."""

    kind: Literal["domain"] = "domain"


class SpecTool(Tool):
    """A specification and nothing else: a simulator without state answers it."""

    kind: Literal["spec"] = "spec"


AnyTool = Annotated[SqlTool | DomainTool | SpecTool, Field(discriminator="kind")]
TOOLS: TypeAdapter[tuple[SqlTool | DomainTool | SpecTool, ...]] = TypeAdapter(tuple[AnyTool, ...])
"""Reads the `tools` column of a toolset."""
