"""Runs an operation for many students: the class's own NATs in their place, records kept, progress shown."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from nestedlab.classroom import nat_lab, records, seats
from nestedlab.classroom.automation import Cli
from nestedlab.classroom.bounds import at_once
from nestedlab.classroom.cluster_address import ClusterAddress
from nestedlab.classroom.course_file import CourseFile
from nestedlab.classroom.crew import Crew
from nestedlab.classroom.hands import Hands, Here, of_cluster
from nestedlab.classroom.processes import Processes
from nestedlab.classroom.progress import Progress
from nestedlab.classroom.records import Record
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.shared_nat import SharedNat, shared_nat
from nestedlab.classroom.work import Operation, Outcome, Report, Work
from nestedlab.classroom.works import Works
from nestedlab.errors import NestedlabError

_MIB_OF_A_STUDENT = 2
"""What an operation may write for a student: the program's copy, the state with its history, the log."""

_OF_NATS_TOO = (Operation.DRIFT, Operation.HEAL, Operation.STATUS)
"""What concerns the class's own NATs too, if it is about all students."""


@dataclass
class Running:
    """One command's run."""

    file: CourseFile
    operation: Operation
    parallel: int | None = None
    plan: Path | None = None
    """The folder of saved plans, to write to or to keep to."""
    nats: bool = True
    """Whether the class's own stacks take part where only all students together concern them."""
    cluster: ClusterAddress | None = None
    """Where it is done; None is this machine."""
    processes: Processes = field(default_factory=Processes)

    def __post_init__(self) -> None:
        self._works = Works.of(self.file)
        self._hands: Hands
        if self.cluster is None:
            self._here = nullcontext(Here(Cli.found(), self.processes))
        else:
            self.cluster.refuse(self._works.backend)

    def run(self, chosen: Sequence[Seat]) -> list[Outcome]:
        """Do it for these seats. Whatever fails for one is in their outcome."""
        self._refuse_full_disk(len(chosen))
        with self._here if self.cluster is None else of_cluster(self.cluster, self.processes) as self._hands:
            return self._run(chosen)

    def _run(self, chosen: Sequence[Seat]) -> list[Outcome]:
        states = self.file.work / "_states"
        if self.file.course.backend is None:
            states.mkdir(parents=True, exist_ok=True)
        if self.operation is Operation.DOWN:
            return self._down(chosen)
        shared = _shared(self.file, dict.fromkeys(seat.parent for seat in chosen))
        if self.operation in (Operation.UP, Operation.PLAN):
            return self._applied(chosen, shared)
        takes_part = self.nats and self.operation in _OF_NATS_TOO
        nats = [self._works.of_nat(nat, self.operation) for nat in shared] if takes_part else []
        return self._crew([*nats, *map(self._of_student, chosen)])

    def _applied(self, chosen: Sequence[Seat], shared: Sequence[SharedNat]) -> list[Outcome]:
        """The class's own NATs first: students' switches join them. Of a saved plan they are no part."""
        before = self._crew([self._works.of_nat(nat, self.operation) for nat in shared]) if self.plan is None else []
        failed = {outcome.student: outcome for outcome in before if not outcome.ok}
        names = {nat.parent: self._nat_name(nat) for nat in shared if nat.stack not in failed}
        missing = {nat.parent: failed.get(nat.stack) for nat in shared if not names.get(nat.parent)}
        works = [self._of_student(seat, names.get(seat.parent)) for seat in chosen if seat.parent not in missing]
        ended = {outcome.student: outcome for outcome in self._crew(works)}
        return [*before, *(ended.get(seat.id) or self._without_nat(seat, missing[seat.parent]) for seat in chosen)]

    def _nat_name(self, nat: SharedNat) -> str | None:
        """What Windows calls a NAT, once it is there."""
        work = self._works.of_nat(nat, Operation.STATUS)
        return nat_lab.nat_name(self._hands.carry_out(work, lambda _student, _text: None).state or {})

    def _without_nat(self, seat: Seat, failed: Outcome | None) -> Outcome:
        if failed is None:
            missing = (
                f"{seat.parent} has no NAT network of the class yet. Run `nestedlab class up` without a plan first."
            )
            return Outcome(seat.id, self.operation, error=missing, interrupted=self.processes.interrupted)
        error = f"the NAT that all students on {seat.parent} share ({failed.student}) failed: {failed.error}"
        outcome = Outcome(seat.id, self.operation, error, interrupted=failed.interrupted, log=failed.log)
        self._note(outcome)
        return outcome

    def _down(self, chosen: Sequence[Seat]) -> list[Outcome]:
        """Students first, and a NAT once nobody is left on its parent."""
        outcomes = self._crew([self._of_student(seat) for seat in chosen])
        gone = {outcome.student for outcome in outcomes if outcome.ok}
        left = [seat for seat in seats.read(self.file.seats) if seat.id not in gone]
        seats.write(self.file.seats, left)
        for student in gone:
            records.remove(self.file.work, student)
        unused = [parent for parent in self.file.course.parents if all(seat.parent != parent for seat in left)]
        empty = [nat for nat in _shared(self.file, unused) if (self.file.work / nat.stack).exists()]
        return [*outcomes, *self._crew([self._works.of_nat(nat, Operation.DOWN) for nat in empty])]

    def _of_student(self, seat: Seat, nat_name: str | None = None) -> Work:
        record = self._wished(records.read(self.file.work, seat.id))
        if self.operation in (Operation.STOP, Operation.START, Operation.RESET):
            records.write(self.file.work, seat.id, record)  # before it begins: an `up` goes on from here
        plan = self.plan / f"{seat.id}.json" if self.plan is not None else None
        return self._works.of_student(seat, self.operation, record, nat_name=nat_name, plan=plan)

    def _wished(self, record: Record) -> Record:
        """The record with what this command asks for."""
        if self.operation in (Operation.STOP, Operation.START):
            return replace(record, stopped=self.operation is Operation.STOP)
        if self.operation is Operation.RESET:
            return replace(record, reset=f"{self._works.began:%Y-%m-%dT%H:%M:%SZ}")
        return record

    def _crew(self, works: Sequence[Work]) -> list[Outcome]:
        if not works:
            return []
        number = self._hands.workers(self.parallel)
        with Progress(works, number) as progress, _interruptible(self.processes, progress):
            return Crew(self._carried_out, number, at_once(self.file.course.parents), self.processes, progress).do(
                works
            )

    def _carried_out(self, work: Work, report: Report) -> Outcome:
        """The outcome of a work, which is noted as soon as it is there."""
        outcome = self._hands.carry_out(work, report)
        if work.operation in (Operation.STATUS, Operation.PLAN, Operation.UNLOCK):
            return outcome
        try:
            self._note(outcome)
        except (OSError, NestedlabError) as error:
            return replace(outcome, notes=(*outcome.notes, f"the result could not be recorded: {error}"))
        return outcome

    def _note(self, outcome: Outcome) -> None:
        record = records.read(self.file.work, outcome.student)
        at = datetime.now(tz=timezone.utc).isoformat(timespec="seconds")
        records.write(self.file.work, outcome.student, records.after(record, outcome, at))

    def _refuse_full_disk(self, students: int) -> None:
        self.file.work.mkdir(parents=True, exist_ok=True)
        free, needed = shutil.disk_usage(self.file.work).free // 2**20, _MIB_OF_A_STUDENT * students
        if free < needed:
            raise NestedlabError(
                f"the disk of {self.file.work} has {free} MiB left, and {students} students may need {needed}. "
                "Make room first: without it, what is created may not be recorded."
            )


def _shared(file: CourseFile, parents: Iterable[str]) -> list[SharedNat]:
    """The class's own NATs on these parents."""
    return [nat for parent in parents if (nat := shared_nat(file.course, parent)) is not None]


@contextmanager
def _interruptible(processes: Processes, progress: Progress) -> Iterator[None]:
    """On Ctrl-C, and on the SIGTERM of a service manager, have what runs end by itself."""

    def interrupt(_number: int, _frame: object) -> None:
        processes.interrupt()
        progress.interrupt()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
