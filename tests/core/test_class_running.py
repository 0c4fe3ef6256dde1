"""What the running of a class decides: without the CLI, hosts or a terminal."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from tests.core import courses

from nestedlab.classroom import locks, records, saved_plan, stack_file, work_folder
from nestedlab.classroom.bounds import MEMORY_OF_A_STACK_MIB, at_once, parallel, workers
from nestedlab.classroom.course_file import load
from nestedlab.classroom.crew import Crew
from nestedlab.classroom.events import Message, Operated, Stage, Step, doing
from nestedlab.classroom.machines import machines
from nestedlab.classroom.processes import Processes
from nestedlab.classroom.progress import Progress
from nestedlab.classroom.results import FAILED, FOUND, INTERRUPTED, code_of
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.work import Drift, Operation, Outcome, Place, Report, Work
from nestedlab.classroom.works import Works
from nestedlab.errors import ConfigurationError

MACHINE = "pulumi-python:dynamic/nestedlab:NestedHyperVHost"
URN = f"urn:pulumi:ada::lab::{MACHINE}::hv1"
STACK_URN = "urn:pulumi:ada::lab::pulumi:pulumi:Stack::lab-ada"


def work(student: str, parent: str = "hv01") -> Work:
    place = Place(student, "lab", Path(student), "file:///states", "passphrase", Path("log"))
    return Work(Operation.UP, place, parent)


def step(stage: Stage, op: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None) -> Step:
    return Step(stage, op, URN, MACHINE, old, new)


def operated(*events: Step | Message) -> Operated:
    told = Operated()
    for event in events:
        told.take(event)
    return told


@pytest.mark.parametrize(
    ("asked", "cores", "memory", "expected"),
    [
        (None, 2, 64000, 4),
        (None, 16, 5 * MEMORY_OF_A_STACK_MIB, 5),
        (3, 16, 64000, 3),
        (99, 2, 64000, 4),
        (None, 2, 100, 1),
    ],
)
def test_as_many_are_worked_on_as_cores_memory_and_the_user_allow(
    asked: int | None, cores: int, memory: int, expected: int
) -> None:
    assert workers(asked, cores, memory) == expected


def test_a_parent_takes_as_many_stacks_as_it_has_shells_for() -> None:
    course = courses.course({"many": {}, "few": {"shells": 9}, "one": {"shells": 2}})
    assert at_once(course.parents) == {"many": 6, "few": 2, "one": 1}
    assert [parallel(parent) for parent in course.parents.values()] == [None, None, 2]


class Quiet:
    """A watcher that takes note of what waits."""

    def __init__(self) -> None:
        self.waited: dict[str, str] = {}

    def waits(self, student: str, reason: str) -> None:
        self.waited[student] = reason

    def begins(self, student: str) -> None:
        pass

    def does(self, student: str, text: str) -> None:
        pass

    def ends(self, outcome: Outcome) -> None:
        pass


def done(work: Work, report: Report) -> Outcome:
    return Outcome(work.student, work.operation)


def crew(carry_out: Callable[[Work, Report], Outcome], watcher: Quiet, processes: Processes | None = None) -> Crew:
    return Crew(carry_out, 3, {"hv01": 1, "hv02": 9}, processes or Processes(), watcher)


def test_a_full_parent_holds_up_only_its_own_students() -> None:
    watcher, together, most = Quiet(), threading.Barrier(3, timeout=20), []
    lock, now = threading.Lock(), [0]

    def carry_out(work: Work, report: Report) -> Outcome:
        if work.parent == "hv01":
            with lock:
                now[0] += 1
                most.append(now[0])
        if work.student in ("a1", "b1", "b2"):
            together.wait()  # passes only if these three run at once
        if work.parent == "hv01":
            with lock:
                now[0] -= 1
        return done(work, report)

    works = [work("a1"), work("a2"), work("b1", "hv02"), work("b2", "hv02"), work("b3", "hv02")]
    outcomes = crew(carry_out, watcher).do(works)
    assert [outcome.student for outcome in outcomes] == ["a1", "a2", "b1", "b2", "b3"]
    assert max(most) == 1
    assert watcher.waited == {"a2": "waits for a WinRM shell of hv01", "b3": "waits for a worker"}


def test_after_an_interruption_nothing_begins() -> None:
    processes = Processes()

    def carry_out(work: Work, report: Report) -> Outcome:
        processes.interrupt()
        return done(work, report)

    outcomes = crew(carry_out, Quiet(), processes).do([work("a1"), work("a2"), work("a3")])
    assert [outcome.interrupted for outcome in outcomes] == [False, True, True]
    assert code_of(outcomes) == INTERRUPTED


def test_the_exit_code_is_that_of_the_worst() -> None:
    good, bad = Outcome("ada", Operation.DRIFT), Outcome("bob", Operation.DRIFT, error="away")
    assert code_of([good]) == 0
    assert code_of([good], found=True) == FOUND
    assert code_of([good, bad], found=True) == FAILED
    assert code_of([good, bad, replace(bad, interrupted=True)]) == INTERRUPTED


def test_the_cause_is_the_resources_message_before_that_of_the_stack() -> None:
    general = Message("error", "update failed", STACK_URN)
    provider = Message("error", "hv01 refused the logon of trainer. Check the password.\n", URN)
    assert operated(general, provider).cause == "hv01 refused the logon of trainer. Check the password."
    program = Message(
        "error", "Program failed:\nTraceback (most recent call last):\n  ...\nValueError: no luck", STACK_URN
    )
    assert operated(Message("warning", "slow", URN), program).cause == "ValueError: no luck"
    assert operated().cause == ""


def test_drift_is_what_a_refresh_would_change_in_the_inputs() -> None:
    same = step(Stage.DONE, "same", {"processors": 2}, {"processors": 2})
    assert operated(same).drift == ()
    changed = step(Stage.DONE, "update", {"processors": 4, "__provider": "a"}, {"processors": 2, "iso": "x"})
    about = (URN, "hv1", "machine")
    assert operated(step(Stage.BEGUN, "refresh"), changed).drift == (
        Drift(*about, "iso", None, "x"),
        Drift(*about, "processors", 4, 2),
    )
    assert operated(step(Stage.DONE, "delete", {"processors": 4})).drift == (Drift(*about, "", "there", "gone"),)


def test_a_step_is_shown_by_what_it_does_and_the_engines_own_are_not() -> None:
    assert doing(step(Stage.BEGUN, "create")) == "creates machine hv1"
    assert doing(step(Stage.DONE, "create")) == ""
    assert doing(Step(Stage.BEGUN, "create", STACK_URN, "pulumi:pulumi:Stack")) == ""


def test_a_work_folder_is_a_copy_of_the_program_that_keeps_the_stacks_configuration(tmp_path: Path) -> None:
    program, folder = tmp_path / "lab", tmp_path / "class" / "ada"
    for path in ("pkg/a.py", ".git/config", "env/pyvenv.cfg", "__pycache__/a.pyc", "Pulumi.dev.yaml"):
        (program / path).parent.mkdir(parents=True, exist_ok=True)
        (program / path).write_text("")
    project = {"name": "lab", "runtime": {"name": "python", "options": {"virtualenv": "env"}}}
    (program / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    folder.parent.mkdir()
    place = Place("ada", "lab", folder, "file:///states", "passphrase", tmp_path / "log")
    work_folder.lay_out(program, place)
    (folder / "Pulumi.ada.yaml").write_text("encryptionsalt: v1")
    (program / "pkg/a.py").unlink()
    (program / "pkg/b.py").write_text("")
    work_folder.lay_out(program, place)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["Pulumi.ada.yaml", "Pulumi.yaml", "pkg/b.py"]
    options = yaml.safe_load((folder / "Pulumi.yaml").read_text())["runtime"]["options"]
    assert options == {"virtualenv": str(program / "env")}
    assert [path.name for path in folder.parent.iterdir()] == ["ada"]


def test_plain_settings_are_replaced_and_sealed_ones_stay_while_they_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.ada.yaml"
    sealed = {"secure": "v1:x"}
    config = {"lab:old": 1, "nestedlab:password": sealed, "lab:token": sealed}
    path.write_text(yaml.safe_dump({"encryptionsalt": "v1", "config": config}))
    stack_file.replace(path, {"nestedlab:seat": {"number": 1}, "nestedlab:stopped": None}, {"nestedlab:password"})
    expected = {"nestedlab:password": sealed, "nestedlab:seat": {"number": 1}}
    assert yaml.safe_load(path.read_text()) == {"encryptionsalt": "v1", "config": expected}
    stack_file.change(path, {"nestedlab:stopped": True})
    assert yaml.safe_load(path.read_text())["config"] == {**expected, "nestedlab:stopped": True}
    stack_file.change(path, {"nestedlab:stopped": None})
    assert yaml.safe_load(path.read_text())["config"] == expected
    assert stack_file.sealed(path) == {"nestedlab:password"}
    path.write_text("a: [")
    with pytest.raises(ConfigurationError, match="Fix or remove it"):
        stack_file.sealed(path)


def test_a_lock_is_held_only_by_a_pulumi_of_this_machine_that_was_there_when_it_was_taken(tmp_path: Path) -> None:
    folder = tmp_path / ".pulumi/locks/organization/lab/ada"
    folder.mkdir(parents=True)
    lock = '{"pid":%d,"username":"trainer","hostname":"%s","timestamp":"2026-12-01T02:28:01.733334114Z"}'
    (folder / "1.json").write_text(lock % (os.getpid(), socket.gethostname()))
    (folder / "2.json").write_text("{")
    (found,) = locks.of_files(tmp_path.as_uri(), "lab", "ada")
    assert str(found).startswith(f"locked by trainer@{socket.gethostname()} (process {os.getpid()}) since 2026-12-01")
    assert not found.is_held  # this process is no pulumi
    assert list(locks.of_files(tmp_path.as_uri(), "other", "ada")) == []
    assert list(locks.of_files("s3://bucket", "lab", "ada")) == []
    said = "  s3://b/x.json: created by trainer@lab-pc (pid 12) at 2026-12-01T02:28:01Z"
    assert list(locks.said(said)) == [locks.Lock("trainer", "lab-pc", 12, "2026-12-01T02:28:01Z")]


def test_a_look_for_drift_makes_no_failed_operation_good(tmp_path: Path) -> None:
    failed = records.after(records.Record(stopped=True), Outcome("ada", Operation.UP, error="away", seconds=3), "now")
    assert (failed.failed, failed.stopped, failed.drifted) == (True, True, None)
    drift = Drift(URN, "hv1", "machine", "processors", 4, 2)
    looked = records.after(failed, Outcome("ada", Operation.DRIFT, drift=(drift,)), "later")
    assert (looked.error, looked.operation, looked.drifted) == ("away", "up", 1)
    records.write(tmp_path, "ada", looked)
    assert records.read(tmp_path, "ada") == looked
    assert records.read(tmp_path, "bob") == records.Record()


def test_the_machines_of_a_state_are_those_that_the_program_has_declared() -> None:
    outputs = {"name": "hv1-ada", "powerState": "Running", "baseline": "clean"}
    state = {
        "resources": [
            {"type": "pulumi:pulumi:Stack", "urn": STACK_URN},
            {"type": MACHINE, "urn": URN, "outputs": outputs},
            {"type": MACHINE, "urn": URN, "outputs": outputs, "delete": True},
        ]
    }
    (machine,) = machines(state)
    assert (machine.resource, machine.name, machine.power, machine.baseline) == ("hv1", "hv1-ada", "Running", "clean")
    assert list(machines({})) == []


def test_a_saved_plan_is_for_the_seats_that_were_planned(tmp_path: Path) -> None:
    def seat(number: int, student: str, prefix: str) -> Seat:
        return Seat(
            number=number, id=student, name=student, parent="hv01", prefix=prefix, first_port=40000, last_port=40009
        )

    ada, bob = seat(1, "ada", "10.9.0.0/24"), seat(2, "bob", "10.9.1.0/24")
    with pytest.raises(ConfigurationError, match="has no saved plan"):
        saved_plan.of_plan(tmp_path, [ada], named=False)
    saved_plan.write_seats(tmp_path, [ada])
    (tmp_path / "ada.json").write_text("{}")
    assert saved_plan.of_plan(tmp_path, [ada, bob], named=False) == [ada]
    with pytest.raises(ConfigurationError, match="no plan for bob"):
        saved_plan.of_plan(tmp_path, [ada, bob], named=True)
    with pytest.raises(ConfigurationError, match="another seat"):
        saved_plan.of_plan(tmp_path, [seat(1, "ada", "10.9.7.0/24")], named=False)


def test_without_a_passphrase_nothing_begins_and_the_message_tells_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    file = load(courses.course_in(tmp_path))
    with pytest.raises(ConfigurationError, match="Set PULUMI_CONFIG_PASSPHRASE"):
        Works.of(file)


def test_without_a_terminal_progress_is_lines_and_on_one_a_table_that_fits() -> None:
    out = io.StringIO()
    works = [work(f"s{number}") for number in range(40)]
    with Progress(works, 4, Console(file=out, width=100)) as progress:
        progress.begins("s1")
        progress.does("s1", "creates [machine] hv1")
        progress.ends(Outcome("s1", Operation.UP, seconds=4, changes={"create": 2, "same": 1}))
        progress.ends(Outcome("s2", Operation.UP, error="hv01 is away", seconds=1))
    assert out.getvalue().splitlines() == [
        "s1: up begins",
        "s1: creates [machine] hv1",
        "s1: done, 2 create (4 s)",
        "s2: failed: hv01 is away (1 s)",
    ]
    shown = io.StringIO()
    with Progress(works, 4, Console(file=shown, width=100, height=12, force_terminal=True)) as progress:
        progress.ends(Outcome("s2", Operation.UP, error="hv01 is away", seconds=1))
        progress.waits("s3", "waits for a WinRM shell of hv01")
    table = shown.getvalue()
    assert "hv01 is away" in table
    assert "1 failed, 39 waiting." in table
