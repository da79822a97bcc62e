"""Which dialogues are handed over: valid ones, each content once, splits that hold whatever else is in the run."""

import json
import random
from typing import Any

from schemas.rows import DatasetRow
from schemas.settings import Selection as SelectionSettings
from tests.synthetic_run import CONFIG, TOOLS, make_rows
from turnwright.datasets.dataset import build_dataset, choose_split, select_examples

ROWS: dict[str, list[Any]] = make_rows()  # type: ignore[assignment]


def select(dialogues: list[Any], **changes: Any) -> Any:
    given: dict[str, Any] = {"verdicts": ROWS["verdicts"], "toolsets": ROWS["toolsets"], "config": CONFIG} | changes
    return select_examples(dialogues, given["verdicts"], given["toolsets"], given["config"])


def test_only_valid_dialogues_are_kept_and_the_others_say_why() -> None:
    selection = select(ROWS["dialogues"])
    valid = {row.dialogue_id for row in ROWS["verdicts"] if row.judgment == "valid"}
    assert {row.dialogue_id for row in selection.rows} == valid
    assert set(selection.left_out) == {row.id for row in ROWS["dialogues"]} - valid
    assert set(selection.left_out.values()) == {"not_valid: the verdict is invalid"}


def test_dialogues_that_nobody_judged_or_could_judge_are_left_out() -> None:
    unscored = [ROWS["verdicts"][0].model_copy(update={"judgment": "unscored"})]
    left_out = select(ROWS["dialogues"][:2], verdicts=unscored).left_out
    assert [reason.split(":")[0] for reason in left_out.values()] == ["unscored", "no_verdict"]


def test_equal_messages_stand_once_whatever_the_order() -> None:
    first = ROWS["dialogues"][0]
    spaced = first.messages.replace('", "', '",  "')
    again = first.model_copy(update={"id": "dialogue_aaaa", "trial": 1, "messages": spaced})
    verdicts = [*ROWS["verdicts"], ROWS["verdicts"][0].model_copy(update={"dialogue_id": again.id})]
    for order in ([first, again], [again, first]):
        selection = select(order, verdicts=verdicts)
        assert [row.dialogue_id for row in selection.rows] == [first.id]
        assert selection.left_out == {again.id: f"duplicate: same messages as {first.id}"}


def test_the_same_rows_come_out_in_any_order() -> None:
    expected = build_dataset(ROWS["dialogues"], ROWS["verdicts"], ROWS["toolsets"], CONFIG)
    for seed in range(3):
        mixed = {name: random.Random(f"{seed}:{name}").sample(rows, len(rows)) for name, rows in ROWS.items()}
        assert build_dataset(mixed["dialogues"], mixed["verdicts"], mixed["toolsets"], CONFIG) == expected


def test_a_split_depends_on_the_task_alone_and_meets_its_share() -> None:
    rows = {row.dialogue_id: row for row in select(ROWS["dialogues"]).rows}
    alone = select(ROWS["dialogues"][:1]).rows[0]
    assert alone == rows[alone.dialogue_id]
    splits = [choose_split(f"task_{number}", 7, 0.2) for number in range(2000)]
    assert 340 < splits.count("validation") < 460
    assert {choose_split("task_1", 7, 0.0), choose_split("task_1", 7, 1.0)} == {"train", "validation"}


def test_all_trials_of_a_task_are_in_one_split() -> None:
    trials = [
        ROWS["dialogues"][0].model_copy(
            update={
                "id": f"dialogue_{trial}",
                "trial": trial,
                "messages": f'[{{"role": "user", "content": "{trial}"}}]',
            }
        )
        for trial in range(12)
    ]
    verdicts = [ROWS["verdicts"][0].model_copy(update={"dialogue_id": row.id}) for row in trials]
    every = CONFIG.model_copy(update={"selection": SelectionSettings(trials_per_task=12)})
    selected: list[DatasetRow] = select(trials, verdicts=verdicts, config=every).rows
    assert len(selected) == 12
    assert len({row.split for row in selected}) == 1


def test_rows_hold_messages_and_tools_as_they_were() -> None:
    row = select(ROWS["dialogues"][:1]).rows[0]
    assert row.messages == ROWS["dialogues"][0].messages
    assert json.loads(row.tools) == [tool.spec for tool in TOOLS]
    assert row.calls == 1
