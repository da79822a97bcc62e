"""Each gate: good tables pass, and for each expectation a table with exactly that defect fails by its name."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_checks.gate import STAGE_TABLES, GateFailed, check_stage, read_reports
from schemas.config import RunConfig
from schemas.content import content_id
from schemas.rows import TableRef
from schemas.vocabulary import STAGES
from tests.synthetic_run import CONFIG, TOOLS, change_row, make_rows, replace_rows, write_tables

Change = Callable[[list[Any]], Any]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TableRef]:
    rows: dict[str, Any] = make_rows()
    origin = next(row for row in rows["dialogues"] if row.id in {v.dialogue_id for v in rows["verdicts"] if v.reasons})
    repaired = {"repaired_from": origin.id, "repaired_at": 2, "repaired_because": "assistant: x.y: z", "repair_try": 1}
    again = origin.model_copy(update={"id": content_id("dialogue", repaired), **repaired})
    verdict = next(row for row in rows["verdicts"] if row.dialogue_id == origin.id)
    told = {"id": content_id("verdict", again.id), "dialogue_id": again.id}
    rows |= {"repaired_dialogues": [again], "repaired_verdicts": [verdict.model_copy(update=told)]}
    return write_tables(rows, tmp_path_factory.mktemp("tables"))


def failed(tables: dict[str, TableRef], table: str, config: RunConfig = CONFIG, level: str = "fail") -> dict[str, Any]:
    """Expectations of one table that do not hold, by name."""
    from data_checks.validation import validate_table

    problems = validate_table(table, tables, config).problems
    return {problem.expectation: problem for problem in problems if problem.level == level}


@contextmanager
def only(table: str, expectation: str) -> Iterator[None]:
    """Leaves one expectation in a suite: the others cost time and say nothing about it."""
    from data_checks import validation

    build = validation.SUITES[table]

    def narrow(*given: Any) -> Any:
        suite = build(*given)
        for frame in suite.frames:
            frame.expectations[:] = [item for item in frame.expectations if item.meta["name"] == expectation]
        return replace(suite, frames=[frame for frame in suite.frames if frame.expectations])

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(validation.SUITES, table, narrow)
        yield


def configure(**checks: Any) -> RunConfig:
    return CONFIG.model_copy(update={"checks": CONFIG.checks.model_copy(update=checks)})


def all_rows(**changes: Any) -> Change:
    return lambda rows: [row.model_copy(update=changes) for row in rows]


def edit_json(position: int, column: str, edit: Callable[[Any], Any]) -> Change:
    """Changes the value of a JSON column in one row."""

    def change(rows: list[Any]) -> list[Any]:
        value = json.loads(getattr(rows[position], column))
        return change_row(position, **{column: json.dumps(edit(value))})(rows)

    return change


def put(path: list[Any], value: Any) -> Callable[[Any], Any]:
    """An edit that sets one place inside a JSON value."""

    def edit(content: Any) -> Any:
        place = content
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return content

    return edit


def drop(position: int) -> Change:
    return lambda rows: [row for index, row in enumerate(rows) if index != position]


def twice(rows: list[Any]) -> list[Any]:
    return [rows[0], *rows]


UNREAL = "dialogue_0123456789abcdef"
PLAYER_TYPE = ["spec", "function", "parameters", "properties", "player_id", "type"]
DEFECTS: list[tuple[str, str, Change]] = [
    ("seeds", "has_rows", lambda rows: []),
    ("seeds", "every_source_has_a_seed", lambda rows: []),
    ("seeds", "id_is_unique", twice),
    ("seeds", "id_has_prefix", change_row(0, id="sead_0123456789abcdef")),
    ("seeds", "json_is_valid", change_row(0, content='{"name": ')),
    ("seeds", "content_describes_a_source", edit_json(0, "content", put(["tables"], []))),
    ("seeds", "domain_is_unique", lambda rows: [*rows, rows[0].model_copy(update={"source": 1})]),
    ("seeds", "content_describes_a_source", change_row(0, kind="tools")),
    ("seeds", "source_is_in_the_config", change_row(0, source=4)),
    ("questions", "seed_id_exists", change_row(0, seed_id="seed_0123456789abcdef")),
    ("tool_specs", "effect_is_known", change_row(0, effect="writes")),
    ("tool_specs", "question_ids_exists", change_row(1, question_ids=["question_0123456789abcdef"])),
    ("tool_specs", "rejected_says_why", change_row(3, reasons=[])),
    ("tool_specs", "spec_is_legal", edit_json(0, "tool", put(["spec", "function", "description"], " "))),
    ("tool_specs", "spec_is_legal", edit_json(1, "tool", put(["spec", "function", "parameters", "type"], "array"))),
    ("tool_specs", "spec_is_legal", edit_json(1, "tool", put(PLAYER_TYPE, "whole number"))),
    ("tool_specs", "spec_is_legal", edit_json(1, "tool", put(["spec", "function", "name"], "other"))),
    ("tool_specs", "output_schema_is_legal", edit_json(0, "tool", put(["output_schema", "type"], 7))),
    ("tool_specs", "bindings_are_parameters", edit_json(0, "tool", put(["bindings", 0, "name"], "nobody"))),
    ("tool_specs", "example_arguments_fit_the_spec", change_row(1, example_arguments='{"player_id": "4117"}')),
    ("tool_specs", "example_result_fits_the_output_schema", change_row(1, example_result='{"player_id": 4117}')),
    (
        "tool_specs",
        "accepted_statement_is_unique",
        lambda rows: change_row(1, statement_digest=rows[0].statement_digest)(rows),
    ),
    ("toolsets", "tool_ids_exists", change_row(0, tool_ids=["tool_0123456789abcdef"])),
    ("toolsets", "tools_are_verified", lambda rows: [rows[0].model_copy(update={"tool_ids": ["tool_x"]})]),
    ("toolsets", "tools_are_as_verified", edit_json(0, "tools", put([0, "sql"], "SELECT 2"))),
    ("toolsets", "tools_are_legal", edit_json(0, "tools", put([0, "spec", "type"], "tool"))),
    ("toolsets", "names_are_unique", edit_json(0, "tools", put([1, "name"], TOOLS[0].name))),
    ("toolsets", "one_type_per_entity", edit_json(0, "tools", put([1, *PLAYER_TYPE], "string"))),
    ("dataflow_edges", "source_id_exists", change_row(0, source_id="tool_0123456789abcdef")),
    ("dataflow_edges", "leads_to_another_tool", lambda rows: change_row(0, target_id=rows[0].source_id)(rows)),
    ("dataflow_edges", "parameter_exists", change_row(0, parameter="nobody")),
    ("dataflow_edges", "weight_is_a_share", change_row(0, weight=1.5)),
    ("dialogue_tasks", "toolset_id_exists", change_row(2, toolset_id="toolset_0123456789abcdef")),
    ("dialogue_tasks", "difficulty_is_known", change_row(2, difficulty="impossible")),
    ("dialogue_tasks", "slot_is_unique", change_row(2, slot=1)),
    ("dialogue_tasks", "counts_match_objectives", change_row(2, task_count=7)),
    (
        "dialogue_tasks",
        "planned_arguments_fit_the_specs",
        edit_json(2, "objectives", put([0, "calls", 0, "arguments"], {})),
    ),
    (
        "dialogue_tasks",
        "planned_arguments_fit_the_specs",
        edit_json(2, "objectives", put([0, "calls", 0, "tool"], "fly")),
    ),
    ("dialogue_tasks", "planned_results_fit", edit_json(2, "objectives", put([0, "calls", 0, "result"], "none"))),
    (
        "dialogue_tasks",
        "references_point_back",
        edit_json(2, "objectives", put([0, "calls", 0, "sources", "name"], {"kind": "result", "call": "c9"})),
    ),
    ("dialogue_tasks", "mean_tasks", all_rows(task_count=40)),
    ("dialogues", "dialogue_task_id_exists", change_row(3, dialogue_task_id="task_0123456789abcdef")),
    ("dialogues", "ending_is_known", change_row(3, ending="bored")),
    ("dialogues", "unfinished_says_why", change_row(3, ending="turn_limit")),
    ("dialogues", "counts_match_messages", change_row(3, steps=17)),
    ("dialogues", "trial_is_unique", lambda rows: [*rows, rows[0].model_copy(update={"id": UNREAL})]),
    ("dialogues", "arguments_fit_the_specs", edit_json(3, "calls", put([0, "arguments"], '{"name": 4}'))),
    ("dialogues", "arguments_fit_the_specs", edit_json(3, "calls", put([0, "arguments"], '{"name": '))),
    ("dialogues", "arguments_fit_the_specs", edit_json(3, "calls", put([0, "tool"], "fly"))),
    ("dialogues", "results_fit_the_output_schemas", edit_json(3, "calls", put([0, "result"], '{"rows": []}'))),
    ("dialogues", "mean_turns", all_rows(turns=1)),
    ("dialogues", "mean_steps", all_rows(steps=900)),
    ("dialogues", "mean_tasks", all_rows(task_count=21)),
    ("dialogues", "one_turn_share", all_rows(requests=1)),
    ("verdicts", "dialogue_id_exists", change_row(0, dialogue_id=UNREAL)),
    ("verdicts", "judgment_is_known", change_row(0, judgment="fine")),
    ("verdicts", "dialogue_has_one_verdict", lambda rows: change_row(1, dialogue_id=rows[0].dialogue_id)(rows)),
    ("verdicts", "invalid_says_why", change_row(0, judgment="invalid")),
    ("verdicts", "valid_rate", all_rows(judgment="invalid", reasons=["judge.missing: nothing was said"])),
    ("dataset", "verdict_id_exists", change_row(0, verdict_id="verdict_0123456789abcdef")),
    ("dataset", "verdict_is_valid", lambda rows: change_row(0, verdict_id=rows[1].verdict_id)(rows)),
    ("dataset", "dialogue_is_unique", lambda rows: change_row(1, dialogue_id=rows[0].dialogue_id)(rows)),
    ("dataset", "content_is_unique", lambda rows: change_row(1, messages=rows[0].messages)(rows)),
    ("dataset", "split_is_known", change_row(0, split="test")),
    (
        "dataset",
        "task_is_in_one_split",
        lambda rows: [
            *rows,
            rows[0].model_copy(update={"split": "train" if rows[0].split != "train" else "validation"}),
        ],
    ),
    ("repaired_dialogues", "beginning_is_kept", edit_json(0, "messages", put([1, "content"], "Hello."))),
    ("repaired_dialogues", "says_what_was_repaired", change_row(0, repaired_because="")),
    ("repaired_dialogues", "says_what_was_repaired", change_row(0, repair_try=0)),
    ("repaired_dialogues", "try_is_unique", twice),
    ("repaired_verdicts", "invalid_says_why", change_row(0, reasons=[])),
    ("repaired_verdicts", "dialogue_has_one_verdict", twice),
    ("dataset", "tools_are_legal", edit_json(0, "tools", put([0, "function", "name"], "with space"))),
    ("dataset", "calls_are_answered", edit_json(0, "messages", put([3, "tool_call_id"], "call_99"))),
    ("ledger", "stage_is_known", change_row(0, stage="packing")),
    ("ledger", "outcome_is_known", change_row(0, outcome="lost")),
    ("ledger", "loss_is_explained", change_row(0, outcome="rejected")),
    ("ledger", "loss_is_explained", change_row(0, outcome="failed", reasons=["x: y"])),
    ("ledger", "unit_is_unique", twice),
    ("ledger", "accounts_for_all_planned", lambda rows: [row for row in rows if row.unit_id != rows[-1].unit_id]),
    ("ledger", "accounts_equal_rows", change_row(0, outcome="rejected", reasons=["x: y"])),
]


@pytest.mark.parametrize("stage", STAGES)
def test_good_tables_pass(stage: Any, tables: dict[str, TableRef], tmp_path: Path) -> None:
    report = check_stage(stage, tables, CONFIG, tmp_path)
    assert report.failures == []
    assert report.warnings == []
    assert report.passed
    assert report.not_checked == []
    assert {result.table for result in report.results} == {*STAGE_TABLES[stage], "ledger"}
    assert read_reports(tmp_path) == [report]


@pytest.mark.parametrize(
    ("table", "expectation", "change"),
    DEFECTS,
    ids=[f"{table}.{name}-{n}" for n, (table, name, _) in enumerate(DEFECTS)],
)
def test_a_defect_fails_by_its_name(
    table: str, expectation: str, change: Change, tables: dict[str, TableRef], tmp_path: Path
) -> None:
    with only(table, expectation):
        assert expectation in failed(replace_rows(tables, table, change, tmp_path), table)


def test_every_expectation_that_stops_a_run_has_a_defect_above(tables: dict[str, TableRef]) -> None:
    """Checks of single columns come from the row classes and are alike; everything else needs a case of its own."""
    from data_checks.parents import Parents
    from data_checks.validation import SUITES

    alike = ("_is_there", "_is_known", "_exists", "id_is_unique", "id_has_prefix", "json_is_valid", "has_rows")
    stops = {
        (table, expectation.meta["name"])
        for table, build in SUITES.items()
        for frame in build(tables[table], Parents(tables), CONFIG).frames
        for expectation in frame.expectations
        if expectation.severity.value == "critical"
    }
    missing = stops - {(table, expectation) for table, expectation, _ in DEFECTS}
    assert {name for name in missing if not name[1].endswith(alike)} == set()


def test_a_table_with_other_columns_is_held_against_nothing_else(tables: dict[str, TableRef], tmp_path: Path) -> None:
    content = pq.read_table(tables["verdicts"].path)
    wrong = content.drop_columns(["domain"]).append_column("votes_count", pa.array([1.5] * content.num_rows))
    pq.write_table(wrong, tmp_path / "wrong.parquet")
    given = tables | {"verdicts": tables["verdicts"].model_copy(update={"path": str(tmp_path / "wrong.parquet")})}
    report = check_stage("validate-dialogues", given, CONFIG, tmp_path)
    (failure,) = report.failures
    assert failure.expectation == "columns_match_the_schema"
    assert failure.examples == ["domain: string is not missing", "votes_count: unknown is not double"]


def test_warnings_do_not_stop_the_run(tables: dict[str, TableRef], tmp_path: Path) -> None:
    given = replace_rows(tables, "dialogue_tasks", all_rows(difficulty="hard", behaviour="parallel_calls"), tmp_path)
    report = check_stage("write-dialogue-tasks", given, CONFIG, tmp_path)
    assert report.passed
    assert [warning.expectation for warning in report.warnings] == ["difficulty_mix", "behaviour_mix"]
    assert "hard: 1" in report.warnings[0].figure


def test_a_mix_of_few_dialogues_may_scatter(tables: dict[str, TableRef], tmp_path: Path) -> None:
    given = replace_rows(tables, "dialogue_tasks", lambda rows: change_row(1, difficulty="easy")(rows)[:2], tmp_path)
    assert "difficulty_mix" not in failed(given, "dialogue_tasks", level="warn")


def test_groups_below_the_usual_rate_are_named(tables: dict[str, TableRef], tmp_path: Path) -> None:
    def spoil(rows: list[Any]) -> list[Any]:
        return [
            row.model_copy(update={"judgment": "invalid", "reasons": ["judge.missing: x"]})
            if row.difficulty == "hard"
            else row
            for row in rows
        ]

    given = replace_rows(tables, "verdicts", spoil, tmp_path)
    warned = failed(given, "verdicts", configure(group_size=5), level="warn")["valid_rate_by_difficulty"]
    assert warned.figure == "hard: 0"
    assert warned.limit == "at least 0.5 in each difficulty of 5 rows or more"
    assert all("judge.missing" in example or "outcome.fact_missing" in example for example in warned.examples)
    assert "valid_rate_by_difficulty" not in failed(given, "verdicts", configure(group_size=500), level="warn")


def test_a_failed_gate_says_figure_limit_rows_and_report(tables: dict[str, TableRef], tmp_path: Path) -> None:
    report = check_stage("validate-dialogues", tables, configure(min_valid_rate=0.9), tmp_path)
    invalid = [row for row in make_rows()["verdicts"] if row.judgment == "invalid"]
    assert not report.passed
    message = str(GateFailed(report))
    assert "validate-dialogues" in message
    assert "verdicts.valid_rate (is_valid): 0.8; allowed: at least 0.9" in message
    assert any(row.id in message for row in invalid)
    assert "outcome.fact_missing" in message
    assert str(tmp_path / "validate-dialogues.json") in message
    assert json.loads((tmp_path / "validate-dialogues.json").read_text())["failures"][0]["expectation"] == "valid_rate"


def test_what_needs_a_table_that_is_not_given_is_listed(tables: dict[str, TableRef], tmp_path: Path) -> None:
    report = check_stage("simulate-dialogues", {"dialogues": tables["dialogues"]}, CONFIG, tmp_path)
    assert report.passed
    assert "dialogues.toolset_id: table toolsets was not given" in report.not_checked
    assert "arguments_fit_the_specs" not in {result.expectation for result in report.results}


def test_data_docs_need_no_network_and_run_no_script(tables: dict[str, TableRef], tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    given = replace_rows(tables, "verdicts", change_row(0, judgment="invalid", domain=evil, difficulty=evil), tmp_path)
    report = check_stage("validate-dialogues", given, CONFIG, tmp_path / "checks")
    assert not report.passed
    pages = sorted((tmp_path / "checks").rglob("*.html"))
    assert {page.name for page in pages} >= {"index.html", "validate-dialogues.verdicts.html"}
    for page in pages:
        html = page.read_text()
        assert "default-src 'none'" in html.split("<style>")[0]
        assert "<script" not in html.lower()
        assert "<img" not in html.lower()
        assert "http://" not in html
        assert "https://" not in html
    assert "&lt;script&gt;" in (tmp_path / "checks" / "index.html").read_text()


def test_a_call_that_was_refused_for_its_arguments_need_not_fit(tables: dict[str, TableRef], tmp_path: Path) -> None:
    def refuse(calls: Any) -> Any:
        calls[0] |= {"arguments": '{"name": 4}', "error": "invalid_arguments", "result": '{"error": "x"}'}
        return calls

    assert failed(replace_rows(tables, "dialogues", edit_json(3, "calls", refuse), tmp_path), "dialogues") == {}


def test_a_schema_makes_the_gate_open_nothing(tables: dict[str, TableRef], tmp_path: Path) -> None:
    reach = edit_json(0, "tool", put(["output_schema"], {"$ref": "http://127.0.0.1:9/schema.json"}))
    problem = failed(replace_rows(tables, "tool_specs", reach, tmp_path), "tool_specs")["output_schema_is_legal"]
    assert "outside of the schema" in problem.examples[0]


def test_great_expectations_waits_until_a_gate_runs() -> None:
    code = "import sys, data_checks.gate; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=False).returncode == 0
