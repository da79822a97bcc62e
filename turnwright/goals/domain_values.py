"""Where the values of a domain's calls come from: said by the person, or found in an earlier result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from schemas.goals import ArgumentSource, KnownDetail
from turnwright.goals.words import comparable, say_value
from turnwright.validation.values import names


@dataclass(frozen=True)
class Earlier:
    """An earlier call of the plan, with its result."""

    id: str
    result: Any


def list_leaves(value: Any, path: str = "", *, keys: bool = True) -> Iterator[tuple[str, Any]]:
    """The scalars of a JSON value with their dotted paths; with `keys` the keys of objects too: ids often are keys."""
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            inner = f"{path}.{key}" if path else key
            if keys:
                yield inner, key
            yield from list_leaves(item, inner, keys=keys)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(cast("Sequence[Any]", value)):
            yield from list_leaves(item, f"{path}.{position}" if path else str(position), keys=keys)
    else:
        yield path, value


def find_path(result: Any, value: Any) -> str | None:
    """The dotted path at which a scalar stands in a result, or none."""
    wanted = comparable(value)
    return next((path for path, leaf in list_leaves(result) if leaf is not None and comparable(leaf) == wanted), None)


def is_known(value: Any, known: Sequence[KnownDetail]) -> bool:
    """Whether the person can say a scalar: it is one of the details, or a part of one as a name is of a full name."""
    if value == "":
        return True
    wanted = comparable(value)
    return any(comparable(detail.value) == wanted or names(value, say_value(detail.value)) for detail in known)


def trace_argument(value: Any, known: Sequence[KnownDetail], earlier: Sequence[Earlier]) -> ArgumentSource | None:
    """Where an argument comes from, or none where a part of it is neither known nor found.

    Of a list or an object every scalar must be known or found; its source is the last call that one of them needs.
    """
    if not isinstance(value, list | dict):
        return _trace_leaf(value, known, earlier)
    used: list[int] = []
    for _, leaf in list_leaves(cast(Any, value), keys=False):
        source = _trace_leaf(leaf, known, earlier)
        if source is None:
            return None
        if source.call is not None:
            used.append(next(index for index, call in enumerate(earlier) if call.id == source.call))
    if not used:
        return ArgumentSource(kind="user")
    return ArgumentSource(kind="result", call=earlier[max(used)].id)


def _trace_leaf(value: Any, known: Sequence[KnownDetail], earlier: Sequence[Earlier]) -> ArgumentSource | None:
    if is_known(value, known):
        return ArgumentSource(kind="user")
    for call in reversed(earlier):
        path = find_path(call.result, value)
        if path is not None:
            return ArgumentSource(kind="result", call=call.id, field=path)
    return None
