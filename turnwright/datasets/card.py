"""The dataset card: README.md beside an export, so that nobody trains on data whose origin they do not know."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from turnwright.datasets.dataset import TRAIN, VALIDATION
from turnwright.datasets.openai import FILES
from turnwright.sources.names import name_source
from turnwright.statistics.statistics import Statistics
from turnwright.storage.store import replace_file

SELFPLAY = "selfplay"
_TEMPLATED = """> [!WARNING]
> **The embedded endpoint of turnwright wrote this data.** Its language is templated: a few phrasings, filled in by
> rules. It is there to try, test and load the pipeline. Do not train a model on it.
"""


def write_card(folder: Path, statistics: Statistics, run: Mapping[str, Any]) -> Path:
    """Writes `README.md` into an export folder and returns its path.

    Args:
        folder: the export.
        statistics: figures of the run.
        run: the content of run.json: `run_id`, `config` and `versions` are read.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / "README.md"
    replace_file(path, format_card(statistics, run).encode())
    return path


def format_card(statistics: Statistics, run: Mapping[str, Any]) -> str:
    """The card's Markdown, with the metadata block that dataset hubs read."""
    config: dict[str, Any] = run.get("config") or {}
    parts = [
        _format_metadata(statistics, config),
        f"# {config.get('name', 'turnwright dataset')}",
        *([_TEMPLATED] if SELFPLAY in statistics.models else []),
        _format_content(statistics),
        _format_table1(statistics),
        _format_origin(statistics, run, config),
        _format_validation(statistics),
        _format_limits(statistics),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _format_metadata(statistics: Statistics, config: Mapping[str, Any]) -> str:
    exported = statistics.counts.exported
    files = [
        f"      - split: {split}\n        path: {FILES[split]}" for split in (TRAIN, VALIDATION) if exported.get(split)
    ]
    data_files = "configs:\n  - config_name: default\n    data_files:\n" + "\n".join(files) + "\n" if files else ""
    return (
        "---\n"
        f"pretty_name: {_quote(str(config.get('name', 'turnwright dataset')))}\n"
        "# Set the licence of your sources and models here.\n"
        "license: other\n"
        "task_categories:\n  - text-generation\n"
        "tags:\n  - tool-use\n  - function-calling\n  - multi-turn\n  - synthetic\n"
        f"size_categories:\n  - {_size_category(sum(exported.values()))}\n"
        f"{data_files}---"
    )


def _format_content(statistics: Statistics) -> str:
    counts = statistics.counts
    splits = ", ".join(f"{rows:,} {split}" for split, rows in sorted(counts.exported.items())) or "no dialogues"
    return f"""## What it is

Multi-turn dialogues in which a simulated user pursues goals and an assistant calls tools. {splits}.
Domains: {counts.domains:,}. Toolsets: {counts.toolsets:,}. Tools: {counts.tools_verified:,}.

Each line of `train.jsonl` and `validation.jsonl` is one dialogue:

| field | content |
|---|---|
| `id` | id of the example |
| `messages` | OpenAI chat messages; arguments of a call are the text that the model wrote, a result has its call's id |
| `tools` | the OpenAI function specs that were offered |
| `metadata` | dialogue id, domain, paradigm, difficulty, behaviour, turns, tasks, calls, model, given messages |

The first `metadata.given_messages` messages began elsewhere: give them as context, and train on what follows.
Where the model gave its reasoning it stands in `reasoning_content`, apart from `content`."""


def _format_table1(statistics: Statistics) -> str:
    lines = [row for row in statistics.table1 if row.scope == "accepted"]
    rows = "\n".join(
        f"| {_cell(row.paradigm)} | {_cell(row.source)} | {row.step.mean:.2f} ({row.step.maximum}) "
        f"| {row.turn.mean:.2f} ({row.turn.maximum}) | {row.task.mean:.2f} ({row.task.maximum}) | {row.samples:,} |"
        for row in lines
    )
    return f"""## Size of the dialogues

Mean (maximum) over the valid dialogues. Step: rounds of tool calls spent on a user request that reached the tools.
Turn: messages of user, assistant and tools. Task: goals pursued.

| paradigm | source | step | turn | task | samples |
|---|---|---|---|---|---|
{rows}"""


def _format_origin(statistics: Statistics, run: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    endpoints: dict[str, dict[str, Any]] = run.get("endpoints") or {}
    roles = "\n".join(
        f"| {_cell(role)} | {_cell(str(endpoint.get('name') or endpoint.get('kind')))} |"
        for role, endpoint in sorted(endpoints.items())
    )
    played = f"\n\n| role | model |\n|---|---|\n{roles}" if roles else ""
    sources: list[dict[str, Any]] = config.get("sources") or []
    listed = "\n".join(f"* {_cell(name_source(source))}" for source in sources)
    versions: dict[str, str] = run.get("versions") or {}
    maker = f"turnwright {versions['turnwright']}" if "turnwright" in versions else "turnwright"
    return f"""## Where it comes from

Made by {maker} in run `{run.get("run_id", "unknown")}`, seed {config.get("seed", 0)}.
Models: {", ".join(statistics.models) or "unknown"}.{played}

Sources, whose licences apply to what is quoted from them:

{listed or "* unknown"}"""


def _format_validation(statistics: Statistics) -> str:
    counts = statistics.counts
    return f"""## How it was validated

{counts.valid:,} of {counts.dialogues:,} simulated dialogues were found valid ({counts.valid_rate:.1%}); only these are
here. What was looked at: rules inside the dialogue (ids paired, arguments fit the specs, order of roles), replay of
every recorded call on a fresh copy of the source, the final state and what was reported against a plan that was proved
to run, and a rubric judge. {counts.unscored:,} dialogues could not be judged and are not here. Dialogues with equal
messages stand here once, and all dialogues of one task are in one split."""


def _format_limits(statistics: Statistics) -> str:
    information = statistics.information
    return f"""## Limits

* The users are simulated. {information.empty_share:.1%} of the turns carry neither a call, a result nor anything new.
* Names and values come from the sources: look at them before you publish what may be personal.
* A validator errs both ways: a valid verdict is strong evidence, not proof."""


def _cell(text: str) -> str:
    """Text for a Markdown table or list: what a database is called must not become markup."""
    for character in "\\|<>[]`*":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _size_category(rows: int) -> str:
    for limit, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if rows < limit:
            return name
    return "1M<n<10M"
