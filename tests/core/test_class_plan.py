"""`nestedlab class plan`: what it shows, what it reports, and what it finds by running the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.core.courses import COURSE, ROSTER, course_in

from nestedlab.__main__ import main
from nestedlab.classroom import seats as seats_file
from nestedlab.classroom.course_file import load
from nestedlab.classroom.needs import needs
from nestedlab.classroom.planning import plan
from nestedlab.errors import ConfigurationError

WITHOUT_A_SEAT = COURSE.replace("seat: {memoryGib: 24}\n", "")


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["class", "plan", "--course", str(folder / "course.yaml"), *arguments])


def test_it_shows_who_goes_where_and_what_that_takes(tmp_path: Path) -> None:
    course_in(
        tmp_path,
        COURSE.replace("memoryGib: 64", "memoryGib: 64, windows: 2016, diskGib: 500")
        + "overrides: {bob: {seat: {memoryGib: 32, diskGib: 100}}}",
        "id,name\nada,Ada\nbob,[bold]\ncy,\n",
    )
    shown = run(tmp_path)
    assert shown.exit_code == 0
    assert shown.output.splitlines() == [
        "no  student  name    parent  network      ports        joins the NAT of  change",
        "1   ada      Ada     hv02    10.9.1.0/24  40000-40009  class-nat-hv02    new",
        "2   bob      [bold]  hv01    10.9.0.0/24  40000-40009                    new",
        "3   cy               hv01    10.9.2.0/24  40010-40019                    new",
        "",
        "parent  students  memory             disk              ports",
        "hv01    2         56 GiB of 120 GiB  100 GiB           20 of 5000",
        "hv02    1         24 GiB of 56 GiB   0 GiB of 500 GiB  10 of 5000",
        "",
        "A student's lab takes 24 GiB of memory, by the course file.",
        "That of bob takes 32 GiB of memory, up to 100 GiB of disk.",
        "3 students, 3 of them new.",
    ]


def test_it_shows_what_changes_against_the_recorded_seats_and_writes_nothing(tmp_path: Path) -> None:
    path = course_in(tmp_path)
    before = plan(load(path)).seats
    seats_file.write(load(path).seats, before.all)
    there = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    (tmp_path / "students.csv").write_text("id\ncy\nbob\n")
    shown = run(tmp_path, "--json")
    assert shown.exit_code == 0
    seats = json.loads(shown.stdout)["seats"]
    assert {each["id"]: each["change"] for each in seats} == {"cy": "new", "bob": None, "ada": "leaving"}
    assert [each["prefix"] for each in seats] == ["10.9.2.0/24", "10.9.1.0/24", "10.9.0.0/24"]
    assert run(tmp_path).output.splitlines()[-1] == (
        "1 left the roster and keep their seats until `nestedlab class down ada`."
    )
    there[tmp_path / "students.csv"] = (tmp_path / "students.csv").read_bytes()
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == there


def test_students_limit_what_is_shown_and_not_what_is_judged(tmp_path: Path) -> None:
    course_in(tmp_path)
    shown = json.loads(run(tmp_path, "--json", "bob").stdout)
    assert [each["id"] for each in shown["seats"]] == ["bob"]
    assert shown["parents"] == [
        {
            "parent": name,
            "students": students,
            "used": {"memoryGib": 24 * len(students), "diskGib": 0, "processors": 0, "ports": 10 * len(students)},
            "limits": {"memoryGib": most, "ports": 5000},
        }
        for name, students, most in (("hv01", ["ada", "bob"], 120), ("hv02", [], 56))
    ]
    unknown = run(tmp_path, "bobb", "zoe")
    assert (unknown.exit_code, unknown.output) == (
        1,
        "Error:\nunknown student 'bobb'; did you mean 'bob'?\nunknown student 'zoe'; see the roster\n",
    )


def test_what_does_not_fit_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    course_in(tmp_path, COURSE.replace("memoryGib: 24", "memoryGib: 240"))
    refused = run(tmp_path)
    assert refused.exit_code == 3
    assert refused.output.startswith("Error:\nThere is no room for 2 of 2 students: ada, bob.\nhv01 takes 0 of 2")
    as_json = run(tmp_path, "--json")
    assert as_json.exit_code == 3
    assert json.loads(as_json.stdout) == {"errors": refused.output.splitlines()[1:]}


def test_a_course_file_that_cannot_be_used_is_an_error_of_the_command(tmp_path: Path) -> None:
    assert run(tmp_path).exit_code == 1
    course_in(tmp_path, COURSE.replace("pool", "pol"))
    refused = run(tmp_path)
    assert refused.exit_code == 1
    assert refused.output.splitlines()[1:] == [
        "course.yaml:1: pool: is missing. Set it.",
        "course.yaml:6: pol: unknown key; did you mean 'pool'?",
    ]


def test_its_exit_codes_are_in_its_help() -> None:
    text = " ".join(CliRunner().invoke(main, ["class", "plan", "--help"]).output.split())
    assert "Exit codes: 0 if all students fit, 1 if" in text
    assert "3 if the students do not fit" in text


# ---- what is recorded


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    path = course_in(tmp_path, roster="id,name,email\nada,Ädä: #1,ada@example.org\nno,\n007,\n")
    file = load(path)
    first = plan(file).seats
    seats_file.write(file.seats, first.all)
    again = plan(file).seats
    assert (again.all, again.new) == (first.all, frozenset())
    text = file.seats.read_text(encoding="utf-8")
    assert "Ädä" in text
    assert "example.org" not in text
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize("text", ["", "seats: []", "# nothing\n", "seats:\n"])
def test_a_seats_file_without_seats_is_none(text: str, tmp_path: Path) -> None:
    file = load(course_in(tmp_path))
    file.seats.write_text(text)
    assert seats_file.read(file.seats) == ()


def test_a_seats_file_that_was_edited_wrongly_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "course.seats.yaml"
    path.write_text(
        "seats:\n- number: 1\n  id: a b\n  prefix: nowhere\n  firstport: 1\n  number: 2\nseat: 1\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as told:
        seats_file.read(path)
    lines = str(told.value).splitlines()
    assert lines[0] == "course.seats.yaml:6: seats[0].number: is already set in line 2. Remove one of the two."
    assert "course.seats.yaml:4: seats[0].prefix: must be an IPv4 prefix such as 192.168.50.0/24" in lines
    assert "course.seats.yaml:5: seats[0].firstport: unknown key; did you mean 'firstPort'?" in lines
    assert lines[-1] == "course.seats.yaml:7: seat: unknown key; did you mean 'seats'?"


# ---- what a lab takes, by its program

PROGRAM = """\
import pulumi
import pulumi_nestedlab as lab

