"""Runs commands that can be interrupted, all together and from another thread.

Each is in a session of its own: Ctrl-C at the terminal would otherwise reach the plugins too, and end them in the
middle of a call. On an interrupt the Pulumi CLI lets calls end, saves the state, and gives back its lock.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from nestedlab.errors import NestedlabError

# Windows lets Ctrl-C reach all processes of a console or none.
_INTERRUPT: int = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT)


class Interrupted(NestedlabError):  # noqa: N818 - it is a wish, not a fault
    """The user has interrupted the class."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    stdout: str
    """What it printed; of one that was logged, on stderr too."""
    stderr: str


@dataclass
class Processes:
    """The commands that run now."""

    interrupted: bool = False
    interruptions: int = 0
    """How often it was wished for."""
    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _lock: Any = field(default_factory=threading.RLock)

    def interrupt(self) -> None:
        """Interrupt what runs, and let nothing begin any more. Done twice, the CLI ends without waiting for calls."""
        with self._lock:
            self.interrupted = True
            self.interruptions += 1
            running = list(self._running)
        for process in running:
            with suppress(ProcessLookupError):
                process.send_signal(_INTERRUPT)

    def ask(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], says: str = "") -> Ended:
        """Run a command to its end; what it prints is in memory only."""
        process = self._start(
            command, folder, environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            stdout, stderr = process.communicate(says)
        finally:
            self._end(process)
        return Ended(process.returncode, stdout, stderr)

    def log(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[Any]) -> Ended:
        """Run a command to its end; what it prints goes to a file: a command that writes to a pipe dies with us."""
        begin = log.seek(0, os.SEEK_END)
        process = self._start(
            command, folder, environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            process.wait()
        finally:
            self._end(process)
        log.seek(begin)
        printed = str(log.read())
        return Ended(process.returncode, printed, "")

    def _start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], **streams: Any
    ) -> subprocess.Popen[str]:
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        with self._lock:
            if self.interrupted:
                raise Interrupted("interrupted")
            process: subprocess.Popen[str] = subprocess.Popen(
                command, cwd=folder, env=environment, encoding="utf-8", errors="replace", **streams, **apart
            )
            self._running.add(process)
        return process

    def _end(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._running.discard(process)
