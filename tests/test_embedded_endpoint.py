"""The embedded endpoint as a child process: up when constructed, gone with its parent."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from turnwright.selfplay.options import ServeOptions
from turnwright.selfplay.process import EmbeddedEndpoint, EndpointNotStarted

ROOT = Path(__file__).resolve().parents[1]


def ask_models(url: str) -> str:
    with urllib.request.urlopen(f"{url}/models", timeout=10) as reply:
        return json.load(reply)["data"][0]["id"]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def wait_until_gone(pid: int) -> bool:
    for _ in range(200):
        if not is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_it_answers_at_once_and_ends_when_closed() -> None:
    with EmbeddedEndpoint(ServeOptions(seed=5)) as endpoint, EmbeddedEndpoint() as other:
        assert endpoint.url != other.url
        assert endpoint.url.startswith("http://127.0.0.1:")
        assert ask_models(endpoint.url) == "selfplay"
        pid = endpoint.pid
    assert not is_alive(pid)
    endpoint.close()


def test_it_dies_with_a_parent_that_is_killed() -> None:
    program = (
        "import time\n"
        "from turnwright.selfplay.process import EmbeddedEndpoint\n"
        "endpoint = EmbeddedEndpoint()\n"
        "print(endpoint.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert wait_until_gone(pid)


def test_a_taken_port_is_an_error() -> None:
    with EmbeddedEndpoint() as endpoint:
        port = int(endpoint.url.rsplit(":", 1)[1].removesuffix("/v1"))
        with pytest.raises(EndpointNotStarted, match="did not start"):
            EmbeddedEndpoint(ServeOptions(port=port))


def test_the_module_says_what_is_wrong_with_its_options() -> None:
    command = [sys.executable, "-m", "turnwright.selfplay", "--fault", "teapot=1"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "unknown fault 'teapot'" in run.stderr
