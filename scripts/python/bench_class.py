"""What a class costs: `nestedlab class up` of several students, next to as many stacks that do nothing."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import psutil
import pulumi_cli
from bench_times import NOTHING
from rich.table import Table

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer

DELAY_MS = 20
"""What the host waits before each answer: about what a network adds."""

_MIB = 2**20
_LAB = """
import pulumi_nestedlab as lab

seat = lab.Seat()
net = lab.NatSwitch("net", prefix=seat.prefix)
lab.NestedHyperVHost(
    "hv1", memory_mib=512, processors=1, os_disk=lab.Disk(size_gib=80), switch=net.name, baseline="start"
)
"""
_IDLE = """
from nothing import Idle

for name in ("net", "hv1"):
    Idle(name)
"""
_PASSWORD = "NESTEDLAB_PASSWORD"  # noqa: S105 - the name of the variable


@dataclass(frozen=True)
class Cost:
    """What a class took. `memory` is of all its processes together at their peak, in MiB."""

    seconds: float
    memory: float
    requests: int
    reset: float = 0


def table(sizes: Sequence[int]) -> Table:
    """The cost of classes of these sizes, measured once each."""
    shown = Table(title=f"Classes, delay of each request: {DELAY_MS} ms")
    for heading in ("students", "idle s", "lab s", "ratio", "MiB a running stack", "requests a student", "reset s"):
        shown.add_column(heading, justify="right")
    _cost(1, _IDLE)  # compiles what Python has not compiled yet
    for size in sizes:
        idle, lab = _cost(size, _IDLE), _cost(size, _LAB, resets=True)
        running = min(size, 2 * (os.cpu_count() or 1))
        figures = (idle.seconds, lab.seconds, lab.seconds / idle.seconds)
        rest = (f"{lab.memory / running:.0f}", f"{lab.requests / size:.0f}", f"{lab.reset:.1f}")
        shown.add_row(str(size), *(f"{figure:.1f}" for figure in figures), *rest)
    return shown


def _cost(size: int, program: str, *, resets: bool = False) -> Cost:
    with (
        SimulatedServer(SimulatedHost().shells, latency_ms=DELAY_MS) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        course = _course(Path(folder), size, program, server)
        environment = pulumi_cli.environment(Path(folder, "home"), Path(folder, "state"), passphrase="bench")  # noqa: S106
        environment |= {_PASSWORD: server.password}
        with _peak() as peak:
            seconds = _run(course, environment, "up")
        requests = server.requests.reset().http
        reset = _run(course, environment, "reset", "student1", "--yes") if resets else 0
        return Cost(seconds, peak[0], requests, reset)


def _course(folder: Path, size: int, program: str, server: SimulatedServer) -> Path:
    lab, course = folder / "lab", folder / "course"
    lab.mkdir()
    course.mkdir()
    (lab / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    (lab / "nothing.py").write_text(NOTHING)
    (lab / "__main__.py").write_text(program)
    host = {"address": server.url, "username": server.username, "memoryGib": 512}
    content = {
        "name": "bench",
        "program": str(lab),
        "pool": "10.9.0.0/16",
        "parents": {"hv01": host},
        "seat": {"memoryGib": 0.5},
        "roster": [{"id": f"student{number}"} for number in range(1, size + 1)],
    }
    (course / "course.yaml").write_text(json.dumps(content))
    return course


def _run(course: Path, environment: dict[str, str], *arguments: str) -> float:
    """The seconds that a command of the class takes."""
    started = time.monotonic()
    command = [sys.executable, "-m", "nestedlab", "class", *arguments]
    subprocess.run(command, cwd=course, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.monotonic() - started


@contextmanager
def _peak() -> Iterator[list[float]]:
    """The most memory that the processes begun meanwhile have at once, in MiB; it is there in the end."""
    found, done = [0.0], Event()

    def look() -> None:
        while not done.wait(0.5):
            total = 0
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):  # ended in the meantime
                    total += process.memory_info().rss
            found[0] = max(found[0], total / _MIB)

    looking = Thread(target=look)
    looking.start()
    try:
        yield found
    finally:
        done.set()
        looking.join()
