"""Lineage: from any row or file back to its seed, and forward to all that was made from it."""

import json
from pathlib import Path

import pytest

from schemas.goals import Beginning
from schemas.rows import DatasetRow, DialogueRow, ToolSpecRow
from schemas.tables import TABLES
from tests.synthetic_run import make_rows, write_tables
from turnwright.lineage.chain import LINKS, IdNotFound, trace
from turnwright.lineage.files import STAGE_INPUTS, STAGE_OUTPUTS, read_lineage, write_lineage
from turnwright.storage.run_folder import RunFolder
from turnwright.storage.tables import hash_file, read_rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    place = tmp_path_factory.mktemp("runs")
    folder = RunFolder(place / "club-1")
    tables = {}
    for name, reference in write_tables(make_rows(), place).items():
        published = folder.publish(reference)
        tables[name] = {"path": "", "sha256": published.sha256, "rows": published.rows}
    export = folder.export("openai")
    export.mkdir(parents=True)
    (export / "train.jsonl").write_text("{}\n")
    (export / "validation.jsonl").write_text("")
    folder.write_run({"run_id": "club-1", "prompt_digests": {"judge": "d"}, "tables": tables})
    write_lineage(folder)
    return folder


def first_example(folder: RunFolder) -> DatasetRow:
    return next(read_rows(folder.find_tables()["dataset"], DatasetRow))


def test_every_parent_column_of_every_table_is_a_link() -> None:
    columns = {
        (table, name)
        for table, kind in TABLES.items()
        for name in kind.model_fields
        if name.endswith(("_id", "_ids")) and table != "ledger"
    }
    linked = {(link.child, link.column) for link in LINKS}
    # Shortcuts to a grandparent, whose parent the row names as well.
    shortcuts = {
        ("dialogue_tasks", "seed_id"),
        ("dialogues", "seed_id"),
        ("dialogues", "toolset_id"),
        ("verdicts", "dialogue_task_id"),
        ("repaired_dialogues", "dialogue_task_id"),
        ("repaired_dialogues", "seed_id"),
        ("repaired_dialogues", "toolset_id"),
        ("repaired_verdicts", "dialogue_task_id"),
    }
    columns |= {("repaired_dialogues", "repaired_from"), ("dialogue_tasks", "beginning")}
    assert columns == linked | shortcuts
    order = list(TABLES)
    assert all(order.index(link.parent) < order.index(link.child) for link in LINKS)


def test_an_example_is_traced_back_to_its_seed(folder: RunFolder) -> None:
    example = first_example(folder)
    chain = trace(folder, example.id)
    back = {node.table: node for node in chain.back}
    assert list(back) == ["verdicts", "dialogues", "dialogue_tasks", "toolsets", "tool_specs", "questions", "seeds"]
    assert back["dialogues"].id == example.dialogue_id
    assert back["verdicts"].id == example.verdict_id
    assert back["dialogues"].model_calls
    assert f"export/openai/{example.split}.jsonl" in chain.files
    assert chain.forward == []


def test_a_dialogue_that_goes_on_from_a_lent_conversation_is_linked_to_its_seed_both_ways(tmp_path: Path) -> None:
    rows = make_rows()
    tasks = rows["dialogue_tasks"]
    own = rows["seeds"][0]
    lent = own.model_copy(update={"id": "seed_of_conversations", "kind": "dialogues", "domain": "chats"})
    rows["seeds"] = [*rows["seeds"], lent]
    beginning = Beginning(seed_id=lent.id, origin="chats.jsonl:3", messages=({"role": "user", "content": "Hello"},))
    rows["dialogue_tasks"] = [tasks[0].model_copy(update={"beginning": beginning.model_dump_json()}), *tasks[1:]]
    folder = RunFolder(tmp_path / "club-1")
    tables = {}
    for name, reference in write_tables(rows, tmp_path).items():
        published = folder.publish(reference)
        tables[name] = {"path": "", "sha256": published.sha256, "rows": published.rows}
    folder.write_run({"run_id": "club-1", "prompt_digests": {}, "tables": tables})
    write_lineage(folder)

    dialogue = next(row for row in rows["dialogues"] if row.dialogue_task_id == tasks[0].id)
    back = trace(folder, dialogue.id).back
    assert {node.id for node in back if node.table == "seeds"} == {tasks[0].seed_id, lent.id}
    [task] = [node for node in back if node.table == "dialogue_tasks"]
    assert task.label["goes_on_from"] == "chats.jsonl:3"

    forward = trace(folder, lent.id).forward
    assert [node.id for node in forward if node.table == "dialogue_tasks"] == [tasks[0].id]
    assert dialogue.id in {node.id for node in forward}
    assert not [node for node in forward if node.table == "toolsets"]
    other = next(row for row in rows["dialogues"] if row.dialogue_task_id != tasks[0].id)
    assert lent.id not in {node.id for node in trace(folder, other.id).back}
    assert "goes_on_from" not in trace(folder, other.id).back[0].label


