"""The kinds of defects, each with its planter. A planter knows dialogues, and nothing of what looks for defects."""

import random
from collections.abc import Callable, Mapping

from turnwright.calibration import call_defects, course_defects, prose_defects, result_defects, user_defects
from turnwright.calibration.draft import Draft, PlantedDialogue
from turnwright.calibration.subject import CannotPlant, Subject

Planter = Callable[[Subject, random.Random], Draft]

KINDS: Mapping[str, Planter] = {
    "wrong_argument": call_defects.plant_wrong_argument,
    "invalid_argument": call_defects.plant_invalid_argument,
    "wrong_tool": call_defects.plant_wrong_tool,
    "dropped_call": call_defects.plant_dropped_call,
    "unneeded_write": call_defects.plant_unneeded_write,
    "repeated_write": call_defects.plant_repeated_write,
    "swapped_results": result_defects.plant_swapped_results,
    "forged_result": result_defects.plant_forged_result,
    "ignored_error": result_defects.plant_ignored_error,
    "unpaired_result": result_defects.plant_unpaired_result,
    "lost_result": result_defects.plant_lost_result,
    "altered_number": prose_defects.plant_altered_number,
    "invented_value": prose_defects.plant_invented_value,
    "wrong_unit": prose_defects.plant_wrong_unit,
    "contradiction": prose_defects.plant_contradiction,
    "misattributed_value": prose_defects.plant_misattributed_value,
    "mislabelled_value": prose_defects.plant_mislabelled_value,
    "stale_value": prose_defects.plant_stale_value,
    "claimed_action": prose_defects.plant_claimed_action,
    "premature_end": course_defects.plant_premature_end,
    "missing_subpart": course_defects.plant_missing_subpart,
    "truncated_message": course_defects.plant_truncated_message,
    "empty_message": course_defects.plant_empty_message,
    "out_of_scope_compliance": course_defects.plant_out_of_scope_compliance,
    "leaked_goal": user_defects.plant_leaked_goal,
    "unknowable_value": user_defects.plant_unknowable_value,
    "tool_name_by_user": user_defects.plant_tool_name_by_user,
    "tool_name_by_assistant": user_defects.plant_tool_name_by_assistant,
}


def plant(kind: str, subject: Subject, seed: int) -> PlantedDialogue:
    """The dialogue with one defect of a kind; the same one for the same seed, whatever else is planted.

    Raises:
        CannotPlant: the kind has no place in this dialogue.
        KeyError: there is no such kind.
    """
    planted = KINDS[kind](subject, random.Random(f"{seed}:{subject.row.id}:{kind}")).finish()
    if planted.row.messages == subject.row.messages:
        raise CannotPlant("the edit changed nothing")
    return planted
