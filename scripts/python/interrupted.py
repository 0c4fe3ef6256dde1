"""Commands of the CLI that outlived what ran them: a script that was killed, or a call that a signal broke off."""

import json
import signal
from pathlib import Path

import psutil

SECONDS_TO_CANCEL = 10


def end_operations(backend: Path) -> None:
    """End what still works on a stack of the backend, as its locks say: kindly, so that it ends its plugins too."""
    for lock in backend.glob(".pulumi/locks/**/*.json"):
        process = _holder(lock)
        if process:
            _end(process)


def end_children(*, but: int | None) -> None:
    """End what this process has started and still runs, but for the process of that number.

    A signal that comes while a command is being started leaves one that no variable holds.
    """
    for process in psutil.Process().children():
        if process.pid != but:
            _end(process)


def _holder(lock: Path) -> psutil.Process | None:
    # A process that began after the lock was taken is another one, which has got its number since.
    try:
        process = psutil.Process(json.loads(lock.read_text())["pid"])
        is_holder = process.name() == "pulumi" and process.create_time() <= lock.stat().st_mtime
    except (psutil.NoSuchProcess, FileNotFoundError):
        return None
    return process if is_holder else None


def _end(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS_TO_CANCEL)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.NoSuchProcess:
        return
