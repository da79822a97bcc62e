"""The wheel holds everything that a run needs: it is installed in an environment of its own and used from elsewhere."""

import json
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the commands of an environment with the wheel; third-party packages are borrowed from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=120)
    (wheel,) = folder.glob("turnwright-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True, timeout=60)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    shutil.unpack_archive(wheel, packages, "zip")
    # Appended behind the environment's own packages; addsitedir is not used, so that no editable install comes along.
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return folder / "env" / "bin"


def _run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(installed / "python"), "-P", "-c", "from flows.cli import main; main()", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_code_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    command = "import flows, prompts; print(flows.__file__); print(prompts.__file__)"
    found = subprocess.run(
        [str(installed / "python"), "-P", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert all(line.startswith(str(installed.parent)) for line in found.stdout.splitlines()), found.stdout


def test_a_run_from_elsewhere_makes_its_exports_and_report(installed: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "club.sqlite", tmp_path)
    (tmp_path / "small.yaml").write_text(
        "name: small\nseed: 1\ndialogues: 4\nchecks: {min_valid_rate: 0.0}\n"
        "sources: [{kind: sql, url: 'sqlite:///club.sqlite'}]\n",
        encoding="utf-8",
    )
    run = _run(installed, tmp_path, "run", "small.yaml", "--json")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert result["dialogues"] == 4
    assert (Path(result["run_dir"]) / "report" / "index.html").exists()
    assert (Path(result["exports"]["openai"]) / "train.jsonl").exists()
    assert _run(installed, tmp_path, "show", "latest").returncode == 0
