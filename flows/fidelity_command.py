"""The command `fidelity`: the arms of a run against each other, or a run or a file against a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from flows.answers import Answer
from flows.exit_codes import UsageError
from turnwright.storage.run_folder import RunFolder, find_run

_FEWEST_PERMUTATIONS = 99


@dataclass(frozen=True)
class Asked:
    """What the command was asked for."""

    sample: str
    reference: Path | None
    baseline: str | None
    every: bool
    unit: str
    correction: str
    permutations: int
    seed: int
    out: Path | None


def compare(answer: Answer, runs: Path, asked: Asked) -> None:
    """Compares the arms, prints the comparison and writes it: beside the run's report, or into `out`.

    Raises:
        RunNotFound: there is no such run or file.
        UsageError: a file holds no dialogues, there is only one arm, or an option is not known.
        TableError: a table cannot be read.
        OSError: the folder cannot be written.
    """
    from turnwright.datasets.reference import BadReference
    from turnwright.reports.fidelity_page import write_fidelity_page
    from turnwright.reports.fidelity_text import show_fidelity
    from turnwright.statistics.fidelity.comparison import Draws
    from turnwright.statistics.fidelity.fidelity import TooFewArms, compute_fidelity
    from turnwright.statistics.fidelity.multiplicity import Correction
    from turnwright.statistics.fidelity.record import Unit, write_fidelity

    _check(asked, get_args(Unit), get_args(Correction))
    draws: Any = Draws(permutations=asked.permutations, seed=asked.seed, correction=asked.correction)  # pyright: ignore[reportArgumentType]
    folder = None
    try:
        arms, baseline, folder = _read_arms(asked, runs)
        unit: Any = asked.unit
        fidelity = compute_fidelity(arms, baseline, draws, unit=unit)
    except (BadReference, TooFewArms) as error:
        hint = "name a file to hold it against with --reference FILE" if isinstance(error, TooFewArms) else _FORMAT
        raise UsageError(str(error), hint) from None
    except ValueError as error:
        if asked.unit != "cluster" or "clusters" not in str(error):
            raise
        raise UsageError(str(error), "use --unit dialogue") from None
    place = asked.out or (folder.report if folder is not None else None)
    answer.fields = fidelity.model_dump(mode="json")
    if folder is not None:
        answer.fields["run_dir"] = str(folder.root)
    if place is not None:
        write_fidelity(fidelity, place / "fidelity.json")
        answer.fields["page"] = str(write_fidelity_page(fidelity, place / "fidelity.html"))
    answer.say(*show_fidelity(fidelity))


_FORMAT = "each line is one JSON object with `messages` (and `tools`) in OpenAI's chat format"


def _check(asked: Asked, units: tuple[str, ...], corrections: tuple[str, ...]) -> None:
    for option, value, allowed in (("--unit", asked.unit, units), ("--correction", asked.correction, corrections)):
        if value not in allowed:
            raise UsageError(f"{option} is {value!r}", f"use one of: {', '.join(allowed)}")
    if asked.permutations < _FEWEST_PERMUTATIONS:
        raise UsageError(
            f"--permutations is {asked.permutations}", f"use {_FEWEST_PERMUTATIONS} or more: a p-value is no finer"
        )


def _read_arms(asked: Asked, runs: Path) -> tuple[list[Any], str | None, RunFolder | None]:
    """The arms, the baseline's name where it is given or follows, and the run where it is one."""
    from dataclasses import replace

    from turnwright.statistics.fidelity.arms import read_file_arms, read_run_arms

    file = Path(asked.sample)
    folder = None
    if file.is_file():
        arms = read_file_arms(file)
    else:
        folder = find_run(runs, asked.sample)
        tables = folder.find_tables()
        if "dialogues" not in tables:
            raise UsageError(f"{folder.run_id} has no dialogues: it ended before simulate-dialogues", "run it again")
        arms = read_run_arms(tables, every=asked.every)
        if not arms:
            raise UsageError(f"{folder.run_id} has no valid dialogue", "--all takes in those that are not valid")
    if asked.reference is None:
        return arms, asked.baseline, folder
    (reference,) = read_file_arms(asked.reference, by_line=False)
    if any(arm.name == reference.name for arm in arms):
        reference = replace(reference, name=f"{reference.name} (reference)")
    return [*arms, reference], asked.baseline or reference.name, folder
