"""The digest by which two statements are known to do the same, however they are written."""

from itertools import count
from typing import cast

from sqlglot import exp

from schemas.content import digest
from turnwright.tools.sql_names import Names


def digest_statement(tree: exp.Expr, names: Names) -> str:
    """Digest of a resolved statement's normalised syntax tree.

    It does not change with alias or parameter names, white space, quoting, the case of identifiers, the order of what
    AND and OR join, the sides of a comparison, or the order of result columns.
    """
    text = _Normaliser(names).write(tree)
    numbers: dict[str, str] = {}
    parts: list[str] = []
    for part in text.split("\x00"):
        # Parameters are numbered only now, so that the number does not depend on the order in which AND was written.
        parts.append(numbers.setdefault(part, f":{len(numbers)}") if part.startswith("\x01") else part)
    return digest("".join(parts))


class _Normaliser:
    def __init__(self, names: Names) -> None:
        self.names = names
        self.tables: dict[str, str] = {}
        self.numbers = count()
        self.aliases: dict[str, exp.Expr] = {}

    def write(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Select):
            self.enter(node)
        if isinstance(node, exp.Placeholder):
            return f"\x00\x01{node.this}\x00"
        if isinstance(node, exp.Column):
            return self.column(node)
        if isinstance(node, exp.Table):
            return self.tables.get(node.alias_or_name.lower(), node.name.lower())
        if isinstance(node, (exp.Alias, exp.Paren)):
            return self.write(node.this)
        if isinstance(node, exp.Identifier):
            return node.name.lower()
        if isinstance(node, exp.Literal):
            return repr(str(node.this)) if node.is_string else str(node.this)
        if isinstance(node, (exp.And, exp.Or)):
            return f"{node.key}({','.join(self.ordered(list(node.flatten())))})"
        if isinstance(node, (exp.EQ, exp.NEQ)) and not isinstance(node.parent, exp.Update):
            return f"{node.key}({','.join(self.ordered([node.this, node.expression]))})"
        if isinstance(node, (exp.GT, exp.GTE)):
            flipped = "lt" if isinstance(node, exp.GT) else "lte"
            return f"{flipped}(expression={self.write(node.this)},this={self.write(node.expression)})"
        return f"{node.key}({','.join(self.arguments(node))})"

    def enter(self, select: exp.Select) -> None:
        for source in self.names.sources.get(id(select), ()):
            base = source.table.name.lower() if source.table else "derived"
            self.tables[source.name.lower()] = f"{base}#{next(self.numbers)}"
        self.aliases |= {item.alias.lower(): item.this for item in select.expressions if isinstance(item, exp.Alias)}

    def column(self, node: exp.Column) -> str:
        if id(node) in self.names.aliases:
            named = self.aliases.get(node.name.lower())
            return self.write(named) if named is not None else node.name.lower()
        qualifier = self.tables.get(node.table.lower()) if node.table else None
        if qualifier is None:
            origin = self.names.origins.get(id(node))
            fits = [name for name in self.tables.values() if origin and name.startswith(f"{origin.table.lower()}#")]
            qualifier = fits[-1] if fits else ""
        return f"{qualifier}.{node.name.lower()}"

    def arguments(self, node: exp.Expr) -> list[str]:
        written: list[str] = []
        for key, value in sorted(node.args.items()):
            if key in {"alias", "nulls_first"} or value in (None, False, []):
                continue
            items = cast("list[object]", value if isinstance(value, list) else [value])
            nodes = [item for item in items if isinstance(item, exp.Expr)]
            texts = [self.write(item) for item in nodes] if len(nodes) == len(items) else [str(item) for item in items]
            if key == "expressions" and isinstance(node, exp.Select):
                texts.sort(key=_without_names)
            written.append(f"{key}={';'.join(texts)}")
        return written

    def ordered(self, nodes: list[exp.Expr]) -> list[str]:
        return sorted((self.write(node) for node in nodes), key=_without_names)


def _without_names(text: str) -> str:
    parts = text.split("\x00")
    return "".join("?" if part.startswith("\x01") else part for part in parts)
