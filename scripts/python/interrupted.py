"""Commands of the CLI that outlived what ran them, and what they started: language hosts, providers and programs.

A killed script leaves its command, and a killed command leaves what it started; so does a command that writes to a
pipe which nobody reads any more, because that kills it too. A language host notices only after minutes.
"""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

SECONDS_TO_CANCEL = 10
SECONDS_TO_END = 5


def end_operations(backend: Path) -> None:
    """End what still works on a stack of the backend, as its locks say: kindly, so that it ends its plugins too."""
    for leader, locked in list(_locks(backend)):
        _cancel(leader, locked)
        # If another session has got the number since, nothing in it keeps its state here.
        _end([process for process in of_session(leader) if process in working_on(backend)])


def end_children(*, but: int | None) -> None:
    """End what this process has started and still runs, except the process of that number.

    A signal that comes while a command is being started leaves a process that no variable holds.
    """
    for process in psutil.Process().children():
        if process.pid != but:
            _interrupt(process)
            end_session(process.pid)


def end_session(leader: int) -> None:
    """End what a command that had a session of its own has left."""
    _end(of_session(leader))


def of_session(leader: int) -> list[psutil.Process]:
    """Return the processes of a session except its leader, which may have ended: its number is not reused then."""
    return [process for process in psutil.process_iter() if process.pid != leader and _session(process) == leader]


def working_on(backend: Path) -> list[psutil.Process]:
    """Return the processes whose environment makes Pulumi keep its state in this folder."""
    return [process for process in psutil.process_iter() if _backend(process) == f"file://{backend}"]


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:  # ended in the meantime
        return None


def _backend(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("PULUMI_BACKEND_URL")
    except psutil.Error:  # ended in the meantime, or somebody else's
        return None


def _locks(backend: Path) -> Iterator[tuple[int, float]]:
    """The number of each process that has locked a stack, and when it did, in seconds since 1970."""
    for lock in backend.glob(".pulumi/locks/**/*.json"):
        with suppress(FileNotFoundError):  # given back in the meantime
            yield json.loads(lock.read_text())["pid"], lock.stat().st_mtime


def _cancel(leader: int, locked: float) -> None:
    # A process that began after the lock was taken is a different process, which has got the number since.
    try:
        process = psutil.Process(leader)
        if process.name() == "pulumi" and process.create_time() <= locked:
            _interrupt(process)
    except psutil.NoSuchProcess:
        return


def _interrupt(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS_TO_CANCEL)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, SECONDS_TO_END)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive)
