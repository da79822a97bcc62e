"""pass^k, its curve, and what trials mean for the ledger, the dataset and the config."""

from itertools import combinations
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.config import RunConfig
from schemas.rows import DialogueRow, DialogueTaskRow, VerdictRow
from tasks.ledger_totals import count_dialogues
from tasks.simulate_dialogues import name_trial, plan_trials, record_dialogue
from tests.synthetic_run import CONFIG, make_rows
from turnwright.datasets.dataset import Selection, select_examples
from turnwright.reports.curve_plot import draw_curves
from turnwright.reports.html import render_report
from turnwright.reports.material import Material
from turnwright.reports.terminal import show_pass_k
from turnwright.statistics.pass_k import PassK, compute_pass_k, draw_curve, pass_hat_k
from turnwright.statistics.statistics import compute_statistics


@pytest.mark.parametrize(("trials", "valid"), [(1, 0), (1, 1), (4, 0), (4, 2), (5, 3), (6, 6)])
def test_it_is_the_share_of_draws_that_are_all_valid(trials: int, valid: int) -> None:
    outcomes = [number < valid for number in range(trials)]
    for k in range(1, trials + 1):
        draws = [all(draw) for draw in combinations(outcomes, k)]
        assert pass_hat_k(trials, valid, k) == pytest.approx(sum(draws) / len(draws))


@pytest.mark.parametrize(("trials", "valid", "k"), [(3, 2, 0), (3, 2, 4), (3, 4, 1), (3, -1, 1), (0, 0, 1)])
def test_what_cannot_be_drawn_is_refused(trials: int, valid: int, k: int) -> None:
    with pytest.raises(ValueError, match=r"pass\^"):
        pass_hat_k(trials, valid, k)


def verdict(task: str, judgment: str, difficulty: str = "easy") -> dict[str, Any]:
    return {"dialogue_task_id": task, "judgment": judgment, "difficulty": difficulty}


def found(*rows: dict[str, Any]) -> PassK:
    curve = compute_pass_k(rows)
    assert curve is not None
    return curve


def test_the_curve_is_the_mean_over_tasks() -> None:
    rows = [verdict("a", "valid")] * 3 + [verdict("b", "valid", "hard")] + [verdict("b", "invalid", "hard")] * 2
    curve = found(*rows)
    assert [point.value for point in curve.curve] == pytest.approx([2 / 3, 0.5, 0.5], abs=1e-6)
    assert [point.value for point in curve.by_difficulty["hard"]] == pytest.approx([1 / 3, 0.0, 0.0], abs=1e-6)
    assert list(curve.by_difficulty) == ["easy", "hard"]
    assert (curve.tasks, curve.trials, curve.most_trials, curve.valid_trials) == (2, 6, 3, {1: 1, 3: 1})
    assert all(point.ci_low <= point.value <= point.ci_high for point in curve.curve)
    assert curve == found(*reversed(rows))


def test_a_trial_that_nobody_could_judge_counts_nowhere() -> None:
    curve = found(verdict("a", "valid"), verdict("a", "unscored"), verdict("b", "valid"), verdict("b", "invalid"))
    assert [(point.k, point.tasks) for point in curve.curve] == [(1, 2), (2, 1)]
    assert compute_pass_k([verdict("a", "unscored")]) is None
    assert compute_pass_k([]) is None
    assert draw_curve([]) == []


def test_the_plot_has_a_point_a_trial() -> None:
    curve = found(verdict("a", "valid"), verdict("a", "invalid"), verdict("<b>", "valid"), verdict("<b>", "valid"))
    svg = str(draw_curves({"all <x>": curve.curve}, "pass"))
    assert svg.count("<circle") == 2
    assert "<x>" not in svg
    assert "no curve" in draw_curves({"all": curve.curve[:1]}, "pass")
    assert show_pass_k(curve) is not None


def test_the_report_has_a_section_where_tasks_were_tried_again() -> None:
    rows = [verdict("a", "valid"), verdict("a", "invalid"), verdict("b", "valid", "hard")]
    for curve, there in ((found(*rows), True), (found(*rows[1:]), False), (None, False)):
        statistics = compute_statistics({}, {}).model_copy(update={"pass_k": curve})
        page = render_report(Material(run={}, statistics=statistics, gates=[], dialogues=[]))
        assert ('<section id="trials">' in page) is there
        assert ("k = 2" in page) is there


