"""The whole pipeline in a minute: runs examples/club.yaml, shows a dialogue, table 1, the yield and where things are.

`make demo` calls this; a runs folder may be given. It uses the command line only, as any other program can: `--json`
puts one object on the last line of standard output.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TURNWRIGHT = [sys.executable, "-m", "flows.cli"]


def main(place: list[str]) -> int:
    """Runs the demo; returns the exit code of the first command that fails, else 0."""
    where = ["--runs", *place] if place else []
    run = subprocess.run(
        [*TURNWRIGHT, "run", "examples/club.yaml", *where, "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    result = json.loads(run.stdout.strip().splitlines()[-1]) if run.stdout.strip() else {}
    if run.returncode:
        print(result.get("error", "the run failed"), result.get("hint", ""), sep="\n", file=sys.stderr)
        return run.returncode
    folder = result["run_dir"]
    with (Path(result["exports"]["openai"]) / "train.jsonl").open(encoding="utf-8") as examples:
        longest = max((json.loads(line) for line in examples), key=lambda example: len(example["messages"]))
    for command in (["show", folder, longest["metadata"]["dialogue_id"]], ["stats", folder]):
        code = subprocess.run([*TURNWRIGHT, *command], cwd=ROOT, check=False).returncode
        if code:
            return code
    print(f"{result['valid']} of {result['dialogues']} dialogues are valid; {result['tools_verified']} tools verified")
    print(f"in {result['seconds']:.0f} s with {result['model_calls']} model calls.\n")
    print(f"dialogues to train on  {result['exports']['openai']}")
    print(f"report                 {folder}/report/index.html")
    print(f"data checks            {folder}/checks/index.html")
    print(f"tables                 {folder}/tables")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
