"""What can be proved of a plan whose tools cannot run: that it is whole, fits the specifications and can be said."""

from schemas.tools import SpecTool
from turnwright.goals.drafts import Draft, DraftCall
from turnwright.goals.field_matching import list_output_fields
from turnwright.goals.spec_calls import find_literal_problem
from turnwright.goals.wording import LONGEST
from turnwright.goals.words import say_value


def check_spec_plan(draft: Draft[SpecTool]) -> str | None:
    """What is wrong with a plan, as `code: explanation`, or none.

    What holds afterwards: each reference names a field that an earlier call's output schema has; literals fit the
    schemas; no call is made twice; each look-up is used; the purpose says every value that the person has to give.
    """
    earlier: dict[str, DraftCall[SpecTool]] = {}
    used: set[str] = set()
    made: set[str] = set()
    for objective in draft.objectives:
        for call in objective.calls:
            for name, source in call.sources.items():
                if source.kind != "result":
                    continue
                if source.call not in earlier:
                    return f"forward_reference: {call.id} takes {name} from a call that has not run"
                if source.field not in {field.name for field in list_output_fields(earlier[source.call].tool)}:
                    return f"reference: {call.id} takes {name} from a field that {source.call} does not give"
                used.add(source.call)
            problem = find_literal_problem(call.tool, call.arguments, call.sources)
            if problem is not None:
                return f"invalid_arguments: {call.id} ({call.tool.name}): {problem}"
            key = f"{call.tool.name} {call.arguments} {sorted((n, s.call) for n, s in call.sources.items() if s.call)}"
            if key in made:
                return f"repeated_call: {call.id} ({call.tool.name})"
            made.add(key)
            earlier[call.id] = call
        for known in objective.known:
            if say_value(known.value) not in objective.purpose:
                return f"unsaid: the purpose leaves out the {known.label}"
        if len(objective.purpose) > LONGEST // 2:
            return f"unsayable: a purpose of {len(objective.purpose)} characters"
    idle = [call.id for call in draft.calls if call.lookup and call.id not in used]
    return f"idle_lookup: no call uses what {idle[0]} finds" if idle else None
