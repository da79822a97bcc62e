"""turnwright: the command line. Nothing heavy is imported before a command needs it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from flows.answers import Answer, Exit, answering
from flows.exit_codes import BAD_USAGE, Failure

app = typer.Typer(
    name="turnwright",
    help="Makes checked multi-turn tool-calling dialogues to train language models on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
selfplay = typer.Typer(help="The embedded endpoint by itself.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(selfplay, name="selfplay")


def read_runs(given: str | Path) -> Path:
    """The folder of this machine for what `--runs` gives, or for its default.

    Raises:
        BadParameter: it is a URL that cannot be used.
    """
    text = str(given)
    if "://" not in text:
        return Path(given)
    from turnwright.storage.mirrors import BadPlace, find_place

    try:
        return find_place(text)
    except BadPlace as error:
        raise typer.BadParameter(str(error)) from None


Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on the last line of stdout.")]
Runs = Annotated[
    Path,
    typer.Option("--runs", parser=read_runs, metavar="FOLDER|URL", help="Folder of all runs, or s3://bucket/folder."),
]
Config = Annotated[Path, typer.Argument(help="YAML file.", show_default=False)]
Overrides = Annotated[list[str], typer.Option("--set", metavar="A.B=VALUE", help="Lay a value over the config.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use the call journal only; ask no endpoint.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show Prefect's messages.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Logs on stderr as one JSON object a line.")]
Bars = Annotated[bool | None, typer.Option("--progress/--no-progress", help="Progress bars; default: on a terminal.")]
Run = Annotated[str, typer.Argument(help="Run folder, run id or its beginning, or `latest`.", show_default=False)]
RUNS = Path("runs")


@app.command("run")
def run_command(
    config: Config,
    overrides: Overrides = [],  # noqa: B006 typer reads it, nobody writes it
    runs: Runs = RUNS,
    offline: Offline = False,
    extend: Annotated[
        str | None, typer.Option("--extend", metavar="DATASET", help="Add what is made to a dataset, as a new version.")
    ] = None,
    progress: Bars = None,
    verbose: Verbose = False,
    log_json: LogJson = False,
    as_json: Json = False,
) -> None:
    """Runs the whole pipeline: from sources to checked, exported dialogues."""
    with answering(as_json=as_json, log_json=log_json) as answer:
        from flows.config_file import load_config
        from flows.run_command import run_pipeline

        if extend is not None:
            overrides = [*overrides, f'incremental.dataset="{extend}"']
        run_pipeline(answer, load_config(config, overrides), runs, offline=offline, progress=progress, verbose=verbose)


@app.command("stage")
def stage_command(
    stage: Annotated[str, typer.Argument(help="Name of the stage, as simulate-dialogues.", show_default=False)],
    config: Config,
    inputs: Annotated[
        list[str], typer.Option("--input", metavar="TABLE=FILE", help="A table that the stage reads.")
    ] = [],  # noqa: B006
    overrides: Overrides = [],  # noqa: B006
    runs: Runs = RUNS,
    offline: Offline = False,
    progress: Bars = None,
    verbose: Verbose = False,
    log_json: LogJson = False,
    as_json: Json = False,
) -> None:
    """Runs one stage, from given tables."""
    with answering(as_json=as_json, log_json=log_json) as answer:
        from flows.config_file import load_config
        from flows.run_command import run_stage

        run_stage(
            answer,
            stage,
            load_config(config, overrides),
            inputs,
            runs,
            offline=offline,
            progress=progress,
            verbose=verbose,
        )


@app.command("check")
def check_command(
    file: Annotated[
        Path, typer.Argument(help="Parquet table, or JSON Lines of dialogues made elsewhere.", show_default=False)
    ],
    tools: Annotated[Path | None, typer.Option("--tools", help="Tools of dialogues that bring none along.")] = None,
    system: Annotated[
        Path | None, typer.Option("--system", help="System prompt of dialogues that bring none along.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="JSONL file: a line for each row.")] = None,
    as_json: Json = False,
) -> None:
    """Says what is wrong in a table, or in dialogues made elsewhere, row by row; ends with 3 where something is."""
    with answering(as_json=as_json) as answer:
        from flows.check_command import Asked, check_file

        check_file(answer, Asked(file, tools, system, out))


@app.command("show")
def show_command(
    run: Run,
    dialogue: Annotated[str | None, typer.Argument(help="Id of a dialogue, or its beginning.")] = None,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Lists the dialogues of a run, or prints one."""
    with answering(as_json=as_json) as answer:
        from flows.reading import show_run

        show_run(answer, runs, run, dialogue)


@app.command("stats")
def stats_command(run: Run, runs: Runs = RUNS, as_json: Json = False) -> None:
    """Prints table 1 and table 4 of the paper for a run, and the yield by stage."""
    with answering(as_json=as_json) as answer:
        from flows.reading import show_statistics_of

        show_statistics_of(answer, runs, run)


