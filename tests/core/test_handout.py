"""The commands `nestedlab graph` and `nestedlab class handout`, with a stand-in for Pulumi that has the states."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.case_files import CASES

from nestedlab.__main__ import main
from nestedlab.classroom import records, seats
from nestedlab.classroom.course_file import load
from nestedlab.classroom.records import Record
from nestedlab.classroom.seat import Seat

STATE = json.loads((CASES / "pulumi" / "states" / "a69ff0b" / "stack.json").read_text())

PULUMI = """\
#!/bin/sh
# Answers what the commands ask of Pulumi: its version, a stack's full name, and its state.
folder=$(dirname "$0")
asked="$*"
while [ $# -gt 0 ]; do [ "$1" = --stack ] && stack=$2; shift; done
case $asked in
version*|*" version"*) echo v3.259.0 ;;
*--show-name*) echo "organization/lab/$stack" ;;
*export*) cat "$folder/$stack.json" 2>/dev/null || { echo "error: the backend is away" >&2; exit 1; } ;;
*) echo "error: a stand-in knows no $asked" >&2; exit 1 ;;
esac
"""

COURSE = """\
name: windows
program: program
parents:
  hv01: {address: hv01.example.org, memoryGib: 128}
  hv02: {address: hv02.example.org, memoryGib: 64}
pool: 10.9.0.0/16
roster:
  - {id: anna, name: Anna Schmidt}
  - {id: ben, name: Ben Baker}
  - {id: chen, name: Chen <b>}
"""

Give = Callable[[Mapping[str, Any]], None]
Run = Callable[..., Result]


@pytest.fixture
def give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Give:
    """Put the stand-in on PATH, and give it the states of stacks."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "pulumi").write_text(PULUMI)
    (folder / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "no secret")

    def give(states: Mapping[str, Any]) -> None:
        for stack, state in states.items():
            (folder / f"{stack}.json").write_text(json.dumps(state))

    return give


@pytest.fixture
def course(tmp_path: Path, give: Give) -> Path:
    """A class of three: anna is up, ben's backend is away, and chen has nothing yet."""
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "Pulumi.yaml").write_text("name: lab\nruntime: python\n")
    (tmp_path / "program" / "__main__.py").touch()
    path = tmp_path / "course.yaml"
    path.write_text(COURSE)
    file = load(path)
    places = [("anna", "hv01"), ("ben", "hv01"), ("chen", "hv02")]
    seats.write(
        file.seats,
        [
            Seat(
                number=number,
                id=student,
                name="as recorded",
                parent=parent,
                prefix=f"10.9.{number}.0/24",
                first_port=40000,
                last_port=40009,
            )
            for number, (student, parent) in enumerate(places, start=1)
        ],
    )
    for student in ("anna", "ben"):
        (file.work / student).mkdir(parents=True)
        records.write(file.work, student, Record("drift", "2026-12-01T10:00:00+00:00", drifted=2))
    give({"anna": STATE})
    return path


@pytest.fixture
def run() -> Run:
    """Run `nestedlab`."""

    def run(*arguments: str | Path, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return run


def test_pages_are_written_for_all_and_say_what_is_not_known(course: Path, run: Run, tmp_path: Path) -> None:
    result = run("class", "handout", "--course", course, code=1)
    assert "ben: the state could not be read: `pulumi stack` failed: the backend is away" in result.stderr
    folder = tmp_path / "handout"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")) == [
        "dashboard.html",
        *(f"students/{student}.{ending}" for student in ("anna", "ben", "chen") for ending in ("html", "md")),
    ]
    pages = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*.*")}
    assert "# Anna Schmidt" in pages["anna.md"]
    assert "mstsc /v:HYPERV:3389" in pages["anna.html"]
    assert "could not be read" in pages["ben.html"]
    assert "not up yet" in pages["chen.html"]
    assert "Chen &lt;b&gt;" in pages["dashboard.html"]
    assert "2 properties have drifted" in pages["dashboard.html"]
    assert "the backend is away" in pages["dashboard.html"]


def test_pages_of_chosen_students_come_without_a_dashboard(course: Path, run: Run, tmp_path: Path) -> None:
    result = run("class", "handout", "anna", "chen", "--course", course, "--output", tmp_path / "out", "--json")
    answer = json.loads(result.stdout)
    assert answer["dashboard"] is None
    assert [(student["student"], student["lab"]) for student in answer["students"]] == [
        ("anna", "drifted"),
        ("chen", "not up"),
    ]
    files = [Path(file) for student in answer["students"] for file in student["files"]]
    assert sorted(files) == sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())


def test_what_is_wrong_is_told_with_its_remedy(course: Path, run: Run, tmp_path: Path) -> None:
    assert "did you mean 'anna'" in run("class", "handout", "ana", "--course", course, code=1).stderr
    (tmp_path / "file").touch()
    refused = run("class", "handout", "anna", "--course", course, "--output", tmp_path / "file" / "x", code=1)
    assert "Name another folder with --output." in refused.stderr


def test_a_picture_is_in_the_format_that_its_file_is_named_for(course: Path, run: Run, tmp_path: Path) -> None:
    of_anna = ("graph", "--cwd", course.parent / "program", "--stack", "anna")
    assert run(*of_anna).stdout.startswith("<svg ")
    assert run(*of_anna, "--format", "mermaid").stdout.startswith("flowchart LR\n")
    for name, begins in {"lab.svg": "<svg ", "lab.mmd": "flowchart", "lab.json": "{", "lab": "<svg "}.items():
        assert run(*of_anna, "--output", tmp_path / name).stdout == ""
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)
    named = json.loads((tmp_path / "lab.json").read_text())
    assert (named["project"], named["stack"], named["hosts"][0]["name"]) == ("lab", "anna", "HYPERV")
    assert "the backend is away" in run("graph", "--cwd", course.parent / "program", "--stack", "ben", code=1).stderr
    refused = run(*of_anna, "--output", tmp_path / "absent" / "lab.svg", code=1)
    assert "lab.svg" in refused.stderr
