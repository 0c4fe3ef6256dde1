"""What runs inside a worker of a cluster: it starts works, each in a process of its own, and tells how they go.

A process of its own has the secrets of its class in its environment, and no other; it outlives no worker, since it
reads from a pipe that ends with it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import IO
from uuid import uuid4

import psutil

from nestedlab.classroom import marks
from nestedlab.classroom.automation import Cli
from nestedlab.classroom.bounds import workers
from nestedlab.classroom.lease import SECONDS_OF_A_LEASE, clock
from nestedlab.classroom.parcel import Parcel, Sealed
from nestedlab.errors import NestedlabError

SECONDS_OF_A_LOOK = 3
_SECONDS_BETWEEN_GLANCES = 0.1

_SELF = uuid4().hex
"""Identifies this process: a restarted worker has the same address."""


@dataclass(frozen=True)
class Equipment:
    """What a worker has."""

    worker: str
    """Its process."""
    host: str
    machine: str | None
    pid: int
    """Its process number there."""
    at_once: int
    """How many works it does at once, as its machine allows."""
    version: str
    missing: str = ""
    """What is missing; "" if nothing."""
    now: float = 0
    """On its clock, see `lease.clock`."""
    at: float = 0
    """The same in seconds since 1970, as locks have it."""


@dataclass(frozen=True)
class Look:
    """How a work goes."""

    doing: str
    now: float
    returned: Sealed | None = None
    """What came of it, once it has ended."""
    broken: str = ""
    """Why nothing came of it, though it has ended."""

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.returned is not None or bool(self.broken)


@dataclass
class _Running:
    """A work that has begun here."""

    process: subprocess.Popen[str]
    errors: IO[bytes]
    """What its process prints that is no report."""
    doing: str = ""
    returned: Sealed | None = None
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        """Read the reports of its process, until it ends."""
        try:
            for line in self.process.stdout or ():
                told = json.loads(line)
                self.doing = told.get("doing", self.doing)
                if "returned" in told:
                    self.returned = Sealed(pickle.loads(base64.b64decode(told["returned"])))  # noqa: S301
        finally:
            self.process.wait()
            self.ended.set()

    def begin(self, parcel: Parcel, now: float) -> None:
        """Give its process the parcel."""
        self._tell(base64.b64encode(pickle.dumps((parcel, _cli()))).decode())
        self._tell(f"{now}")
        self.begun.set()

    def tell(self, line: str) -> None:
        """Send its process a line, once it has the parcel."""
        if self.begun.is_set():
            self._tell(line)

    def _tell(self, line: str) -> None:
        with suppress(OSError):
            print(line, file=self.process.stdin, flush=True)

    @property
    def broken(self) -> str:
        """Why nothing came of it. Only what Python says of a missing package is shown: anything else may be secret."""
        self.errors.seek(0)
        *_, last = ["", *self.errors.read().decode(errors="replace").splitlines()]
        cause = f": {last}" if last.startswith("ModuleNotFoundError: ") else ""
        return f"the process that worked on it ended with code {self.process.returncode}{cause}"


_running: dict[str, _Running] = {}


def equipment() -> Equipment:
    """What this worker has."""
    missing = ""
    try:
        _cli()
    except NestedlabError as error:
        missing = str(error)
    available = psutil.virtual_memory().available // 2**20
    return Equipment(
        worker=_SELF,
        host=socket.gethostname(),
        machine=marks.machine(),
        pid=os.getpid(),
        at_once=workers(None, os.cpu_count() or 1, available),
        version=metadata.version("nestedlab"),
        missing=missing,
        now=clock(),
        at=time.time(),
    )


@cache  # of the good news only
def _cli() -> Cli:
    """The Pulumi CLI of this worker. Raises NestedlabError if it, or something else that works take, is not here."""
    if util.find_spec("pulumi_nestedlab") is None:
        raise NestedlabError(
            "there is no pulumi_nestedlab. Install pulumi-nestedlab, and what else the lab program imports."
        )
    os.environ["PATH"] = _path()  # the CLI is looked for where works will find it
    return Cli.found()


def _path() -> str:
    """PATH, with the folder of this Python first: it is the one that programs run in."""
    own = str(Path(sys.executable).parent)
    return os.pathsep.join([own, *(folder for folder in os.get_exec_path() if folder != own)])


def start(sealed: Sealed, mark: str, worker: str, now: float) -> bool:
    """Start a work, unless this is another worker than was meant, or the message was too long on its way."""
    if worker != _SELF or clock() > now + SECONDS_OF_A_LEASE:
        return False
    _start(sealed.open(), mark, now)
    return True


def _start(parcel: Parcel, mark: str, now: float) -> None:
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the work is here
    process = subprocess.Popen(
        [sys.executable, "-m", "nestedlab.classroom.cluster_work"],
        env={**os.environ, "PATH": _path(), **parcel.variables, marks.MARK: mark},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        encoding="ascii",
        start_new_session=True,
    )
    found = _running[mark] = _Running(process, errors)
    threading.Thread(target=found.read, daemon=True).start()
    threading.Thread(target=found.begin, args=[parcel, now], daemon=True).start()  # a pipe takes it bit by bit


async def look(mark: str, now: float, seen: str) -> Look | None:
    """Confirm a work at a moment of this worker's clock, and see how it goes; None if it is not here.

    The answer waits a little for something that has not been seen: each call is a line in the worker's log.
    """
    found = _running.get(mark)
    if found is None:
        return None
    found.tell(f"{now}")
    end = clock() + SECONDS_OF_A_LOOK
    while found.doing == seen and not found.ended.is_set() and clock() < end:
        await asyncio.sleep(_SECONDS_BETWEEN_GLANCES)
    if not found.ended.is_set():
        return Look(found.doing, clock())
    return Look(found.doing, clock(), found.returned, "" if found.returned is not None else found.broken)


def interrupt(mark: str) -> bool:
    """Ask a work to stop by itself. Returns whether the request was sent."""
    found = _running.get(mark)
    if found is None or not found.begun.is_set():
        return False
    found.tell("interrupt")
    return True


def forget(mark: str) -> None:
    """Forget a work that has ended."""
    found = _running.pop(mark, None)
    if found is not None:
        found.errors.close()


def is_over(mark: str, pid: int) -> bool:
    """Whether nothing of a work runs on this machine any more, nor the worker that has begun it.

    What it has left is removed then.
    """
    with suppress(psutil.Error):
        if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            return False
    if any(True for _ in marks.running(mark)):
        return False
    marks.remove_folder(mark)
    return True
