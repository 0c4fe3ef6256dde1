"""Who has locked a stack: Pulumi's lock files of a backend of files, and what it says of the locks of others."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import psutil

_SAID = re.compile(
    r"(?:created|locked) by (?P<user>.+?)@(?P<host>[^@\s]+) \((?:pid|process) (?P<pid>\d+)\) (?:at|since) "
    r"(?P<at>[^\s;]+[^\s;.])"
)
"""As Pulumi says it, and as `Lock` does."""


@dataclass(frozen=True)
class Lock:
    """A lock on a stack."""

    user: str
    host: str
    pid: int
    since: str
    """As Pulumi writes it."""

    def __str__(self) -> str:
        return f"locked by {self.user}@{self.host} (process {self.pid}) since {self.since}"

    @property
    def is_here(self) -> bool:
        """Whether it was taken on this machine."""
        return self.host == socket.gethostname()

    @property
    def is_held(self) -> bool:
        """Whether a process of this machine holds it still."""
        if not self.is_here:
            return False
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            # One that began later is another process, which has got the number since.
            return "pulumi" in process.name() and process.create_time() <= self.taken + 1
        return False

    @property
    def taken(self) -> float:
        """When it was taken, in seconds since 1970; now, if that cannot be read."""
        with suppress(ValueError):
            # Go writes nanoseconds and Z, which Python 3.10 does not read.
            whole = re.sub(r"\.\d+", "", self.since).replace("Z", "+00:00")
            return datetime.fromisoformat(whole).timestamp()
        return time.time()


def of_files(backend: str, project: str, stack: str) -> Iterator[Lock]:
    """The locks on a stack of a backend of files."""
    folder = folder_of(backend)
    if folder is None:
        return
    # Since 3.61 stacks are below their project; "organization" is the one that such a backend has.
    for path in sorted((folder / ".pulumi" / "locks").glob(f"**/{stack}/*.json")):
        if path.parent.parent.name != project:
            continue
        with suppress(OSError, ValueError, KeyError):  # given back in the meantime
            content = json.loads(path.read_text(encoding="utf-8"))
            yield Lock(
                str(content["username"]), str(content["hostname"]), int(content["pid"]), str(content["timestamp"])
            )


def said(text: str) -> Iterator[Lock]:
    """The locks that a message of Pulumi's names."""
    for found in _SAID.finditer(text):
        yield Lock(found["user"], found["host"], int(found["pid"]), found["at"])


def folder_of(backend: str) -> Path | None:
    """The folder of a backend of files; None of another."""
    parts = urlsplit(backend)
    if parts.scheme != "file":
        return None
    path = unquote(parts.netloc + parts.path)
    return Path(url2pathname(path)).expanduser()