seat = lab.Seat()
config = pulumi.Config()
print("programs may print")
pulumi.log.warn("and warn")
net = lab.NatSwitch("net", prefix=seat.prefix, nat=seat.nat)
dc = lab.NestedHyperVHost("dc", os_disk=lab.Disk(parent="D:\\\\Images\\\\ws2022.vhdx"), switch=net.name)
for node in range(config.require_int("nodes")):
    lab.NestedHyperVHost(
        f"node{node}",
        memory_mib=12288,
        processors=8,
        os_disk=lab.Disk(size_gib=80),
        data_disks=[lab.DataDisk(size_gib=64), lab.DataDisk(path="D:\\\\given.vhdx")],
        switch=net.name,
        notes=pulumi.Output.concat("of ", dc.vm_id),
    )
dc.vm_id.apply(lambda known: known.index("only a host knows"))
lab.NestedHyperVHost("elsewhere", on="hv09", os_disk=lab.Disk(size_gib=800))
assert config.require_secret("pin") and config.require_object("more") == {"a": [1, True]}
pulumi.export("port", seat.port(9))
"""
CONFIG = "config: {nodes: 2, more: {a: [1, true]}}\nsecrets: {pin: NO_SUCH_VARIABLE}\n"


def test_what_a_lab_takes_is_what_its_program_declares(tmp_path: Path) -> None:
    text = f"{WITHOUT_A_SEAT}{CONFIG}overrides: {{bob: {{config: {{nodes: 1}}}}}}\n"
    found = needs(load(course_in(tmp_path, text, program=PROGRAM)).course)
    assert (found.common.memory_gib, found.common.disk_gib, found.common.processors) == (8 + 2 * 12, 2 * 144, 4 + 2 * 8)
    assert (found.of("bob").memory_gib, found.of("ada")) == (20, found.common)
    assert [note.split(",")[0] for note in found.notes] == [
        "1 disk of each lab may grow to an image's size",
        "Machines with `on` are not counted",
    ]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        (
            PROGRAM.replace("memory_mib=12288", "memory_mib=net.switch_id.apply(len)"),
            "memory_mib of the machine 'node0' is not known before `up`",
        ),
        ("pass", "The program declares no machine on the student's parent"),
        ("import os; os._exit(0)", "it ended without a message"),
    ],
)
def test_a_program_that_does_not_tell_what_it_takes_is_asked_for_in_the_course_file(
    program: str, reason: str, tmp_path: Path
) -> None:
    course = load(course_in(tmp_path, WITHOUT_A_SEAT + CONFIG, ROSTER, program=program)).course
    with pytest.raises(ConfigurationError, match=reason + ".* set what one student's lab takes in the course file"):
        needs(course)
