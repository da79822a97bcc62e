"""Purposes: plain statements of what a goal call achieves, usable after `I want to`.

The forms are listed in turnwright/selfplay/task_writer.py. Everything in a purpose is known to the person: values come
from the details of calls, never from their results.
"""

import re
from collections.abc import Mapping, Sequence

from schemas.tools import Tool
from turnwright.goals.drafts import Detail, DraftCall
from turnwright.goals.facts import Told, name_output
from turnwright.goals.keys import Keys, main_binding
from turnwright.goals.words import join_words, name_entity, name_role, naming_column, say_value
from turnwright.tools.naming import READ_VERBS, WRITE_VERBS, to_words

_BOUNDS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
_SEE = "get gets fetch fetches retrieve retrieves return returns show shows display displays list lists view views give gives provide".split()
_FIND_OUT = "calculate calculates compute computes determine determines check checks".split()
_FIND = "find finds search searches look".split()
_VERBS = {*READ_VERBS, *(verb for verbs in WRITE_VERBS.values() for verb in verbs)}
_ASIDE = re.compile(r"\s*\([^)]*\)|\s*\[[^\]]*\]")
_BY_KEY = re.compile(
    r",?\s+(?:by|from|with|for|using|given|identified by|based on)\s+(?:(?:its|their|his|her|the|a|an)\s+)?(?:[\w ]{0,30}?\s)?(?:IDs?|ids?|identifiers?|keys?)\b",
)


class Speaker:
    """Says what calls are about; `calls` are all calls of the plan so far, by id."""

    def __init__(self, keys: Keys, calls: Mapping[str, DraftCall]) -> None:
        self._keys = keys
        self._calls = calls

    def purpose(self, goals: Sequence[DraftCall], told: Sequence[Told]) -> str:
        """What one objective achieves. Several goals are the same read of different things."""
        goal = goals[0]
        if goal.tool.verb == "update" and (change := self._change(goal)):
            return change
        if goal.tool.verb == "insert":
            return self._addition(goal)
        if goal.tool.verb == "delete":
            return f"remove {self._subject(goal, goal.tool.target)}"
        named = all(detail.operator in ("=", "like", "in") for call in goals for detail in call.details)
        stored = all(one.rows == 1 and all(field.table for field in one.fields) for one in told)
        if named and stored and told and self._things(goal):
            own = self._own_table(goal, told[0])
            labels = dict.fromkeys(f"the {name_output(field, self._keys, own)}" for field in told[0].fields)
            subjects = [f"of {self._subject(call, own)}" for call in goals]
            return f"find out {join_words(list(labels))} {join_words(subjects)}"
        return self._described(goals)

    def entity(self, call: DraftCall, noun: str | None = None) -> str:
        """The row that a look-up finds, in the person's words; `noun` is what it is in the sentence."""
        return self._subject(call, call.about, noun)

    def _subject(self, call: DraftCall, table: str | None, noun: str | None = None) -> str:
        """The row of `table` that a call is about: by its own details, or as something of what was found before."""
        home = (table or "").lower()
        things = self._things(call, home)
        same = [thing for at, thing in things if at == home]
        owners = [thing for at, thing in things if at != home]
        own = [detail for detail in _choosing(call) if (detail.table or "").lower() == home]
        if not home or (
            not own and not same and len(owners) == 1 and call.about is None and call.tool.verb == "select"
        ):
            return join_words(same + owners)
        head = same[0] if same else f"the {noun or name_entity(home)}"
        if own and (same or owners):
            head += f" with {join_words([f'the {detail.short} {say_value(detail.value)}' for detail in own])}"
        elif own:
            head += f" {' and '.join(_clause(detail) for detail in own)}"
        return f"{head} of {join_words(owners)}" if owners else head

    def _things(self, call: DraftCall, own: str = "") -> list[tuple[str, str]]:
        """What a call is about: what was found before, then what its details describe in tables other than `own`."""
        found = [(self._home(call.tool, name), thing) for name, thing in self._references(call)]
        by_table: dict[str, list[Detail]] = {}
        for detail in _choosing(call):
            by_table.setdefault((detail.table or "").lower(), []).append(detail)
        for table, details in by_table.items():
            if table != own and table:
                clauses = " and ".join(_clause(detail) for detail in details)
                found.append((table, f"the {name_entity(table)} {clauses}"))
        return list(dict.fromkeys(found))

    def _own_table(self, goal: DraftCall, told: Told) -> str | None:
        """The table whose row is asked about: that of the first thing named, unless several things lead to another one."""
        things = self._things(goal)
        tables = {(field.table or "").lower() for field in told.fields}
        if len(tables) == 1 and len({table for table, _ in things}) > 1:
            return next(iter(tables))
        return things[0][0]

    def _home(self, tool: Tool, parameter: str) -> str:
        """The table whose rows a key parameter names, lower case."""
        binding = main_binding(tool, parameter)
        place = self._keys.place(binding.table, binding.column) if binding else None
        if place is None:
            return ""
        return (place[1].references[0] if place[1].references else place[0].name).lower()

    def _role(self, tool: Tool, parameter: str) -> str:
        binding = main_binding(tool, parameter)
        place = self._keys.place(binding.table, binding.column) if binding else None
        home = self._home(tool, parameter)
        return name_role(place[1], home) if place is not None and place[1].references else name_entity(home)

    def _references(self, call: DraftCall, written: bool = False) -> list[tuple[str, str]]:
        """Parameters filled from earlier results, with the thing that each names."""
        found: list[tuple[str, str]] = []
        for name, source in call.sources.items():
            binding = main_binding(call.tool, name)
            is_set = binding is not None and binding.operator == "set"
            if source.call is None or is_set != written:
                continue
            noun = self._role(call.tool, name)
            found.append(
                (name, self._earlier(self._calls[source.call], self._home(call.tool, name), noun, source.field))
            )
        return found

    def _earlier(self, earlier: DraftCall, home: str, noun: str, field: str | None) -> str:
        if earlier.about is not None and earlier.about.lower() == home:
            return self.entity(earlier, noun)
        named = [
            detail
            for detail in _choosing(earlier)
            if (detail.table or "").lower() == home and detail.operator in ("=", "like")
        ]
        if named and not any(source.call for source in earlier.sources.values()):
            return f"the {noun} {' and '.join(_clause(detail) for detail in named)}"
        for name, thing in self._references(earlier):
            if self._home(earlier.tool, name) == home:
                return thing
        output = next((output for output in earlier.tool.outputs if output.name == field), None)
        place = self._keys.place(output.table, output.column) if output else None
        role = name_role(place[1], home) if place is not None and place[1].references else name_entity(home)
        return f"the {role} of {self.entity(earlier)}" if earlier.about is not None else f"that {role}"

    def _change(self, call: DraftCall) -> str | None:
        new = [detail for detail in call.details if detail.operator == "set"]
        moved = self._references(call, written=True)
        if not (new or moved) or not self._things(call):
            return None
        changes = [(f"the {detail.short}", say_value(detail.value)) for detail in new]
        changes += [(f"the {self._role(call.tool, name)}", thing) for name, thing in moved]
        first, *others = changes
        text = f"change {first[0]} of {self._subject(call, call.tool.target)} to {first[1]}"
        return text + "".join(f", and {label} to {value}" for label, value in others)

    def _addition(self, call: DraftCall) -> str:
        told = [
            f"the {detail.short} {say_value(detail.value)}" for detail in call.details if detail.operator == "values"
        ]
        owners = list(dict.fromkeys(thing for _, thing in self._references(call)))
        text = f"add a new {name_entity(call.tool.target or '')}"
        if told:
            text += f" with {join_words(told)}"
        return f"{text}, for {join_words(owners)}" if owners else text

    def _described(self, goals: Sequence[DraftCall]) -> str:
        phrase = verb_phrase(goals[0].tool.description)
        things: list[str] = []
        bounds: list[str] = []
        for call in goals:
            things += [thing for _, thing in self._references(call)]
            for detail in call.details:
                if detail.operator == "limit":
                    bounds.append(f"only the first {say_value(detail.value)}")
                elif detail.operator == "!=":
                    bounds.append(f"leaving out the {detail.label} {say_value(detail.value)}")
                elif detail.table is None:
                    bounds.append(f"with at least {say_value(detail.value)} {detail.label}")
                elif detail.operator in _BOUNDS:
                    bounds.append(f"with a {detail.label} {_BOUNDS[detail.operator]} {say_value(detail.value)}")
                else:
                    things.append(self._mention(detail))
        text = f"{phrase}, for {join_words(list(dict.fromkeys(things)))}" if things else phrase
        return ", ".join([text, *dict.fromkeys(bounds)])

    def _mention(self, detail: Detail) -> str:
        place = self._keys.place(detail.table, detail.column)
        if place is not None and naming_column(place[0]) == place[1].name:
            return f"the {name_entity(place[0].name)} whose {detail.short} is {say_value(detail.value)}"
        return f"the {detail.label} {say_value(detail.value)}"


