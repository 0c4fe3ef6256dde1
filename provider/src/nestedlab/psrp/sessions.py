"""The sessions of a process: each used by one worker at a time and kept for the next worker, few for each host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from nestedlab.connection import Connection
from nestedlab.pipeline import Facts, Runner, Step

# A shell is a process on the host, and Windows gives a user 30 of them over all his runs.
LIMIT = 8


class Closable(Runner, Protocol):
    """A runner that holds a resource of its host until it is closed."""

    def close(self) -> None:
        """Release it."""
        ...


def new_session(connection: Connection) -> Closable:
    """A session that opens when it is first used. Only now is pypsrp loaded, with all that it needs to log on."""
    from nestedlab.psrp.session import Session  # noqa: PLC0415

    return Session(connection)


class Sessions:
    """The sessions with a host. A ninth worker waits until one of the eight sessions is free."""

    def __init__(self, connection: Connection, new: Callable[[Connection], Closable] = new_session) -> None:
        self._connection = connection
        self._new = new
        self._idle: list[Closable] = []
        self._free = threading.BoundedSemaphore(LIMIT)
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    @contextmanager
    def borrow(self) -> Iterator[BorrowedSession]:
        """A session for this worker alone, until the block ends."""
        with self._free:
            with self._lock:
                session = self._idle.pop() if self._idle else self._new(self._connection)
            try:
                yield BorrowedSession(session, self)
            finally:
                with self._lock:
                    self._idle.append(session)

    def lock(self, name: str) -> threading.Lock:
        """The lock that steps of this name hold while they run."""
        with self._lock:
            return self._locks.setdefault(name, threading.Lock())

    def close(self) -> None:
        """End all shells on the host."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()


class BorrowedSession:
    """A `Runner`: a session whose steps wait for their lock."""

    def __init__(self, session: Closable, sessions: Sessions) -> None:
        self._session = session
        self._sessions = sessions

    @property
    def host(self) -> str:
        """The host's name as the user gave it."""
        return self._session.host

    def run(self, step: Step) -> Facts:
        """Run the step, holding its lock; see `Session.run`."""
        if step.lock is None:
            return self._session.run(step)
        with self._sessions.lock(step.lock):
            return self._session.run(step)


_of_connection: dict[Connection, Sessions] = {}
_lock = threading.Lock()


def sessions_with(connection: Connection) -> Sessions:
    """The process's sessions with a host."""
    with _lock:
        return _of_connection.setdefault(connection, Sessions(connection))
