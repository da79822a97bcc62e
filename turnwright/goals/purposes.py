"""Purposes: plain statements of what a goal call achieves, usable after `I want to`.

The forms are listed in turnwright/selfplay/task_writer.py. Everything in a purpose is known to the person: values come
from the details of calls, never from their results.
"""

from collections.abc import Mapping, Sequence

from schemas.tools import OutputField, ParameterBinding, SqlTool
from turnwright.goals.drafts import Detail, DraftCall
from turnwright.goals.facts import Told, name_output
from turnwright.goals.keys import Keys, RowName, main_binding
from turnwright.goals.selection import is_plain_selection
from turnwright.goals.verb_phrases import verb_phrase
from turnwright.goals.words import DIRECTIONS, join_words, name_column, name_entity, name_role, naming_column, say_value
from turnwright.tools.naming import plural, to_words

_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_SPANS = {">=": "not before", "<=": "not after", ">": "after", "<": "before"}


class Speaker:
    """Says what calls are about; `calls` are all calls of the plan so far, by id."""

    def __init__(self, keys: Keys, calls: Mapping[str, DraftCall]) -> None:
        self._keys = keys
        self._dialect = keys.database.dialect
        self._calls = calls

    def purpose(self, goals: Sequence[DraftCall], told: Sequence[Told]) -> str:
        """What one objective achieves. Several goals are the same read of different things."""
        goal = goals[0]
        if goal.tool.verb == "update" and (change := self._change(goal)):
            return change
        if goal.tool.verb == "insert":
            return self._addition(goal)
        if goal.tool.verb == "delete":
            return f"remove {self._subject(goal, _target(goal))}"
        named = all(detail.operator in ("=", "like", "in") for call in goals for detail in call.details)
        stored = all(one.rows == 1 and all(field.table for field in one.fields) for one in told)
        if named and stored and told and self._things(goal):
            own = self._own_row(goal, told[0])
            labels = dict.fromkeys(f"the {name_output(field, self._keys, own)}" for field in told[0].fields)
            subjects = [f"of {self._subject(call, own)}" for call in goals]
            return f"find out {join_words(list(labels))} {join_words(subjects)}"
        if len(goals) == 1 and told and (listed := self._listed(goal, told[0])):
            return listed
        return self._described(goals)

    def _listed(self, call: DraftCall, told: Told) -> str | None:
        """A list of rows that the arguments alone choose, without the tool's words; none where more is in it."""
        shown = told.fields[0]
        place = self._keys.place(shown.table, shown.column)
        if place is None or len(told.fields) > 1 or not is_plain_selection(call.tool.sql, self._dialect):
            return None
        table, column = place
        home = (table.name.lower(), shown.via)
        own = [detail for detail in _choosing(call) if _row_of(detail) == home]
        things = self._things(call, home)
        if any(at == home for at, _ in things) or any(detail.table is None for detail in _choosing(call)):
            return None
        noun = plural(self._noun(home))
        head = (
            f"see the {noun}"
            if naming_column(table) == column.name
            else f"see the {_plural_label(name_column(*place))} of the {noun}"
        )
        if own:
            head += f" {_join_clauses(own)}"
        if things:
            head += f" of {join_words([thing for _, thing in things])}"
        limits = [detail for detail in call.details if detail.operator == "limit"]
        return f"{head}, only the first {say_value(limits[0].value)}" if limits else head

    def entity(self, call: DraftCall, noun: str | None = None) -> str:
        """The row that a look-up finds, in the person's words; `noun` is what it is in the sentence."""
        return self._subject(call, ((call.about or "").lower(), call.about_via), noun)

    def _noun(self, row: RowName) -> str:
        return self._keys.role(row[1]) or name_entity(row[0])

    def _subject(self, call: DraftCall, home: RowName, noun: str | None = None) -> str:
        """The row that a call is about: by its own details, or as something of what was found before."""
        things = self._things(call, home)
        same = [thing for at, thing in things if at == home]
        owners = [thing for at, thing in things if at != home]
        own = [detail for detail in _choosing(call) if _row_of(detail) == home]
        if not home[0] or (
            not own and not same and len(owners) == 1 and call.about is None and call.tool.verb == "select"
        ):
            return join_words(same + owners)
        head = same[0] if same else f"the {noun or self._noun(home)}"
        if own and (same or owners):
            head += f" with {join_words([f'the {detail.short} {say_value(detail.value)}' for detail in own])}"
        elif own:
            head += f" {_join_clauses(own)}"
        return f"{head} of {join_words(owners)}" if owners else head

    def _things(self, call: DraftCall, own: RowName | None = None) -> list[tuple[RowName, str]]:
        """What a call is about: what was found before, then what its details describe in rows but `own`."""
        found = [(self._home(call.tool, name), thing) for name, thing in self._references(call)]
        by_row: dict[RowName, list[Detail]] = {}
        for detail in _choosing(call):
            by_row.setdefault(_row_of(detail), []).append(detail)
        for row, details in by_row.items():
            if row != own and row[0]:
                found.append((row, f"the {self._noun(row)} {_join_clauses(details)}"))
        return list(dict.fromkeys(found))

    def _own_row(self, goal: DraftCall, told: Told) -> RowName:
        """The row that is asked about: that of the first thing named, unless several lead to another."""
        things = self._things(goal)
        rows = {((field.table or "").lower(), field.via) for field in told.fields}
        if len(rows) == 1 and len({row for row, _ in things}) > 1:
            return next(iter(rows))
        return things[0][0]

    def _home(self, tool: SqlTool, parameter: str) -> RowName:
        """The row that a key parameter names; no certain one of its table where it can be any of several."""
        binding = main_binding(tool, parameter)
        if binding is None:
            return "", ()
        own = [one for one in tool.bindings if one.name == parameter and one.column is not None]
        homes = [self._keys.row(one.table, one.column, one.via) for one in own]
        home = self._keys.row(binding.table, binding.column, binding.via)
        return home if all(other == home for other in homes if other[0] == home[0]) else (home[0], ())

    def _role(self, tool: SqlTool, parameter: str) -> str:
        binding = main_binding(tool, parameter)
        home = self._home(tool, parameter)
        return self._keys.role(home[1]) or self._plain_role(binding, home)

    def _plain_role(self, shown: ParameterBinding | OutputField | None, home: RowName) -> str:
        place = self._keys.place(shown.table, shown.column) if shown else None
        return name_role(place[1], home[0]) if place is not None and place[1].references else name_entity(home[0])

    def _references(self, call: DraftCall, written: bool = False) -> list[tuple[str, str]]:
        """Parameters filled from earlier results, with the thing that each names."""
        found: list[tuple[str, str]] = []
        for name, source in call.sources.items():
            binding = main_binding(call.tool, name)
            is_set = binding is not None and binding.operator == "set"
            if source.call is None or is_set != written:
                continue
            home = self._home(call.tool, name)
            # `change the from club to the club …`, `from the club …`: the sentence says the role before.
            said = is_set or (call.tool.verb == "insert" and self._direction(call.tool, name))
            noun = self._plain_role(binding, home) if said and binding else self._role(call.tool, name)
            thing = self._earlier(self._calls[source.call], home[0], noun, source.field)
            role = "" if said else self._keys.role(home[1])
            # The to club of one transfer can be wanted as the from club of others.
            other = role and not thing.startswith(f"the {role} ")
            found.append((name, f"the {role} that is {thing}" if other else thing))
        return found

    def _earlier(self, earlier: DraftCall, home: str, noun: str, field: str | None) -> str:
        """The row of the table `home` whose key a field of an earlier result is."""
        if earlier.about is not None and earlier.about.lower() == home:
            return self.entity(earlier, noun)
        output = next((output for output in earlier.tool.outputs if output.name == field), None)
        row = self._keys.row(output.table, output.column, output.via) if output else (home, ())
        named = [
            detail
            for detail in _choosing(earlier)
            if _row_of(detail) == (home, row[1]) and detail.operator in ("=", "like")
        ]
        if named and not any(source.call for source in earlier.sources.values()):
            return f"the {noun} {_join_clauses(named)}"
        for name, thing in self._references(earlier):
            if self._home(earlier.tool, name) == (home, row[1]):
                return thing
        role = self._keys.role(row[1]) or self._plain_role(output, (home, ()))
        return f"the {role} of {self.entity(earlier)}" if earlier.about is not None else f"that {role}"

    def _change(self, call: DraftCall) -> str | None:
        new = [detail for detail in call.details if detail.operator == "set"]
        moved = self._references(call, written=True)
        if not (new or moved) or not self._things(call):
            return None
        changes = [(f"the {detail.short}", say_value(detail.value)) for detail in new]
        changes += [(f"the {self._role(call.tool, name)}", thing) for name, thing in moved]
        first, *others = changes
        text = f"change {first[0]} of {self._subject(call, _target(call))} to {first[1]}"
        return text + "".join(f", and {label} to {value}" for label, value in others)

    def _addition(self, call: DraftCall) -> str:
        told = [
            f"the {detail.short} {say_value(detail.value)}" for detail in call.details if detail.operator == "values"
        ]
        references = self._references(call)
        owners = list(dict.fromkeys(thing for name, thing in references if not self._direction(call.tool, name)))
        text = f"add a new {name_entity(call.tool.target or '')}"
        if told:
            text += f" with {join_words(told)}"
        if owners:
            text += f", for {join_words(owners)}"
        for name, thing in references:
            if direction := self._direction(call.tool, name):
                text += f", {direction} {thing}"
        return text

    def _direction(self, tool: SqlTool, parameter: str) -> str:
        """`from` or `to` where the column of a reference begins so."""
        binding = main_binding(tool, parameter)
        first = to_words(binding.column).split()[0] if binding and binding.column else ""
        return first if first in DIRECTIONS else ""

    def _described(self, goals: Sequence[DraftCall]) -> str:
        phrase = verb_phrase(goals[0].tool.description)
        things: list[str] = []
        rest: list[str] = []
        for call in goals:
            things += [thing for _, thing in self._references(call)]
            things += [
                self._mention(detail)
                for detail in call.details
                if detail.operator in ("=", "like", "in", "set", "values")
            ]
            rest += _say_bounds([detail for detail in call.details if detail.operator in _BOUNDS], full=True)
            for detail in call.details:
                if detail.operator == "!=":
                    rest.append(f"leaving out the {detail.label} {say_value(detail.value)}")
                elif detail.operator == "limit":
                    rest.append(f"only the first {say_value(detail.value)}")
        text = f"{phrase}, for {join_words(list(dict.fromkeys(things)))}" if things else phrase
        return ", ".join([text, *dict.fromkeys(rest)])

    def _mention(self, detail: Detail) -> str:
        place = self._keys.place(detail.table, detail.column)
        if place is not None and naming_column(place[0]) == place[1].name:
            return f"the {self._noun(_row_of(detail))} whose {detail.short} is {say_value(detail.value)}"
        return f"the {detail.label} {say_value(detail.value)}"


