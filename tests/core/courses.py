"""Courses for tests: files in a folder, and the models that pure functions take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nestedlab.classroom.course import Course, Student

COURSE = """\
name: basics
program: lab
parents:
  hv01: {address: hv01.example.org, memoryGib: 128}
  hv02: {address: hv02.example.org, memoryGib: 64}
pool: 10.9.0.0/16
roster: students.csv
seat: {memoryGib: 24}
"""
ROSTER = "id,name\nada,Ada\nbob,Bob\n"
PROGRAM = """\
import pulumi_nestedlab as lab

net = lab.NatSwitch("net", prefix="192.168.50.0/24")
lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=80), switch=net.name)
"""


def course_in(
    folder: Path,
    course: str = COURSE,
    roster: str = ROSTER,
    *,
    encoding: str = "utf-8",
    program: str = PROGRAM,
) -> Path:
    """A course file, its roster and its program."""
    (folder / "lab").mkdir(exist_ok=True)
    (folder / "lab/Pulumi.yaml").write_text("name: lab\nruntime: python\n", encoding="utf-8")
    (folder / "lab/__main__.py").write_text(program, encoding="utf-8")
    (folder / "students.csv").write_text(roster, encoding=encoding, newline="")
    path = folder / "course.yaml"
    path.write_text(course, encoding="utf-8")
    return path


def course(parents: Mapping[str, Mapping[str, Any]] | None = None, **keys: Any) -> Course:
    """A course with parents by their names, each with what is special about it, and other keys."""
    parents = parents if parents is not None else {"hv01": {}, "hv02": {}}
    return Course.model_validate(
        {
            "name": "basics",
            "program": "lab",
            "parents": {name: {"address": name, "memoryGib": 128, **own} for name, own in parents.items()},
            "pool": "10.9.0.0/16",
            "roster": [],
            "seat": {"memoryGib": 24},
            **keys,
        }
    )


def roster(*ids: str) -> list[Student]:
    """Students of these ids."""
    return [Student(id=student, name=student) for student in ids]