@pytest.mark.parametrize("trials", [1, 3])
def test_the_dialogues_of_a_run_are_its_trials(trials: int) -> None:
    config = RunConfig.model_validate(CONFIG.model_dump() | {"dialogues": 5, "trials": trials})

    def count(accepted: int, rejected: int) -> dict[str, int]:
        outcomes = {"accepted": accepted, "rejected": rejected, "failed": 0, "not_attempted": 0}
        return {"planned": accepted + rejected, **outcomes}

    ledger = {
        "write-dialogue-tasks": {"dialogue_task": count(4, 1)},
        "simulate-dialogues": {"dialogue": count(4 * trials, 0)},
        "validate-dialogues": {"verdict": count(4 * trials - 1, 1)},
    }
    counted = count_dialogues(ledger, config)
    assert (counted["planned"], counted["valid"]) == (5 * trials, 4 * trials - 1)
    assert counted["rejected"] == trials + 1
    assert count_dialogues({}, config)["planned"] == 5 * trials


ROWS = make_rows(6)
TASK = next(row for row in ROWS["dialogue_tasks"] if isinstance(row, DialogueTaskRow))
DIALOGUE = next(row for row in ROWS["dialogues"] if isinstance(row, DialogueRow))
VERDICT = next(row for row in ROWS["verdicts"] if isinstance(row, VerdictRow))


def test_trials_are_planned_and_accounted_for_one_by_one() -> None:
    planned = plan_trials([TASK], 3)
    names = [name_trial(trial.task.id, trial.number) for trial in planned]
    assert names == [TASK.id, f"{TASK.id}#1", f"{TASK.id}#2"]
    ledger = [record_dialogue(DIALOGUE.model_copy(update={"trial": number})) for number in range(3)]
    assert [row.unit_id for row in ledger] == [name_trial(DIALOGUE.dialogue_task_id, n) for n in range(3)]
    assert len({row.id for row in ledger}) == 3


def select(judgments: str, **selection: Any) -> Selection:
    """The selection among trials of one task, one letter each: v(alid), i(nvalid) or u(nscored)."""
    words = {"v": "valid", "i": "invalid", "u": "unscored"}
    config = RunConfig.model_validate(CONFIG.model_dump() | {"trials": 8, "selection": selection})
    dialogues = [
        DIALOGUE.model_copy(
            update={
                "id": f"dialogue_{number}",
                "trial": number,
                "messages": DIALOGUE.messages[:-1] + f',{{"role":"assistant","content":"{number}"}}]',
            }
        )
        for number in range(len(judgments))
    ]
    verdicts = [
        VERDICT.model_copy(
            update={
                "id": f"verdict_{number}",
                "dialogue_id": f"dialogue_{number}",
                "dialogue_task_id": DIALOGUE.dialogue_task_id,
                "judgment": words[letter],
            }
        )
        for number, letter in enumerate(judgments)
    ]
    toolsets: Any = ROWS["toolsets"]
    return select_examples(dialogues, verdicts, toolsets, config)


def kept(judgments: str, **selection: Any) -> list[str]:
    return [row.dialogue_id for row in select(judgments, **selection).rows]


def test_the_first_valid_trial_of_a_task_is_kept() -> None:
    chosen = select("ivvv")
    assert [row.dialogue_id for row in chosen.rows] == ["dialogue_1"]
    assert {reason.split(":")[0] for reason in chosen.left_out.values()} == {"not_valid", "another_trial"}
    assert set(chosen.left_out) == {"dialogue_0", "dialogue_2", "dialogue_3"}
    assert kept("ivvv", trials_per_task=2) == ["dialogue_1", "dialogue_2"]


def test_a_task_is_chosen_by_how_often_it_succeeds() -> None:
    assert kept("ivvv", pass_rate=[0.2, 0.8]) == ["dialogue_1"]
    assert kept("vvvv", pass_rate=[0.2, 0.8]) == []
    assert kept("viiiii", pass_rate=[0.2, 0.8]) == []
    assert kept("vuuuui", pass_rate=[0.5, 0.5]) == ["dialogue_0"], "unscored trials do not count"
    assert "outside_pass_rate: 1.00" in select("vv", pass_rate=[0.2, 0.8]).left_out["dialogue_0"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"selection": {"pass_rate": [0.8, 0.2]}, "trials": 4}, "is above the greatest"),
        ({"selection": {"pass_rate": [0.2, 0.8]}}, "needs trials of 2 or more"),
        ({"trials": 0}, "greater than or equal to 1"),
        ({"selection": {"trials_per_task": 0}}, "greater than or equal to 1"),
    ],
)
def test_a_config_that_asks_for_what_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RunConfig.model_validate(CONFIG.model_dump() | changes)
