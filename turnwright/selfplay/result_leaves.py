"""The scalars of a result of any shape, and which of them a parameter means."""

from dataclasses import dataclass
from typing import Any, cast

from turnwright.selfplay.errand_tools import ErrandParameter, ErrandTool
from turnwright.selfplay.words import say_value, split_name, squeeze, stem

_MOST_LEVELS = 6
_MOST_LEAVES = 200


@dataclass(frozen=True)
class Leaf:
    """One scalar of a result."""

    path: tuple[str, ...]
    value: Any

    @property
    def words(self) -> frozenset[str]:
        """Stems of its own name."""
        return frozenset(stem(word) for word in split_name(self.path[-1])) if self.path else frozenset()

    @property
    def around(self) -> frozenset[str]:
        """Stems of its name and of what it lies in."""
        return frozenset(stem(word) for key in self.path[-2:] for word in split_name(key))


def list_leaves(value: Any) -> list[Leaf]:
    """The scalars of a result in order, of each list the first item only."""
    found: list[Leaf] = []

    def walk(node: Any, path: tuple[str, ...], level: int) -> None:
        if level > _MOST_LEVELS or len(found) >= _MOST_LEAVES:
            return
        if isinstance(node, dict):
            for key, inner in cast("dict[str, Any]", node).items():
                walk(inner, (*path, str(key)), level + 1)
        elif isinstance(node, list):
            items = cast("list[Any]", node)
            if items:
                walk(items[0], path, level + 1)
        elif node is not None and path:
            found.append(Leaf(path, node))

    walk(value, (), 0)
    return found


def match_leaf(parameter: ErrandParameter, owner: ErrandTool | None, result: Any) -> Leaf | None:
    """The value of a result that a parameter means: of the same name, or the identifier of the thing it is about."""
    leaves = [leaf for leaf in list_leaves(result) if fit_type(parameter, leaf.value) is not None]
    same = [leaf for leaf in leaves if squeeze(leaf.path[-1]) == squeeze(parameter.path[-1])]
    if same:
        return same[0]
    keys = [leaf for leaf in leaves if "id" in leaf.words]
    core = owner.core if owner is not None else frozenset[str]()
    for leaf in keys:
        thing = (leaf.around - {"id"}) or core
        named = leaf.words - {"id"}
        if parameter.entity & thing or (named and named <= parameter.described):
            return leaf
    return None


def fit_type(parameter: ErrandParameter, value: Any) -> Any:
    """A value as it can be given for a parameter, or none."""
    if isinstance(value, dict | list) or value is None:
        return None
    if parameter.kind == "string":
        return value if isinstance(value, str) else say_value(value)
    if parameter.kind in ("integer", "number"):
        whole = isinstance(value, int | float) and not isinstance(value, bool)
        return value if whole and (parameter.kind == "number" or float(value).is_integer()) else None
    if parameter.kind == "array":
        return [value]
    return value if parameter.kind == "boolean" and isinstance(value, bool) else None