def _choosing(call: DraftCall) -> list[Detail]:
    """Details that say which rows are meant."""
    return [detail for detail in call.details if detail.operator not in ("set", "values", "limit")]


def _clause(detail: Detail) -> str:
    value = say_value(detail.value)
    if detail.operator in _BOUNDS:
        return f"with a {detail.short} {_BOUNDS[detail.operator]} {value}"
    return f"whose {detail.short} {'is not' if detail.operator == '!=' else 'is'} {value}"


def verb_phrase(description: str) -> str:
    """A tool's description as what someone wants to do: `Lists the orders of a customer by ID.` gives `see the orders of
    a customer`.
    """
    first = re.split(r"(?<=[a-z)\d])\.(?:\s|$)", description.strip(), maxsplit=1)[0]
    first = _BY_KEY.sub("", _ASIDE.sub("", first)).strip(" .:;,`")
    text = " ".join(to_words(word) if "_" in word else word for word in first.split())
    head, _, rest = text.partition(" ")
    word = head.lower().rstrip(",:")
    if word in _FIND:
        return f"find {re.sub(r'^(?:up|for) ', '', rest)}"
    if word in ("count", "counts"):
        return f"find out the number of {re.sub(r'^(?:the number of|how many|the) ', '', rest)}"
    if word in _FIND_OUT:
        return f"find out {re.sub(r'^(?:out) ', '', rest)}"
    if word in _SEE:
        return f"{'find out' if re.match(r'(?:the )?(?:number|total|average|count|share|how|which|what)', rest) else 'see'} {rest}"
    if word in ("which", "what", "how", "the", "number", "total", "average"):
        return f"find out {text[0].lower()}{text[1:]}"
    if rest and (imperative := next((verb for verb in (word, word.removesuffix("s")) if verb in _VERBS), None)):
        return f"{imperative} {rest}"
    return f"see {text[:1].lower()}{text[1:]}" if text[1:2].islower() else f"see {text}"
