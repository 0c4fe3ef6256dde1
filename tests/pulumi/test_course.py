"""The example course, whole: twelve students on two hosts, of which one is busy, from the plan to the end."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from tests.conftest import PASSWORD
from tests.pulumi.classes import Class

from hyperv_sim.state.contention import Contention

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent

COURSE = Path(__file__).resolve().parents[2] / "examples/course"
FOUND = 3


def course_on(parents: dict[str, Parent], folder: Path, environment: dict[str, str]) -> Class:
    """The example in a folder, on these hosts."""
    shutil.copytree(COURSE, folder)
    course = Class(folder, {**environment, "NESTEDLAB_PASSWORD": PASSWORD})
    hosts = yaml.safe_load((folder / "course.yaml").read_text(encoding="utf-8"))["parents"]
    for name, parent in parents.items():
        hosts[name] |= {"address": parent.server.url, "username": parent.server.username}
    course.write(parents=hosts)
    return course


def seats(course: Class) -> dict[str, Any]:
    """Who has what, by student."""
    recorded = yaml.safe_load((course.folder / "course.seats.yaml").read_text(encoding="utf-8"))
    return {seat["id"]: seat for seat in recorded["seats"]}


def disks(parent: Parent, machine: str) -> list[Any]:
    """What is in the drives of a machine."""
    files = parent.host.state.files
    return [getattr(files.find(drive.path), "disk", None) for drive in parent.machine(machine).drives]


def test_a_course_is_planned_made_healed_reset_changed_and_removed_without_a_trace(
    new_parent: NewParent, pulumi_cli: Path, pulumi_environment: dict[str, str], tmp_path: Path
) -> None:
    quiet, busy = new_parent(), new_parent(parts={"contention": Contention(1)})
    before = quiet.snapshot(), busy.snapshot()
    course = course_on({"hv01": quiet, "hv02": busy}, tmp_path / "course", pulumi_environment)
    roster = list(csv.DictReader((COURSE / "students.csv").read_text(encoding="utf-8").splitlines()))

    course.run("plan")
    course.run("up")
    assert sorted([*quiet.machines, *busy.machines]) == [f"hv1-{student['id']}" for student in roster]
    assert len(quiet.machines) == len(busy.machines) == 6

    hosts = {machine: parent for parent in (quiet, busy) for machine in parent.machines}
    hosts["hv1-ada"].by_hand("Stop-VM", Name="hv1-ada", TurnOff=True)
    hosts["hv1-grace"].by_hand("Disconnect-VMNetworkAdapter", VMName="hv1-grace")
    hosts["hv1-linus"].by_hand("Set-VM", Name="hv1-linus", AutomaticStartAction="Start")
    drift = course.run("drift", "--json", code=FOUND).students
    found = {student: [row["property"] for row in rows["drift"]] for student, rows in drift.items() if rows["drift"]}
    assert found == {"ada": ["running"], "grace": ["switch"], "linus": ["automaticStart"]}
    healed = course.run("heal", *found, "--json").students
    assert {student for student, row in healed.items() if row["changes"].get("update")} == set(found)
    assert hosts["hv1-ada"].machine("hv1-ada").state.name == "Running"
    assert hosts["hv1-grace"].machine("hv1-grace").adapters[0].switch is not None

    for student in ("ivan", "ada"):
        for disk in disks(hosts[f"hv1-{student}"], f"hv1-{student}"):
            disk.written = "work"
    course.run("reset", "ivan")
    worked_in = {name for name, parent in hosts.items() if any(disk.written == "work" for disk in disks(parent, name))}
    assert worked_in == {"hv1-ada"}

    was = seats(course)
    changed = [*(student for student in roster if student["id"] != "john"), {"id": "maurice", "name": "", "team": ""}]
    course.write(roster=changed)
    course.run("down", "john", "--yes")
    course.run("up", "maurice")
    now = seats(course)
    assert {student: seat for student, seat in now.items() if student != "maurice"} == {
        student: seat for student, seat in was.items() if student != "john"
    }

    course.run("down", "--yes")
    assert (quiet.snapshot(), busy.snapshot()) == before
