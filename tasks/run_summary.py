"""What a run came to, in one object: the answer of its flow, and the JSON of the command `run`."""

from schemas.closed import Closed
from tasks.ledger_totals import count_dialogues
from tasks.run_context import RunContext


class RunSummary(Closed):
    """What a run came to; the JSON of the command `run`."""

    run_dir: str
    dialogues: int
    """Dialogues that were to be attempted."""
    valid: int
    rejected: int
    failed: int
    tools_verified: int
    model_calls: int
    """Requests sent to an endpoint."""
    tokens: int
    """Of new replies, prompt and generated."""
    seconds: float
    tables: dict[str, dict[str, str | int]]
    """Name -> path, sha256, rows."""
    exports: dict[str, str]
    """Format -> folder."""


def summarize_run(run: RunContext) -> RunSummary:
    """The summary of a run, as far as it came.

    Raises:
        RunNotFound: there is no readable `run.json`.
    """
    record = run.folder.read_run()
    root = run.folder.root
    tools = record["ledger"].get("prepare-tools", {}).get("tool", {})
    dialogues = record.get("dialogues") or count_dialogues({}, run.config)
    return RunSummary(
        run_dir=str(root),
        dialogues=dialogues["planned"],
        valid=dialogues["valid"],
        rejected=dialogues["rejected"],
        failed=dialogues["failed"],
        tools_verified=tools.get("accepted", 0),
        model_calls=record["usage"].get("requests", 0),
        tokens=record["usage"].get("tokens", 0),
        seconds=record["timings"].get("total", 0.0),
        tables={
            name: {"path": str(root / table["path"]), "sha256": table["sha256"], "rows": table["rows"]}
            for name, table in record["tables"].items()
        },
        exports={name: str(root / export["folder"]) for name, export in record["exports"].items()},
    )
