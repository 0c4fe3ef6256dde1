"""What runs for a work: its processes carry a mark in their environments, however they were started."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "NESTEDLAB_WORK"
"""The environment variable that has the mark."""


def running(mark: str) -> Iterator[psutil.Process]:
    """The processes of this machine and user that carry a mark."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def folder(mark: str) -> Path:
    """The folder of a work with a mark: whoever knows that it has ended can remove it."""
    return Path(tempfile.gettempdir()) / f"nestedlab-{mark}"


def remove_folder(mark: str) -> None:
    """Remove it; there may be a key in it."""
    shutil.rmtree(folder(mark), ignore_errors=True)


def machine() -> str | None:
    """Where a process is seen by its number: one start of one machine, one container, one user.

    None where that cannot be told: process numbers of another machine say nothing.
    """
    with suppress(OSError, AttributeError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').stat().st_ino} {os.getuid()}"
    return None
