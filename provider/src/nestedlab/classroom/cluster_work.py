"""Does one work of a cluster's worker: `python -m` this. Parcel, confirmations and interruptions come on stdin.

It and all that it starts end within a bound once nobody confirms the work any more, or once the worker has died: then
somebody else may do the work.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from nestedlab.classroom import locks, marks
from nestedlab.classroom.automation import Cli
from nestedlab.classroom.carry_out import carry_out
from nestedlab.classroom.lease import SECONDS_OF_A_LEASE, SECONDS_TO_END, clock
from nestedlab.classroom.locks import Lock
from nestedlab.classroom.parcel import Holder, Parcel, Returned, returned, unpacked
from nestedlab.classroom.processes import Processes
from nestedlab.classroom.work import Operation, Outcome, Report, Work

_SECONDS_BETWEEN_LOOKS = 1.0


# What runs a command so that it ends with its parent: PR_SET_PDEATHSIG, which lasts over an exec; see prctl(2). Code
# that Popen would run between fork and exec (preexec_fn) may deadlock or abort, since this process has threads.
_TIED = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


class _Tied(Processes):
    """Commands that do not outlive this process, even if it is killed: nobody would end them then."""

    def _start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], **streams: Any
    ) -> subprocess.Popen[str]:
        return super()._start([*_tied(), *command], folder, environment, **streams)


def _tied() -> Sequence[str]:
    if sys.platform != "linux":
        return ()
    return (sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()))


class _Lease:
    """Watches until when the work may go on, and ends it then."""

    def __init__(self, processes: Processes, mark: str) -> None:
        self._processes, self._mark = processes, mark
        self._until = clock() + SECONDS_OF_A_LEASE

    def listen(self, lines: IO[str]) -> None:
        """Take confirmations and interruptions, until the worker has died."""
        for line in lines:
            if line.strip() == "interrupt":
                self._processes.interrupt()
            else:
                self._until = float(line) + SECONDS_OF_A_LEASE
        self._until = 0

    def watch(self) -> None:
        """End the work when its time is up; kill what has not ended then."""
        while clock() < self._until:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        self._processes.interrupt()
        time.sleep(SECONDS_TO_END)
        for process in marks.running(self._mark):
            if process.pid != os.getpid():
                process.kill()
        marks.remove_folder(self._mark)
        os._exit(1)


def main() -> None:
    """Do the work that comes on stdin, and report on stdout."""
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what else is printed is no report
    given: tuple[Parcel, Cli] = pickle.loads(base64.b64decode(sys.stdin.readline()))  # noqa: S301
    parcel, cli = given
    processes = _Tied()
    mark = os.environ[marks.MARK]
    lease = _Lease(processes, mark)
    threading.Thread(target=lease.listen, args=[sys.stdin], daemon=True).start()
    threading.Thread(target=lease.watch, daemon=True).start()

    def tell(**report: str) -> None:
        with suppress(OSError):  # the worker has died, and what it was told ends the work
            print(json.dumps(report), file=reports, flush=True)

    folder = marks.folder(mark)
    try:
        folder.mkdir(mode=0o700)
        work = unpacked(parcel, folder)
        outcome = _done(work, parcel.lost, lambda _student, text: tell(doing=text), processes, cli)
        found = returned(work, outcome)
    except OSError as error:  # the disk is full, or the folder for temporary files is none
        cause = f"{error.strerror or error}: {error.filename or folder} of {socket.gethostname()}"
        found = Returned(Outcome(parcel.stack, parcel.operation, error=cause))
    finally:
        marks.remove_folder(mark)
    tell(returned=base64.b64encode(pickle.dumps(found)).decode())


def _done(work: Work, lost: Sequence[Holder], report: Report, processes: Processes, cli: Cli) -> Outcome:
    outcome = carry_out(work, report, processes, cli)
    held = list(locks.said(outcome.error))
    if not held or not all(any(_left_by(lock, holder) for holder in lost) for lock in held):
        return outcome
    report(work.student, "releases the lock of a worker that has died")
    carry_out(replace(work, operation=Operation.UNLOCK, program=None), report, processes, cli)
    outcome = carry_out(work, report, processes, cli)
    return replace(
        outcome,
        notes=(
            *outcome.notes,
            *(f"the stack was {lock}, by a worker that has died. Its lock was released." for lock in held),
        ),
    )


def _left_by(lock: Lock, holder: Holder) -> bool:
    """Whether the lost worker left this lock: taken on its machine after the work began, and held by no process now."""
    return lock.host == holder.host and lock.taken >= int(holder.began) and not lock.is_held


if __name__ == "__main__":
    main()
