"""Does what is to be done for one student, and reports what came of it.

It needs nothing but the work's plain values, the environment variables that they name, and the Pulumi CLI; so any
process of any machine can do it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import IO, Any

from nestedlab.adapters.stack import PulumiError
from nestedlab.classroom import locks, stack_file, work_folder
from nestedlab.classroom.automation import Cli, NoStackError, StackLockedError, StudentStack
from nestedlab.classroom.events import Event, Operated, doing
from nestedlab.classroom.machines import Machine, machines
from nestedlab.classroom.processes import Processes
from nestedlab.classroom.work import Operation, Outcome, Report, Work
from nestedlab.errors import ConfigurationError, NestedlabError

_INTERRUPTED = "interrupted"
_NOT_UP = "there is no lab yet. Run `nestedlab class up` first."
_NO_BASELINE = (
    "no machine has a baseline to go back to. Set `baseline` of the machines in the program, run "
    "`nestedlab class up` once they are set up, and reset then."
)


def carry_out(work: Work, report: Report, processes: Processes, cli: Cli) -> Outcome:
    """Do a work. Whatever fails is in the outcome."""
    begin = time.monotonic()
    outcome = _done(work, report, processes, cli)
    return replace(outcome, seconds=time.monotonic() - begin)


def _done(work: Work, report: Report, processes: Processes, cli: Cli) -> Outcome:
    outcome = Outcome(work.student, work.operation, log=str(work.place.log))
    try:
        work.place.log.parent.mkdir(parents=True, exist_ok=True)
        with work.place.log.open("a+", encoding="utf-8", errors="replace") as log:
            student = _Student(work, report, processes, cli, log)
            try:
                outcome = student.done(outcome)
            except PulumiError as error:
                outcome = replace(outcome, error=_cause(work, student.operated, error))
            told = student.operated
            outcome = replace(outcome, changes=told.changes, notes=(*outcome.notes, *told.warnings))
    except (NestedlabError, TimeoutError) as error:
        outcome = replace(outcome, error=str(error))
    except OSError as error:
        outcome = replace(outcome, error=f"{error.strerror or error}: {error.filename or work.place.folder}")
    if outcome.error and processes.interrupted:
        return replace(outcome, error=_INTERRUPTED, interrupted=True)
    return outcome


def _cause(work: Work, told: Operated, error: PulumiError) -> str:
    if isinstance(error, StackLockedError):
        return _locked(work, str(error))
    if isinstance(error, NoStackError):
        return _NOT_UP
    return told.cause or str(error)


def _locked(work: Work, text: str) -> str:
    holders = "; ".join(map(str, locks.said(text))) or text
    return (
        f"the stack is {holders}. Wait until that command has ended; if it has died, run "
        f"`nestedlab class unlock {work.student}`."
    )


class _Student:
    """One work under way."""

    def __init__(self, work: Work, report: Report, processes: Processes, cli: Cli, log: IO[str]) -> None:
        self._work, self._place = work, work.place
        self._report: Callable[[str], None] = lambda text: report(work.student, text)
        self._cli, self._processes, self._log = cli, processes, log
        self.operated = Operated()
        """What the engine has reported about the last operation."""

    def done(self, outcome: Outcome) -> Outcome:
        """Do the work and complete the outcome."""
        self._refuse_locked()
        if self._work.program is not None:
            self._report("copies the program")
            work_folder.lay_out(self._work.program, self._place)
        elif not self._place.folder.is_dir():
            return self._without_folder(outcome)
        stack = StudentStack(self._place, self._cli, self._processes, self._log)
        if self._work.program is not None:
            self._configure(stack)
        return _DO[self._work.operation](self, stack, outcome)

    def _refuse_locked(self) -> None:
        """Fail before anything is touched, if it can be seen that another command works on the stack."""
        if self._work.operation in (Operation.STATUS, Operation.UNLOCK):
            return
        held = "; ".join(map(str, locks.of_files(self._place.backend, self._place.project, self._place.stack)))
        if held:
            raise StackLockedError(held)

    def _without_folder(self, outcome: Outcome) -> Outcome:
        if self._work.operation in (Operation.STATUS, Operation.DOWN):
            return outcome
        raise ConfigurationError(_NOT_UP)

    def _configure(self, stack: StudentStack) -> None:
        """Give the stack the settings of the work, and no others."""
        self._report("sets the configuration")
        if not self._place.settings.exists():
            stack.create()
        stack_file.replace(self._place.settings, self._work.settings, self._work.secrets.keys())
        sealed = stack.sealed() if stack_file.sealed(self._place.settings) else {}
        for key, variable in self._work.secrets.items():
            value = os.environ.get(variable)
            if value is None and key not in sealed:
                raise ConfigurationError(f"{key} is in the environment variable {variable}, which is not set. Set it.")
            if value is not None and value != sealed.get(key):
                stack.seal(key, value)

    def up(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        self._report("runs the program")
        try:
            stack.up(self._told, plan=self._work.plan)
        except NoStackError:  # its configuration is there, and it is not: removed, or of another backend
            stack.create()
            stack.up(self._told, plan=self._work.plan)
        return outcome

    def plan(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        self._report("previews")
        stack.preview(self._told, self._work.plan)
        return outcome

    def drift(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        self._report("reads the hosts")
        stack.preview_refresh(self._told)
        return replace(outcome, drift=self.operated.drift)

    def heal(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        found = self.drift(stack, outcome).drift
        if found:
            self.operated = Operated()
            # What has drifted is known to the refresh alone, which has recorded nothing: it is read once more.
            stack.up(self._told, list(dict.fromkeys(drift.urn for drift in found)), refresh=True)
        return replace(outcome, drift=found)

    def reset(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        found = list(machines(stack.state()))
        with_baseline = [machine for machine in found if machine.baseline]
        if not with_baseline:
            raise ConfigurationError(_NO_BASELINE)
        self._change(stack, with_baseline, self._work.settings)
        return replace(outcome, notes=tuple(self._not_reset(found)))

    def _not_reset(self, found: list[Machine]) -> Iterator[str]:
        for machine in found:
            if not machine.baseline:
                yield f"{machine.resource} has no baseline, and was not reset."
            elif not self.operated.has_changed(machine.urn):
                yield (
                    f"{machine.resource} was not reset: the program gives it a `reset` of its own. "
                    "Change that, and run `nestedlab class up`."
                )

    def stop_or_start(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        self._change(stack, list(machines(stack.state())), self._work.settings)
        return outcome

    def _change(self, stack: StudentStack, found: list[Machine], settings: Mapping[str, Any]) -> None:
        """Change settings of the stack, and update these machines and nothing else."""
        stack_file.change(self._place.settings, settings)
        if found:  # without targets, all would be updated
            self._report("runs the program")
            stack.up(self._told, [machine.urn for machine in found])

    def down(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        self._report("removes the lab")
        with suppress(NoStackError):
            stack.destroy(self._told)
            stack.remove()
        work_folder.remove(self._place.folder)
        return outcome

    def status(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        with suppress(NoStackError):
            return replace(outcome, state=stack.state())
        return outcome

    def unlock(self, stack: StudentStack, outcome: Outcome) -> Outcome:
        self._report("releases the lock")
        stack.cancel()
        return outcome

    def _told(self, event: Event) -> None:
        self.operated.take(event)
        text = doing(event)
        if text:
            self._report(text)


_DO: Mapping[Operation, Callable[[_Student, StudentStack, Outcome], Outcome]] = {
    Operation.UP: _Student.up,
    Operation.PLAN: _Student.plan,
    Operation.DRIFT: _Student.drift,
    Operation.HEAL: _Student.heal,
    Operation.RESET: _Student.reset,
    Operation.STOP: _Student.stop_or_start,
    Operation.START: _Student.stop_or_start,
    Operation.DOWN: _Student.down,
    Operation.STATUS: _Student.status,
    Operation.UNLOCK: _Student.unlock,
}
