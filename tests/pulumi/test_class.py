"""`nestedlab class` through the real CLI: the stacks of a few students on two hosts, of which one takes one NAT."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.conftest import PASSWORD
from tests.pulumi.classes import Class

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent

    from hyperv_sim.wire.faults import FaultPlan

PROGRAM = """
import pulumi
import pulumi_nestedlab as lab

seat = lab.Seat()
if seat.id == pulumi.Config().get("fails"):
    raise ValueError(f"{seat.name} has no luck today")
net = lab.NatSwitch("net", prefix=seat.prefix, nat=seat.nat)
lab.NestedHyperVHost(
    "hv1", os_disk=lab.Disk(size_gib=40), switch=net.name, baseline=pulumi.Config().get("baseline")
)
"""
FAILED, FOUND, INTERRUPTED = 1, 3, 130


NewClass = Callable[..., Class]
"""Makes a course for students on hosts by their names: `new_class({"hv01": parent}, "ada", one_nat=["hv01"])`."""


@pytest.fixture
def new_class(pulumi_cli: Path, pulumi_environment: dict[str, str], tmp_path: Path) -> NewClass:
    def new(parents: dict[str, Parent], *students: str, one_nat: Sequence[str] = ()) -> Class:
        folder = tmp_path / "course"
        (folder / "lab").mkdir(parents=True)
        (folder / "lab/Pulumi.yaml").write_text("name: lab\nruntime: python\n")
        (folder / "lab/__main__.py").write_text(PROGRAM)
        made = Class(folder, {**pulumi_environment, "NESTEDLAB_PASSWORD": PASSWORD})
        hosts = {
            name: {
                "address": parent.server.url,
                "username": parent.server.username,
                "memoryGib": 64,
                "windows": 2016 if name in one_nat else 2022,
                "connectTimeout": 5,
            }
            for name, parent in parents.items()
        }
        roster = [{"id": student} for student in students]
        made.write(
            name="basics", program="lab", pool="10.9.0.0/16", parents=hosts, roster=roster, seat={"memoryGib": 4}
        )
        return made

    return new


def test_students_go_up_are_reset_and_stopped_by_themselves_and_leave_no_trace(
    new_parent: NewParent, new_class: NewClass
) -> None:
    hv01, hv02 = new_parent(listen=f"127.0.0.1:{free_port()}"), new_parent(windows="2016")
    before = hv01.snapshot(), hv02.snapshot()
    course = new_class({"hv01": hv01, "hv02": hv02}, "ada", "bob", one_nat=["hv02"])
    course.write(config={"baseline": "clean"})

    # A parent that is away, at the start or from the middle on, costs only its own students.
    hv01.server.stop()
    up = course.run("up", "--json", code=FAILED)
    assert up.failed == ["ada"]
    assert "127.0.0.1" in up.students["ada"]["error"]
    assert hv02.machines == ["hv1-bob"]
    assert sorted(switch.name for switch in hv02.host.state.switches.values()) == ["basics-nat", "net-bob"]
    hv01.server.start()
    held = hv01.server.arm("stall=120 Receive#8")
    with course.begin("up", "--failed", "--json") as running:
        wait_until_it_is_held(held, running)
        hv01.server.stop()
        answer, _ = running.communicate()
    (row,) = json.loads(answer)["students"]
    assert (running.returncode, row["student"]) == (FAILED, "ada")
    assert "127.0.0.1" in row["error"]
    hv01.server.arm()
    hv01.server.start()
    assert course.run("up", "--failed", "--json").failed == []
    assert hv01.machines == ["hv1-ada"]

    course.run("stop", "bob")
    hv01.by_hand("Stop-VM", Name="hv1-ada", TurnOff=True)
    drift = course.run("drift", "--json", code=FOUND).students
    found = {student: row["drift"] for student, row in drift.items()}
    assert {student: len(rows) for student, rows in found.items()} == {"class-nat-hv02": 0, "ada": 1, "bob": 0}
    (row,) = found["ada"]
    assert (row["kind"], row["property"], row["expected"], row["found"]) == ("machine", "running", True, False)
    reset = course.run("reset", "bob", "--json").students["bob"]
    assert reset["changes"] == {"same": 1, "update": 1}
    assert hv02.machine("hv1-bob").state.name == "Off"
    status = course.run("status", "--json").students
    assert {student: (row["state"], row["machines"][0]["power"]) for student, row in status.items()} == {
        "ada": ("up", "Running"),
        "bob": ("stopped", "Off"),
    }

    course.run("down", "--yes")
    assert (hv01.snapshot(), hv02.snapshot()) == before  # the NAT that students share went with the last of them
    assert "nobody has a seat yet" in course.run("status", code=FAILED).stderr


def test_an_interruption_ends_what_runs_and_a_lock_is_taken_only_from_the_dead(
    new_parent: NewParent, new_class: NewClass
) -> None:
    parent = new_parent()
    course = new_class({"hv01": parent}, "ada", "bob")
    held = parent.server.arm("stall=120 Receive#5")
    with course.begin("up", "--parallel", "1", "--json") as running:
        wait_until_it_is_held(held, running)
        assert "still runs" in course.run("unlock", "--yes", code=FAILED).stderr
        locked = course.run("up", "ada", "--json", code=FAILED).students["ada"]["error"]
        assert "nestedlab class unlock ada" in locked
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        while "Interrupted" not in running.stderr.readline():
            assert running.poll() is None
        parent.server.arm()
        parent.server.close_connections()  # what runs ends once the host has answered, and not before
        answer, _ = running.communicate()
    assert running.returncode == INTERRUPTED
    assert {row["student"]: row["error"] for row in json.loads(answer)["students"]} == {
        "ada": "interrupted",
        "bob": "interrupted before it began",
    }

    held = parent.server.arm("stall=120 Receive#5")
    with course.begin("up", "ada", "--json") as running:
        wait_until_it_is_held(held, running)
        for process in psutil.Process(running.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # ended with the one before
                process.kill()
        answer, _ = running.communicate()
    parent.server.arm()
    assert "killed by signal 9" in answer
    assert "locked by" in course.run("status", code=FOUND).stdout
    course.run("unlock", "--yes")

    course.write(config={"fails": "bob"})
    up = course.run("up", "--json", code=FAILED)
    assert up.failed == ["bob"]
    assert up.students["bob"]["error"] == "ValueError: bob has no luck today"
    assert "has no luck today" in Path(up.students["bob"]["log"]).read_text()
    assert parent.machines == ["hv1-ada"]
    assert course.run("gc", "--json").json["stacks"] == []


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_it_is_held(held: FaultPlan, running: subprocess.Popen[str]) -> None:
    """Wait until the host holds back the answer that it was armed to."""
    while not held.fired:
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
