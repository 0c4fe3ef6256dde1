"""The works of a class: what a command means for each student, in plain values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nestedlab.classroom import nat_lab
from nestedlab.classroom.bounds import parallel
from nestedlab.classroom.course_file import CourseFile
from nestedlab.classroom.project import Project, project
from nestedlab.classroom.records import Record
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.settings import Setting, host_settings, settings
from nestedlab.classroom.shared_nat import SharedNat
from nestedlab.classroom.stack_settings import RESET, STOPPED
from nestedlab.classroom.work import Operation, Place, Work
from nestedlab.errors import ConfigurationError

_APPLIES = (Operation.UP, Operation.PLAN)
"""What takes the program and the course file as they are now; everything else works on what was applied."""

_PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


@dataclass(frozen=True)
class Works:
    """Makes the works of one command."""

    file: CourseFile
    lab: Project
    began: datetime

    @classmethod
    def of(cls, file: CourseFile) -> Works:
        """Those of a command that begins now. Raises ConfigurationError if nothing could be sealed."""
        if file.course.secrets_provider == "passphrase" and not any(name in os.environ for name in _PASSPHRASES):
            raise ConfigurationError(
                "the stacks' secrets are sealed with a passphrase, and none is set. Set PULUMI_CONFIG_PASSPHRASE, or "
                "PULUMI_CONFIG_PASSPHRASE_FILE, to the same value for every command of this class, or set another "
                "secretsProvider in the course file."
            )
        return cls(file, project(file.course.program), datetime.now(tz=timezone.utc))

    @property
    def backend(self) -> str:
        """The address of the backend. By default files beside the work folders."""
        given = self.file.course.backend
        if given is None:
            return (self.file.work / "_states").as_uri()
        path = given.removeprefix("file://")
        is_relative = path != given and not path.startswith(("/", "~")) and not Path(path).is_absolute()
        # Pulumi would see it from each work folder.
        return (self.file.folder / path).resolve().as_uri() if is_relative else given

    def of_student(
        self, seat: Seat, operation: Operation, record: Record, *, nat_name: str | None = None, plan: Path | None = None
    ) -> Work:
        """What an operation is for a student, once the record has what is wished for."""
        work = self._work(seat.id, self.lab.name, seat.parent, operation)
        if operation in _APPLIES:
            own = settings(self.file.course, seat, nat_name)
            wishes = {STOPPED: record.stopped or None, RESET: record.reset or None}
            return replace(self._applied(work, self.file.course.program, own, wishes), plan=plan)
        if operation in (Operation.STOP, Operation.START):
            return replace(work, settings={STOPPED: record.stopped or None})
        if operation is Operation.RESET:
            return replace(work, settings={RESET: record.reset})
        return work

    def of_nat(self, shared: SharedNat, operation: Operation) -> Work:
        """What an operation is for the class's own stack on a parent."""
        course = self.file.course
        work = self._work(shared.stack, nat_lab.project_name(course.name), shared.parent, operation)
        if operation not in _APPLIES:
            return work
        program = self.file.work / "_nat"
        nat_lab.write_program(program, course.name, self.lab)
        own = {key: Setting(value) for key, value in nat_lab.program_settings(shared).items()}
        return self._applied(work, program, {**own, **host_settings(course.parents[shared.parent])}, {})

    def _work(self, stack: str, project_name: str, parent: str, operation: Operation) -> Work:
        log = self.file.work / "_logs" / f"{stack}-{self.began:%Y%m%dT%H%M%SZ}-{operation.value}.log"
        place = Place(
            stack=stack,
            project=project_name,
            folder=self.file.work / stack,
            backend=self.backend,
            secrets_provider=self.file.course.secrets_provider,
            log=Path(os.devnull) if operation is Operation.STATUS else log,
            parallel=parallel(self.file.course.parents[parent]),
        )
        return Work(operation, place, parent)

    @staticmethod
    def _applied(work: Work, program: Path, found: Mapping[str, Setting], more: Mapping[str, Any]) -> Work:
        """The work with a program and all its settings."""
        keyed = {key if ":" in key else f"{work.place.project}:{key}": setting for key, setting in found.items()}
        return replace(
            work,
            program=program,
            settings={**{key: setting.value for key, setting in keyed.items() if not setting.is_secret}, **more},
            secrets={key: setting.variable for key, setting in keyed.items() if setting.variable is not None},
        )
