"""What is Prefect's of a run, from spans of time: only what no work of ours covers."""

import pytest

from benchmarks.last_stage import split_retry
from benchmarks.prefect_share import split_share
from benchmarks.spans import Span, measure_around, unite


def span(what: str, name: str, start: float, stop: float) -> Span:
    return Span(what, name, start, stop)


def test_time_that_several_spans_share_counts_once() -> None:
    assert unite([span("work", "a", 0, 2), span("work", "b", 1, 3), span("work", "c", 5, 6)]) == 4
    assert unite([span("work", "a", 0, 9), span("work", "b", 1, 3)]) == 9
    assert unite([]) == 0


def test_around_work_is_what_no_work_covers() -> None:
    outer = [span("call", "shards", 0, 10), span("call", "merge", 20, 21)]
    inner = [span("work", "shard", 1, 6), span("work", "shard", 4, 9), span("work", "other", 15, 16)]
    assert measure_around(outer, inner) == 3
    assert measure_around(outer, [span("work", "longer", -5, 50)]) == 0


def test_the_share_is_split_by_what_took_it() -> None:
    parts = split_share(
        [
            span("process", "whole", 0, 100),
            span("import", "prefect", 0, 2),
            span("server", "start", 3, 4),
            span("server", "end", 98, 98.5),
            span("flow", "turnwright", 5, 97),
            span("body", "turnwright", 6, 96.5),
            span("flow", "simulate-dialogues", 10, 90),
            span("body", "simulate-dialogues", 10.25, 89),
            span("call", "shards", 11, 80),
            span("work", "simulate-dialogues", 12, 60),
            span("work", "simulate-dialogues", 30, 79),
            span("call", "merge", 80, 81),
            span("work", "merge", 80.5, 81),
        ]
    )
    assert parts == pytest.approx(
        {"import": 2, "server": 1.5, "pipeline_flow": 1.5, "stage_flows": 1.25, "tasks": 2.5, "whole": 100}
    )


def test_a_retry_costs_what_is_neither_the_failed_shard_nor_done_for_the_first_time() -> None:
    spans = [
        span("process", "whole", 0, 30),
        span("body", "turnwright", 4, 30),
        span("body", "validate-dialogues", 10, 12),
        span("work", "build-dataset", 14, 20),
        span("work", "report", 22, 25),
    ]
    retried = split_retry(spans, "build-dataset")
    assert (retried["made_anew"], retried["besides"], retried["before_first_stage"]) == (9, 21, 10)
    assert split_retry(spans, "report")["besides"] == 27