@app.command("lineage")
def lineage_command(
    run: Run,
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Id of a row, or name or digest of a file.")],
    calls: Annotated[bool, typer.Option("--calls", help="Show the model calls behind it, from the journal.")] = False,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Traces a row or a file back to its seed, and forward; in all runs where RUN is `all`."""
    with answering(as_json=as_json) as answer:
        from flows.lineage_command import Asked, show_lineage

        show_lineage(answer, runs, Asked(run, wanted, calls))


@app.command("datasets")
def datasets_command(
    name: Annotated[str | None, typer.Argument(help="A dataset, or a version of one as club@v2.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read every file and hold it against its digest.")] = False,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Lists datasets and their versions, or says what a version brought."""
    with answering(as_json=as_json) as answer:
        from flows.datasets_command import show_datasets

        show_datasets(answer, runs, name, verify=verify)


@app.command("prune")
def prune_command(
    keep_last: Annotated[
        int | None, typer.Option("--keep-last", help="Give up all runs but the last so many.", min=0)
    ] = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", help="Give up runs that ended before.", min=0.0)
    ] = None,
    drop: Annotated[
        list[str], typer.Option("--drop", metavar="RUN", help="Give up a run, or a version as club@v1.")
    ] = [],  # noqa: B006
    delete: Annotated[bool, typer.Option("--delete", help="Really delete; default: only say what would go.")] = False,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Says what nothing needs any more, with its bytes, and deletes it where asked to."""
    with answering(as_json=as_json) as answer:
        from flows.prune_command import Asked, prune_runs

        prune_runs(answer, runs, Asked(keep_last, older_than, tuple(drop), delete))


@app.command("export")
def export_command(
    run: Run,
    export_format: Annotated[str, typer.Option("--format", help="Training format: openai.")] = "openai",
    out: Annotated[Path | None, typer.Option("--out", help="Folder; default: export/ of the run.")] = None,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Writes the dataset of a run in a training format."""
    with answering(as_json=as_json) as answer:
        from flows.reading import export_run

        export_run(answer, runs, run, export_format, out)


@app.command("fidelity")
def fidelity_command(
    sample: Annotated[
        str, typer.Argument(metavar="RUN", help="Run, or a JSONL file of dialogues.", show_default=False)
    ],
    reference: Annotated[
        Path | None, typer.Option("--reference", help="JSONL file of dialogues to hold it against.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Arm that the others are held against.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Take dialogues in that are not valid, too.")] = False,
    unit: Annotated[str, typer.Option(help="What is independent: dialogue or cluster.")] = "dialogue",
    correction: Annotated[str, typer.Option(help="For many tests: benjamini-hochberg or holm.")] = "benjamini-hochberg",
    permutations: Annotated[int, typer.Option(help="Shuffled labellings behind a p-value.")] = 999,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for fidelity.json and fidelity.html.")] = None,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Holds stateless dialogues against stateful ones, or a run against a file: what matches, what does not."""
    with answering(as_json=as_json) as answer:
        from flows.fidelity_command import Asked, compare

        asked = Asked(sample, reference, baseline, every, unit, correction, permutations, seed, out)
        compare(answer, runs, asked)


@app.command("calibrate")
def calibrate_command(
    run: Run,
    limit: Annotated[int, typer.Option(help="Most dialogues that defects are planted in; 0: all.", min=0)] = 200,
    judge: Annotated[
        bool | None,
        typer.Option("--judge/--no-judge", help="Ask the rubric judge too; default: where it costs nothing."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Count every complete dialogue as clean: for runs made without mistakes.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for calibration.json and calibration.html.")] = None,
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Plants known defects in valid dialogues and reports what the validator catches, by kind and layer."""
    with answering(as_json=as_json) as answer:
        from flows.calibrate_command import Asked, measure_validator

        measure_validator(answer, runs, Asked(run, limit, seed, judge, every, out))


@app.command("doctor")
def doctor_command(
    config: Config,
    overrides: Overrides = [],  # noqa: B006
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Looks at everything that a run needs: endpoints and what they can do, databases, the output folder."""
    with answering(as_json=as_json) as answer:
        from flows.config_file import load_config
        from flows.run_command import look_at_needs

        look_at_needs(answer, load_config(config, overrides), runs)


@app.command("operate")
def operate_command(
    port: Annotated[int, typer.Option(help="Port of the Prefect server and its UI; 0 takes any free port.")] = 4200,
    home: Annotated[Path, typer.Option("--home", help="Folder for the server's database and logs.")] = RUNS
    / "store"
    / "operate",
    prefect_file: Annotated[Path, typer.Option("--prefect-file", help="Deployments.")] = Path("prefect.yaml"),
    as_json: Json = False,
) -> None:
    """Starts a Prefect server, a work pool, the deployments and a worker on this machine, until interrupted."""
    with answering(as_json=as_json) as answer:
        from flows.operate_command import operate

        operate(answer, port=port, home=home, prefect_file=prefect_file)


@selfplay.command("serve")
def serve_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes any free port.")] = 8089,
    slots: Annotated[int, typer.Option(help="Requests worked on at once; 0: no limit.")] = 64,
    latency_ms: Annotated[float, typer.Option(help="Median time that a request occupies its slot.")] = 0.0,
    latency_sigma: Annotated[float, typer.Option(help="Shape of the lognormal latency.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of all replies.")] = 0,
    mistake_rate: Annotated[float, typer.Option(help="Chance of a deliberate mistake, per dialogue.")] = 0.03,
    faults: Annotated[
        list[str], typer.Option("--fault", metavar="KIND=RATE", help="429, 500, drop, hang, html, malformed, …")
    ] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Serves the embedded endpoint, with slots, latency and faults to order, until interrupted."""
    with answering(as_json=as_json) as answer:
        from flows.serve_command import serve_selfplay

        serve_selfplay(answer, host, port, slots, latency_ms, latency_sigma, seed, mistake_rate, faults)


def main(arguments: Sequence[str] | None = None) -> None:
    """The program `turnwright`: reads its arguments, runs a command, and exits with the code of flows/exit_codes.py."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(given, prog_name="turnwright", standalone_mode=False)
    except Exit as way_out:
        code = way_out.code
    except typer.TyperException as error:
        hint = "turnwright --help lists the commands; turnwright COMMAND --help its options"
        Answer(as_json="--json" in given).fail(Failure(error.format_message(), BAD_USAGE, hint))
        code = BAD_USAGE
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
