"""The page of a stage in Prefect: lineage, tables, gate, yield, cost, samples; small, and safe against its content."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tasks.stage_progress import Standing
from turnwright.reports.reading import ReadCall, ReadDialogue, ReadMessage
from turnwright.reports.stage_page import CheckFacts, StageCost, StagePage, TableFacts, render_lineage, render_page
from turnwright.statistics.yields import ReasonCount, YieldRow


def facts(table: str, rows: int = 4) -> TableFacts:
    return TableFacts(table, sha256=table[0] * 64, rows=rows, bytes=1000)


def dialogue(*texts: str, domain: str = "club", **more: Any) -> ReadDialogue:
    return ReadDialogue(
        columns={"id": "dialogue_1", "domain": domain, "difficulty": "easy", "turns": len(texts)},
        messages=[ReadMessage(index, "user", text) for index, text in enumerate(texts)],
        **more,
    )


def page(**changes: Any) -> StagePage:
    usual = StagePage(
        run_id="club-1",
        stage="validate-dialogues",
        seconds=12.5,
        shards=2,
        stopped=None,
        inputs=[facts("seeds", 1), facts("toolsets"), facts("dialogue_tasks"), facts("dialogues", 40)],
        outputs=[facts("verdicts", 40)],
        passed=True,
        checks=56,
        problems=[],
        yields=[
            YieldRow(
                stage="validate-dialogues",
                unit="verdict",
                planned=40,
                accepted=35,
                rejected=5,
                failed=0,
                not_attempted=0,
                reasons=[ReasonCount(reason="outcome.missing_change", count=5, example="")],
            )
        ],
        cost=StageCost(requests=41, tokens=12_000, cost_usd=1.25),
        samples=[dialogue("Find my order", "Thanks")],
    )
    return replace(usual, **changes)


def test_the_page_tells_tables_gate_yield_and_cost() -> None:
    text = render_page(page())
    for words in (
        "gate **passed** · 12.5 s · 2 shards · 41 requests · 12,000 tokens · $1.25",
        f"| read | `dialogues` | 40 | 1,000 | `{'d' * 16}…` |",
        f"| wrote | `verdicts` | 40 | 1,000 | `{'v' * 16}…` |",
        f"{'v' * 64}  verdicts.parquet",
        "All 56 expectations hold.",
        "| verdict | 40 | 35 | 5 | 0 | 0 | 87.5 % |",
        "- verdict: outcome.missing\\_change, 5 times",
        "<p><b>user:</b> Find my order</p>",
    ):
        assert words in text


def test_a_gate_that_failed_a_stop_and_an_unknown_price_are_said() -> None:
    problem = CheckFacts("verdicts", "valid_rate", "fail", "0.18", "at least 0.3", ["dialogue_7: invalid"])
    text = render_page(
        page(passed=False, problems=[problem], stopped="budget", cost=StageCost(requests=1, tokens=2, cost_usd=None))
    )
    assert "gate **FAILED**" in text
    assert "**stopped early: budget**" in text
    assert "cost unknown" in text
    assert "1 of 56 expectations do not hold." in text
    assert "| **fail** | verdicts.valid\\_rate | 0.18 | at least 0.3 | dialogue\\_7\\: invalid |" in text


def test_lineage_leads_from_the_sources_to_the_stage() -> None:
    lines = render_lineage(page()).splitlines()
    assert lines[0] == "```mermaid"
    edges = {line.strip().split("[")[0] for line in lines if "-->" in line}
    assert edges == {
        "sources --> stage_collect_seeds",
        "stage_collect_seeds --> seeds",
        "seeds --> stage_prepare_tools",
        "stage_prepare_tools --> toolsets",
        "seeds --> stage_write_dialogue_tasks",
        "toolsets --> stage_write_dialogue_tasks",
        "stage_write_dialogue_tasks --> dialogue_tasks",
        "seeds --> stage_simulate_dialogues",
        "toolsets --> stage_simulate_dialogues",
        "dialogue_tasks --> stage_simulate_dialogues",
        "stage_simulate_dialogues --> dialogues",
        "seeds --> stage_validate_dialogues",
        "toolsets --> stage_validate_dialogues",
        "dialogue_tasks --> stage_validate_dialogues",
        "dialogues --> stage_validate_dialogues",
        "stage_validate_dialogues --> verdicts",
    }


def test_tables_that_the_inputs_rest_on_complete_the_lineage() -> None:
    bare = page(inputs=[facts("dialogues")])
    assert "seeds" not in render_lineage(bare)
    chain = [facts("seeds"), facts("questions"), facts("toolsets"), facts("dialogue_tasks"), facts("dataset")]
    whole = render_lineage(replace(bare, chain=chain))
    assert "questions" not in whole
    assert "dataset" not in whole
    assert "stage_collect_seeds --> seeds" in whole
    assert "dialogue_tasks --> stage_simulate_dialogues" in whole
    assert "  seeds --> stage_validate_dialogues" not in whole.splitlines()


@pytest.mark.parametrize(
    "hostile",
    [
        "</details><script>alert(1)</script>",
        "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
        "a | b\n\n# Gate\n\n```mermaid",
        "https://evil.example/ www.evil.example me@evil.example",
        "\ud800 \u202e\x1b[31m\u2028" + "x" * 5000,
        "**bold** <img src=x onerror=alert(1)> $x$ ~~y~~",
    ],
)
def test_content_cannot_mark_up_the_page(hostile: str) -> None:
    calls = (ReadCall(hostile, arguments=hostile, result=hostile),)
    sample = ReadDialogue(
        columns={"id": "dialogue_1", "domain": hostile, "difficulty": "easy", "turns": 2},
        messages=[ReadMessage(0, "user", hostile), ReadMessage(1, "assistant", hostile, calls=calls)],
        verdict={"judgment": "invalid", "reasons": [hostile]},
    )
    problem = CheckFacts("verdicts", "valid_rate", "warn", hostile, hostile, [hostile])
    text = render_page(page(samples=[sample], problems=[problem]))
    text.encode()
    assert len(text) < 6000
    assert text.count("<details>") == text.count("</details>") == 2
    assert text.count("\n```mermaid") == 1
    # A dialogue is a block of HTML, in which Markdown means nothing; a blank line would end it.
    block = text[text.rindex("<details>") : text.rindex("</details>")]
    assert "\n\n" not in block
    assert set(re.findall(r"<[^>]*>", block)) == {
        *"<details> <summary> </summary> <b> </b> <p> </p> <code> </code>".split()
    }
    text = text.replace(block, "")
    for markup in ("<script", "<img", "https://", "www.e", "me@", "**bold**", "\n# Gate", "\x1b", "\u202e", "~~"):
        assert markup not in text
    assert re.search(r"(?<!\\)\]\(", text) is None
    row = next(line for line in text.splitlines() if line.startswith("| warn |"))
    assert row.replace("\\|", "").count("|") == 6


def test_the_page_stays_small_whatever_the_dialogues_are() -> None:
    samples = [dialogue(*["word " * 2000] * 400) for _ in range(3)]
    text = render_page(page(samples=samples))
    assert len(text) < 12_000
    assert text.count("390 further messages") == 3


def standing(**changes: Any) -> Standing:
    usual = Standing(
        shards=4,
        shards_done=1,
        reused=0,
        shards_failed=0,
        done=30,
        expected=100,
        accepted=27,
        tokens=5000,
        cost_usd=0.5,
        seconds=30.0,
    )
    return replace(usual, **changes)


def test_progress_tells_done_accepted_speed_cost_and_time_left() -> None:
    assert standing().describe() == (
        "1 of 4 shards · 30 of 100 done · 27 accepted (90.0 %) · 167 tokens/s · 5,000 tokens · $0.50 · 70 s left"
    )
    assert standing(cost_usd=None).describe().count("cost unknown") == 1


def test_progress_of_a_stage_that_fails_is_not_the_whole() -> None:
    failed = standing(shards_failed=3)
    assert failed.describe().startswith("1 of 4 shards · 3 failed · 30 of 100 done")
    assert "left" not in failed.describe()
    assert failed.share == pytest.approx(0.3)


def test_progress_of_a_stage_from_the_cache_is_counted_in_shards() -> None:
    reused = standing(shards_done=2, reused=2, done=0, expected=0, accepted=None, tokens=0, cost_usd=None)
    assert reused.share == 0.5
    # Half of the stage was there already; of the other half a tenth is done.
    assert standing(shards_done=2, reused=2, done=10).share == pytest.approx(0.55)
    assert reused.describe() == "2 of 4 shards · 30 s left"
    assert standing(shards_done=0, done=0, expected=0).seconds_left is None
    assert standing(shards_done=4).describe().endswith("$0.50")
