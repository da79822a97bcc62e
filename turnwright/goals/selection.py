"""Whether a tool lists exactly the rows that its arguments choose, so that code can say what it lists."""

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


@lru_cache(maxsize=4096)
def is_plain_selection(sql: str, dialect: str) -> bool:
    """Whether a statement is one SELECT whose every condition has a parameter, and which neither groups nor computes.

    `WHERE member_id = :member_id` is plain; `… AND returned IS NULL` is not: what it means stands in the description.
    """
    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except SqlglotError:
        return False
    if not isinstance(tree, exp.Select) or any(tree.args.get(part) for part in ("group", "having", "with_", "with")):
        return False
    if any(node is not tree for node in tree.find_all(exp.Select)) or next(tree.find_all(exp.AggFunc), None):
        return False
    where = tree.args.get("where")
    conditions = (
        list(where.this.flatten()) if where and isinstance(where.this, exp.And) else [where.this] if where else []
    )
    return bool(conditions) and all(next(part.find_all(exp.Placeholder), None) for part in conditions)