def _target(call: DraftCall) -> RowName:
    return (call.tool.target or "").lower(), ()


def _row_of(detail: Detail) -> RowName:
    return (detail.table or "").lower(), detail.via


def _choosing(call: DraftCall) -> list[Detail]:
    """Details that say which rows are meant."""
    return [detail for detail in call.details if detail.operator not in ("set", "values", "limit")]


def _join_clauses(details: Sequence[Detail]) -> str:
    """`whose name is X and whose town is Y`, `with an age of at least 20 and at most 40`."""
    clauses = [
        f"whose {detail.short} {'is not' if detail.operator == '!=' else 'is'} {say_value(detail.value)}"
        for detail in details
        if detail.operator not in _BOUNDS
    ]
    return " and ".join([*clauses, *_say_bounds([detail for detail in details if detail.operator in _BOUNDS])])


def _say_bounds(details: Sequence[Detail], full: bool = False) -> list[str]:
    """Bounds, those of the same thing together; `full` says whose they are."""
    grouped: dict[str, list[Detail]] = {}
    for detail in sorted(details, key=lambda detail: detail.operator, reverse=True):
        grouped.setdefault(detail.label if full else detail.short, []).append(detail)
    said: list[str] = []
    for label, bounds in grouped.items():
        if bounds[0].table is None:
            said.append(f"with at least {say_value(bounds[0].value)} {label}")
            continue
        article = "an" if label[0] in "aeiou" else "a"
        dated = isinstance(bounds[0].value, str)
        words = (_SPANS if dated else _BOUNDS)[bounds[0].operator]
        text = f"with {article} {label} {'' if dated else 'of '}{words} {say_value(bounds[0].value)}"
        for bound in bounds[1:]:
            text += f" and {(_SPANS if dated else _BOUNDS)[bound.operator]} {say_value(bound.value)}"
        said.append(text)
    return said


def _plural_label(label: str) -> str:
    """`dates of birth`, `song names`."""
    head, of, rest = label.partition(" of ")
    when, _, event = head.partition(" ")
    if when in ("date", "year") and event.endswith(("ed", "t", "n")):
        return f"{when}s {event}{of}{rest}"
    return f"{plural(head)}{of}{rest}"
