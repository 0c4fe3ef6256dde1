"""The newcomer's command, run as a newcomer does: through to its end, kept, interrupted, killed."""

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import interrupted
import psutil
import pytest
import simulated_host
from pulumi_cli import CHECKOUT

Process = subprocess.Popen[str]
SECONDS_AT_MOST = 120


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A copy of the checkout's project, so that no run here touches the developer's own."""
    shutil.copy(CHECKOUT / "Pulumi.yaml", tmp_path)
    shutil.copytree(CHECKOUT / "examples/quickstart", tmp_path / "examples/quickstart")
    yield tmp_path
    quickstart(tmp_path, "--stop").communicate(timeout=SECONDS_AT_MOST)
    assert interrupted.working_on(tmp_path / ".quickstart/state") == []


@pytest.fixture(autouse=True)
def interrupts_are_heard() -> Iterator[None]:
    """Let what is started here hear SIGINT: a shell has a job in its background, and all below it, ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def quickstart(project: Path, *options: str) -> Process:
    command = [sys.executable, str(CHECKOUT / "scripts/python/quickstart.py"), "--project", str(project), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def output_of(process: Process) -> str:
    """Return all that a run printed; it must succeed."""
    text = process.communicate(timeout=SECONDS_AT_MOST)[0]
    assert process.returncode == 0, text
    return text


def read_until(process: Process, step: str) -> None:
    """Read what a run prints until it begins a step."""
    assert process.stdout
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith(step):
            return
    raise AssertionError(f"ended before step {step}:\n{text}")


def host_of(project: Path) -> psutil.Process:
    host = simulated_host.noted(project / ".quickstart")
    process = host.process() if host else None
    assert process
    return process


def wait_for(happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS_AT_MOST
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.05)


def left(project: Path) -> set[str]:
    """Return the names of the files that a run left in the project, without its log and its lock."""
    folder = project / ".quickstart"
    names = {path.name for path in project.iterdir()} | {path.name for path in folder.iterdir()}
    return names - {"Pulumi.yaml", "examples", ".venv", ".quickstart", "hyperv-sim.log", "lock"}


def test_a_lab_goes_up_drifts_heals_and_comes_down_and_nothing_is_left(project: Path) -> None:
    text = output_of(quickstart(project))
    assert re.findall(r"^(\d)  ", text, re.MULTILINE) == ["1", "2", "3", "4", "5", "6", "7"]
    assert 'gateway: "192.168.50.1"' in text
    assert left(project) == set()
    assert simulated_host.noted(project / ".quickstart") is None


def test_a_kept_lab_can_be_worked_on_as_it_says_until_it_is_ended(project: Path) -> None:
    text = output_of(quickstart(project, "--keep"))
    process = host_of(project)
    (project / ".venv").symlink_to(Path(sys.executable).parents[1])
    to_type = text.partition("To go on")[2].partition("To end both")[0]
    shell = "\n".join(line for line in to_type.splitlines() if line.startswith("  "))
    preview = subprocess.run(["bash", "-ec", shell], cwd=project, capture_output=True, text=True, check=False)
    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert "4 unchanged" in preview.stdout
    output_of(quickstart(project, "--stop"))
    assert not process.is_running()
    assert left(project) == set()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_cleans_up(project: Path, ending: signal.Signals) -> None:
    run = quickstart(project)
    read_until(run, "2  ")
    process = host_of(project)
    run.send_signal(ending)
    run.communicate(timeout=SECONDS_AT_MOST)
    assert run.returncode != 0
    assert not process.is_running()
    assert left(project) == set()


def test_what_a_killed_run_left_is_cleaned_by_the_next(project: Path) -> None:
    began = project / "began"
    program = f"import pathlib, time\npathlib.Path({str(began)!r}).touch()\ntime.sleep(30)\n"
    (project / "examples/quickstart/__main__.py").write_text(program)
    run = quickstart(project)
    read_until(run, "2  ")
    wait_for(began.exists)
    started = [host_of(project), *interrupted.working_on(project / ".quickstart/state")]
    assert {"pulumi", "pulumi-language-python"} <= {process.name() for process in started}
    began.unlink()
    run.kill()
    run.communicate(timeout=SECONDS_AT_MOST)
    assert all(process.is_running() for process in started)
    assert "Ending the simulated host that an earlier run left" in output_of(quickstart(project, "--stop"))
    assert not any(process.is_running() for process in started)
    assert left(project) == set()


def test_two_runs_do_not_share_a_checkout(project: Path) -> None:
    first = quickstart(project)
    read_until(first, "2  ")
    second = quickstart(project)
    assert "another scripts/quickstart is at work" in second.communicate(timeout=SECONDS_AT_MOST)[0]
    assert second.returncode == 1
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=SECONDS_AT_MOST)
