"""Every tool that the embedded tool writer can think of for a database, the most useful first."""

from collections.abc import Callable, Iterator

from turnwright.selfplay import read_drafts, write_drafts
from turnwright.selfplay.database_view import DatabaseView
from turnwright.selfplay.table_sketch import TableSketch, ToolDraft

MAIN_TABLES = 6
"""Tables that get tools of every shape first; the others come after them."""

_Shape = Callable[[TableSketch], Iterator[ToolDraft]]
_LOOKUPS: tuple[_Shape, ...] = (
    read_drafts.draft_search,
    read_drafts.draft_list_by_parent,
    read_drafts.draft_list_by_group,
    read_drafts.draft_list_in_range,
    read_drafts.draft_list_all,
)
"""Ways to find a row without its id, the best first."""
_SHAPES: tuple[_Shape, ...] = (
    read_drafts.draft_list_by_parent,
    write_drafts.draft_update,
    read_drafts.draft_count_per_group,
    read_drafts.draft_list_top,
    write_drafts.draft_create,
    read_drafts.draft_share,
    read_drafts.draft_list_of_parent,
    write_drafts.draft_delete,
    read_drafts.draft_list_by_group,
    read_drafts.draft_list_in_range,
    read_drafts.draft_summarise,
    read_drafts.draft_list_partners,
)
_JUNCTION_SHAPES: tuple[_Shape, ...] = (
    read_drafts.draft_list_partners,
    write_drafts.draft_create,
    write_drafts.draft_delete,
    read_drafts.draft_list_in_range,
    write_drafts.draft_update,
)
"""Of a table that only joins two others, what goes with what matters, not its rows."""


def list_drafts(view: DatabaseView) -> list[ToolDraft]:
    """All drafts, each name once: by turns over the main tables, each beginning with what makes its rows known."""
    ranked = view.ranked
    main, others = ranked[:MAIN_TABLES], ranked[MAIN_TABLES:]
    referred = {parent[0].name for table in main for column in table.references if (parent := view.parent(column))}
    drafts: dict[str, ToolDraft] = {}
    # What the main tables refer to must be found too, before anything else of it is of use.
    for table in (*main, *(table for table in others if table.name in referred)):
        draft = _find_lookup(TableSketch(view, table))
        if draft is not None:
            drafts.setdefault(draft.name, draft)
    for group in (main, others):
        queues = [_draft_table(TableSketch(view, table), 3 * position) for position, table in enumerate(group)]
        for draft in _take_turns(queues):
            drafts.setdefault(draft.name, draft)
    return list(drafts.values())


def _find_lookup(sketch: TableSketch) -> ToolDraft | None:
    """The best way to find a row; none for a table that only joins others, or whose key people know."""
    known = not any(column.surrogate for column in sketch.table.key)
    if sketch.table.junction or (known and not sketch.table.labels):
        return None
    return next(draft for shape in _LOOKUPS for draft in shape(sketch))


def _draft_table(sketch: TableSketch, rotation: int) -> list[ToolDraft]:
    """One row by its key, then the other shapes from another one on for each table, so that a domain has all shapes."""
    if sketch.table.junction:
        return _take_turns([list(shape(sketch)) for shape in _JUNCTION_SHAPES])
    others = [drafts for shape in _SHAPES if (drafts := list(shape(sketch)))]
    turn = rotation % len(others) if others else 0
    return [*read_drafts.draft_get(sketch), *_take_turns([*others[turn:], *others[:turn]])]


def _take_turns(queues: list[list[ToolDraft]]) -> list[ToolDraft]:
    """The first of each queue, then the second of each, and so on."""
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
