"""The commands `run`, `stage` and `doctor`."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from flows.answers import Answer, Exit
from flows.exit_codes import NOT_WRITABLE, UNREACHABLE, Failure, RunStopped, UsageError, explain
from flows.logs import set_up_logging
from flows.running import prefect_server, require_needs, run_to_end
from schemas.config import RunConfig
from schemas.rows import TableRef
from schemas.tables import TABLES
from schemas.vocabulary import STAGES
from turnwright.storage.mirrors import name_file
from turnwright.storage.tables import describe_table, read_rows


def run_pipeline(
    answer: Answer, config: RunConfig, runs: Path, *, offline: bool, progress: bool | None, verbose: bool
) -> None:
    """Runs the whole DAG and says what came of it.

    Raises:
        Whatever flows/exit_codes.py explains.
    """
    set_up_logging(verbose=verbose, as_json=answer.log_json)
    with prefect_server(runs, verbose=verbose) as wait_for_server:
        require_needs(config, runs, offline=offline)
        from flows.pipeline import pipeline
        from flows.progress import show_progress
        from tasks.run_context import RunContext, make_run_id

        run = RunContext(config=config, run_id=make_run_id(config.name), runs=name_file(runs), offline=offline)
        if not offline:
            _tell_estimate(answer, config, runs)
        wait_for_server()
        bars = False if answer.log_json else progress
        with _telling_what_was_made(answer, run), show_progress(run.run_id, wanted=bars):
            work: Coroutine[Any, Any, Any] = pipeline(config, run.runs, offline, run.run_id)
            run_to_end(work, run.run_id, _last_word(answer, run))
    _require_whole(run)


def _tell_estimate(answer: Answer, config: RunConfig, runs: Path) -> None:
    """Says on stderr what the run is expected to take, and which cap of the budget that would reach."""
    from tasks.estimates import make_estimate
    from turnwright.reports.formats import format_count, format_seconds

    estimate = make_estimate(config, runs)
    cost = "cost unknown: the model has no price" if estimate.cost_usd is None else f"${estimate.cost_usd:,.2f}"
    measured = f"measured on {estimate.earlier_runs} earlier runs" if estimate.earlier_runs else "by default figures"
    answer.tell(
        f"estimate  {format_count(estimate.calls)} calls, {format_count(estimate.tokens)} tokens, "
        f"{format_seconds(estimate.seconds)}, {cost} ({measured})"
    )
    caps = config.budget
    expected = {
        "tokens": (estimate.tokens, caps.tokens),
        "cost_usd": (estimate.cost_usd, caps.cost_usd),
        "minutes": (estimate.seconds / 60, caps.minutes),
    }
    for name, (amount, cap) in expected.items():
        if amount is not None and cap is not None and amount > cap:
            answer.tell(f"          budget.{name} ({cap:g}) would end it at about {cap / amount:.0%}")


def run_stage(
    answer: Answer,
    stage: str,
    config: RunConfig,
    inputs: Sequence[str],
    runs: Path,
    *,
    offline: bool,
    progress: bool | None,
    verbose: bool,
) -> None:
    """Runs one stage from given tables, as a run of its own.

    Raises:
        Whatever flows/exit_codes.py explains.
    """
    if stage not in STAGES:
        raise UsageError(f"there is no stage {stage!r}; stages are {', '.join(STAGES)}")
    set_up_logging(verbose=verbose, as_json=answer.log_json)
    given = dict(read_input(text) for text in inputs)
    with prefect_server(runs, verbose=verbose) as wait_for_server:
        from flows.progress import show_progress
        from tasks.cache_keys import stage_module
        from tasks.extension import extend_run
        from tasks.run_context import RunContext, make_run_id

        module = stage_module(next(name for name in STAGES if name == stage))
        flow: Any = getattr(import_module(f"flows.{module}"), module)
        parameters = inspect.signature(flow.fn).parameters.values()
        # A table with a default is read where it is given.
        wanted = [
            one.name
            for one in parameters
            if one.name != "run" and (one.default is inspect.Parameter.empty or one.name in given)
        ]
        _check_inputs(stage, wanted, given)
        require_needs(config, runs, offline=offline)
        run_id = make_run_id(f"{config.name}-{stage}")
        run = extend_run(RunContext(config=config, run_id=run_id, runs=name_file(runs), offline=offline))
        wait_for_server()
        bars = False if answer.log_json else progress
        with _telling_what_was_made(answer, run), show_progress(run_id, wanted=bars):
            run_to_end(_run_alone(flow, run, wanted, given), run_id, _last_word(answer, run))
    _require_whole(run)


async def _run_alone(flow: Any, run: Any, wanted: Sequence[str], given: dict[str, TableRef]) -> None:
    from tasks.register import accompany_run
    from tasks.run_course import recorded_run
    from tasks.run_record import record_inputs

    with accompany_run(run), recorded_run(run):
        tables = record_inputs(run, given)
        await flow(run, **{name: tables[name] for name in wanted})


def read_input(text: str) -> tuple[str, TableRef]:
    """A table given as TABLE=FILE; every row is validated, because nobody knows who wrote it.

    Raises:
        UsageError: it has another form.
        TableError: the file does not hold that table.
    """
    table, sign, file = text.partition("=")
    if not sign or table not in TABLES:
        raise UsageError(
            f"--input {text}: must be TABLE=FILE; tables are {', '.join(TABLES)}",
            "as in --input seeds=runs/club/tables/seeds.parquet",
        )
    path = Path(file)
    for _ in read_rows(path, table):
        pass
    return table, describe_table(path, table)


def look_at_needs(answer: Answer, config: RunConfig, runs: Path) -> None:
    """Prints what was found of everything that a run needs.

    Raises:
        Exit: something is missing; it was said.
    """
    from rich.table import Table
    from rich.text import Text

    from tasks.preflight import check_needs

    checks = asyncio.run(check_needs(config, runs, features=True))
    table = Table("", "what", "found", "what to do", box=None, pad_edge=False)
    for check in checks:
        can = ", ".join(name for name, able in check.features.items() if able)
        cannot = ", ".join(name for name, able in check.features.items() if not able)
        found = "; ".join(filter(None, [check.message, can and f"can do {can}", cannot and f"cannot do {cannot}"]))
        found = "\n".join([found, *(f"warning: {warning}" for warning in check.warnings)])
        mark = Text("ok", style="green") if check.ok else Text("no", style="red")
        table.add_row(mark, Text(check.subject), Text(found), Text(check.hint))
    if config.model.kind == "selfplay":
        table.add_row(
            Text("ok", style="green"), Text("selfplay"), Text("the embedded endpoint starts with a run"), Text()
        )
    answer.say(table)
    answer.fields = {"ok": all(check.ok for check in checks), "checks": [check.model_dump() for check in checks]}
    missing = [check for check in checks if not check.ok]
    if missing:
        code = NOT_WRITABLE if missing[0].kind == "output" else UNREACHABLE
        message = f"{len(missing)} of {len(checks)} things that a run needs are missing"
        answer.fail(Failure(message, code, "\n".join(dict.fromkeys(check.hint for check in missing))))
        raise Exit(code)


@contextmanager
def _telling_what_was_made(answer: Answer, run: Any) -> Generator[None]:
    """Puts the summary of the run into the answer, however the body ends."""
    from rich.text import Text

    from tasks.run_summary import summarize_run
    from turnwright.storage.run_folder import RunNotFound

    try:
        yield
    finally:
        with suppress(RunNotFound, KeyError):
            summary = summarize_run(run)
            answer.fields = dict(summary.model_dump(mode="json"))
            published = run.folder.read_run().get("dataset")
            if published is not None:
                answer.fields["dataset"] = published
            answer.say(Text(describe_summary(summary, run)))


def describe_summary(summary: Any, run: Any) -> str:
    """A run in a few lines."""
    lines = [
        f"run       {summary.run_dir}",
        f"dialogues {summary.valid} valid of {summary.dialogues}"
        f" ({summary.rejected} rejected, {summary.failed} failed), {summary.tools_verified} tools",
        f"calls     {summary.model_calls} to the endpoint, {summary.tokens} tokens, {summary.seconds:.1f} s",
        *(f"export    {folder}" for folder in summary.exports.values()),
    ]
    published = run.folder.read_run().get("dataset")
    if published is not None:
        told = f"{published['added']} examples added, {published['rows']} in all, {published['difference']}"
        lines.append(f"dataset   {published['name']}: {published['why_not'] or told}")
    page = run.folder.report / "index.html"
    if page.is_file():
        lines.append(f"report    {page}")
    return "\n".join(lines)


def _last_word(answer: Answer, run: Any) -> Callable[[], None]:
    def speak() -> None:
        answer.fields = {"run_dir": str(run.folder.root)}
        answer.fail(explain(KeyboardInterrupt()))

    return speak


def _require_whole(run: Any) -> None:
    from tasks.run_record import find_stopped

    stopped = find_stopped(run)
    if stopped is not None:
        raise RunStopped(stopped)


def _check_inputs(stage: str, wanted: Sequence[str], given: dict[str, TableRef]) -> None:
    missing = [name for name in wanted if name not in given]
    if missing:
        places = " ".join(f"--input {name}=FILE" for name in missing)
        raise UsageError(
            f"{stage} needs {', '.join(wanted) or 'no tables'}; missing: {', '.join(missing)}", f"add {places}"
        )
    unused = [name for name in given if name not in wanted]
    if unused and stage != "report":
        raise UsageError(f"{stage} does not read {', '.join(unused)}; it reads {', '.join(wanted) or 'no tables'}")
