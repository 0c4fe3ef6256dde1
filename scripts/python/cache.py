"""The folder outside the checkout for what is slow to get and serves every checkout."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def folder() -> Path:
    """Return NESTEDLAB_CACHE, else the folder `nestedlab` in the user's cache folder; made if it is not there."""
    users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get("NESTEDLAB_CACHE") or Path(users) / "nestedlab").absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def get(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cache's folder of that name; `make` fills it first if it is not there.

    It is filled under another name and renamed when it is whole, so that an interrupted try leaves nothing that looks
    finished. Checkouts that want it at once take turns.
    """
    whole = folder() / name
    with _turn(folder() / "lock"):
        if not whole.exists():
            for leftover in folder().glob("unfinished-*"):
                shutil.rmtree(leftover)
            unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder()))
            make(unfinished)
            unfinished.rename(whole)
    return whole


@contextmanager
def _turn(lock: Path) -> Iterator[None]:
    # The kernel gives the lock up when its holder ends, however it ends: there is no stale lock to clear away.
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("set-up: waiting for another checkout that is getting the same ...\n")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
