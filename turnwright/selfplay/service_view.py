"""The blocks `service`, `tools` and `types` as the players read them that write for a domain without a database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from turnwright.selfplay.request import Request
from turnwright.selfplay.words import CREATE_VERBS, DELETE_VERBS, READ_VERBS, UPDATE_VERBS
from turnwright.tools.naming import plural, singular, split_words

_VERBS = READ_VERBS | CREATE_VERBS | UPDATE_VERBS | DELETE_VERBS | frozenset("send reserve retrieve view order".split())
FIGURES = frozenset(
    "age amount area average balance count cost current density distance duration energy force fee height length level"
    " mass number percentage power pressure price probability rate rating score size speed sum temperature time total"
    " value velocity volume weight bmi npv slope".split()
)
"""Last words of what is measured or counted."""
_WEAK = frozenset(
    "all by for from with in on to of the based info information details detail data status list current api tool user"
    " my via and".split()
)


_NO_THINGS = FIGURES | frozenset(
    "id receiver sender recipient"
    " user session access first last full middle display login engine door brake access token limit driver dir card"
    " budget contact feasibility base target".split()
)
"""Words that no person would keep a note on."""


def article(noun: str) -> str:
    """The noun with `a` or `an`."""
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


@dataclass(frozen=True)
class ViewTool:
    """One tool of the block."""

    name: str
    description: str
    parameters: tuple[dict[str, Any], ...]
    """As shown: name, type, description, values, optional. Empty where the block leaves them out."""

    @property
    def verb(self) -> str:
        """The first verb of the name; its first word where there is none."""
        words = split_words(self.name)
        return next((word for word in words if word in _VERBS), words[0] if words else "use")

    @property
    def noun(self) -> str:
        """What the tool is about, singular: `booking` of `get_booking_history`, `flight cost` of `get_flight_cost`."""
        words = [word for word in split_words(self.name) if word not in _VERBS and word not in _WEAK]
        return " ".join([*words[:1], *(singular(word) for word in words[1:2])]) if words else "request"

    @property
    def thing(self) -> str | None:
        """Something that the tool is about and that can be kept, shared or rated; none for figures and actions."""
        for part in self.parameters:
            words = split_words(str(part["name"]))
            if len(words) == 2 and words[1] in ("id", "name") and words[0] not in _NO_THINGS:
                return singular(words[0])
        words = split_words(self.noun)
        said = {singular(word) for word in split_words(self.description)}
        first = split_words(self.name)[:1]
        if not words or not first or first[0] not in _VERBS or not set(words) <= said or set(words) & _NO_THINGS:
            return None
        return self.noun

    @property
    def required(self) -> list[dict[str, Any]]:
        """The parameters that must be given."""
        return [parameter for parameter in self.parameters if not parameter.get("optional")]

    @property
    def lists(self) -> bool:
        """Whether the result is a list, as the name tells."""
        return split_words(self.name)[:1] in (["search"], ["list"], ["find"], ["rank"], ["recommend"])


@dataclass(frozen=True)
class ServiceView:
    """What a writing player knows of a domain."""

    name: str
    tools: tuple[ViewTool, ...]
    types: dict[str, str]
    """Entity with underscores -> JSON type."""

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the tools."""
        return frozenset(tool.name for tool in self.tools)

    def type_of(self, name: str, fallback: str = "string") -> str:
        """The type that a name has here: as settled, as another tool asks for it, or the fallback."""
        settled = self.types.get("_".join(split_words(name)))
        if settled is None:
            asked = (part["type"] for tool in self.tools for part in tool.parameters if part["name"] == name)
            settled = next((kind for kind in asked if isinstance(kind, str)), fallback)
        return settled if settled in ("string", "integer", "number", "boolean") else fallback

    def finders(self, noun: str) -> Iterator[ViewTool]:
        """Tools by which one can get at things of that name."""
        forms = {noun, plural(noun), singular(noun)}
        for tool in self.tools:
            if tool.verb in READ_VERBS and forms & {tool.noun, plural(tool.noun), singular(tool.noun)}:
                yield tool


def read_service(request: Request) -> ServiceView:
    """The view that the request's blocks give."""
    blocks = request.blocks
    service: dict[str, Any] = blocks.get("service") or {}
    return ServiceView(
        str(service.get("name") or "service"),
        tuple(
            ViewTool(str(tool["name"]), str(tool.get("description", "")), tuple(tool.get("parameters", ())))
            for tool in blocks["tools"]
        ),
        dict(blocks.get("types") or {}),
    )


def parameter(
    name: str, kind: str, description: str, *, required: bool = True, values: Sequence[str] = ()
) -> dict[str, Any]:
    """One parameter of a drafted tool, as schemas.replies.ParameterDraft has it."""
    return {
        "name": name,
        "type": kind,
        "items": "none",
        "description": description,
        "required": required,
        "values": list(values),
    }


def draft(name: str, description: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    """One drafted tool, as schemas.replies.SpecDraft has it."""
    return {"name": name, "description": description, "parameters": list(parameters)}
