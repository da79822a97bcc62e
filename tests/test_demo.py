"""The demo, as `make demo` runs it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_demo_shows_a_dialogue_the_figures_and_where_things_are(tmp_path: Path) -> None:
    demo = [sys.executable, str(ROOT / "examples" / "demo.py"), str(tmp_path / "runs")]
    done = subprocess.run(demo, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    for part in ("Assistant", "user oriented executed", "dialogues are valid", "report", "export"):
        assert part in done.stdout, part
    valid = next(line for line in done.stdout.splitlines() if "dialogues are valid" in line)
    assert int(valid.split()[0]) >= 20