def test_a_seed_is_traced_forward_to_every_example(folder: RunFolder) -> None:
    example = first_example(folder)
    seed = next(node for node in trace(folder, example.id).back if node.table == "seeds")
    forward = trace(folder, seed.id).forward
    count = folder.find_tables()["dataset"].rows
    assert sum(node.table == "dataset" for node in forward) == count
    assert next(node.table for node in forward) == "questions"


def test_a_dialogue_is_traced_both_ways(folder: RunFolder) -> None:
    example = first_example(folder)
    chain = trace(folder, example.dialogue_id)
    assert {node.id for node in chain.forward} == {example.id, example.verdict_id}
    dialogue = next(
        row for row in read_rows(folder.find_tables()["dialogues"], DialogueRow) if row.id == example.dialogue_id
    )
    assert [node.id for node in chain.back if node.table == "dialogue_tasks"] == [dialogue.dialogue_task_id]


def test_a_rejected_tool_leads_to_its_questions_and_to_nothing(folder: RunFolder) -> None:
    rows = read_rows(folder.find_tables()["tool_specs"], ToolSpecRow)
    tool = next((row for row in rows if not row.accepted), None)
    if tool is None:
        pytest.skip("the synthetic run has no rejected tool")
    chain = trace(folder, tool.id)
    assert chain.forward == []
    assert {node.id for node in chain.back if node.table == "questions"} == set(tool.question_ids)


def test_the_beginning_of_an_id_is_enough_if_it_is_unique(folder: RunFolder) -> None:
    example = first_example(folder)
    assert trace(folder, example.id[:-3]).node.id == example.id
    with pytest.raises(IdNotFound, match="is the beginning of"):
        trace(folder, "dialogue_")
    with pytest.raises(IdNotFound, match="no row or file"):
        trace(folder, "dialogue_none")


def test_a_file_is_traced_by_name_and_by_digest(folder: RunFolder) -> None:
    for wanted in ("tables/dialogues.parquet", "dialogues", hash_file(folder.table_file("dialogues"))):
        chain = trace(folder, wanted)
        assert chain.node.id == "tables/dialogues.parquet"
        assert [node.id for node in chain.back][-1] == "tables/seeds.parquet"
        assert "export/openai/train.jsonl" in {node.id for node in chain.forward}


def test_lineage_json_names_every_file_by_its_digest(folder: RunFolder) -> None:
    files = read_lineage(folder)
    for name, file in files.items():
        assert hash_file(folder.root / name) == file.sha256
        assert (folder.root / name).stat().st_size == file.bytes
    assert files["tables/verdicts.parquet"].made_from[-1] == "tables/dialogues.parquet"
    assert json.loads(folder.lineage_file.read_text())["prompt_digests"] == {"judge": "d"}


def test_stages_read_what_earlier_stages_write() -> None:
    written: set[str] = set()
    for stage, inputs in STAGE_INPUTS.items():
        assert set(inputs) <= written, stage
        written |= set(STAGE_OUTPUTS[stage])
    assert written == set(TABLES) - {"ledger"}


def test_the_flows_read_what_the_lineage_says() -> None:
    import inspect
    from importlib import import_module

    for stage, inputs in STAGE_INPUTS.items():
        module = stage.replace("-", "_")
        flow = getattr(import_module(f"flows.{module}"), module)
        assert [name for name in inspect.signature(flow.fn).parameters if name != "run"] == list(inputs)
        assert flow.name == stage
