"""A PSRP session: a runspace pool on a parent host, opened when first needed.

pypsrp's pools are not safe across threads (message sealing is ordered), so a session belongs to one worker at a time.
Whatever goes wrong below, in pypsrp, requests, the log-on or the XML of an answer, leaves this module as an error of
`nestedlab.errors`, and the session that it happened to is dropped.
"""

from __future__ import annotations

import atexit
import logging
import time
from contextlib import suppress
from traceback import clear_frames

from nestedlab.connection import Connection
from nestedlab.errors import NestedlabError
from nestedlab.pipeline import END, Facts, Step
from nestedlab.psrp import faults
from nestedlab.psrp.pool import (
    OPERATION_SECONDS,
    PowerShell,
    RunspacePool,
    facts_of,
    is_running,
    lost,
    new_pool,
    new_powershell,
    not_opened,
)
from nestedlab.psrp.transport import Bounds, SealOutdatedError, TooLateError

_LOG = logging.getLogger(__name__)

# A finished pipeline that is not closed counts against the host's quota of commands in a shell (1000 by default), and
# closing each is a request more; a new shell now and then is cheaper.
_PIPELINES_A_SHELL = 500

_SLOW = 4
"""How many times the usual time a step gets that is slow by nature."""

_GRACE = 10
"""Seconds for ending something, a pipeline or a shell: it is tried whatever has happened, and not for long."""


class Session:
    """A `Runner` on one runspace pool. `close` it; a closed session opens again when it is next used."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bounds = Bounds(connection.answer_limit_mib * 2**20)
        self._pool: RunspacePool | None = None
        self._pipelines = 0

    @property
    def host(self) -> str:
        """The host's name as the user gave it."""
        return self._connection.host

    def run(self, step: Step) -> Facts:
        """Run the step and return its facts.

        Raises Interrupted if the answer was lost, after which the next step has a new session, TimeoutError after
        `step.timeout` seconds, and UnreachableError or AccessError if no session can be had or its answers are no use.
        """
        _LOG.debug("%s:\n%s", self.host, step)
        try:
            facts = self._invoke(step)
        finally:
            self._bounds.end()
        for record in facts.errors:
            _LOG.debug("%s: %s", self.host, record)
        return facts

    def close(self) -> None:
        """End the shell on the host, if it is open and the host can be reached."""
        atexit.unregister(self.close)
        pool, self._pool = self._pool, None
        if pool is None:
            return
        self._end(pool)

    def _open(self) -> RunspacePool:
        if self._pipelines >= _PIPELINES_A_SHELL:
            self.close()
        if self._pool is not None:
            return self._pool
        self._bounds.renew(max(self._connection.step_timeout, self._connection.connect_timeout))
        pool = new_pool(self._connection, self._bounds)
        try:
            pool.open()
        except Exception as error:
            self._end(pool, anew=True)
            raise not_opened(error, self._connection) from error
        self._pool, self._pipelines = pool, 0
        # Only now: hooks run last in, first out, and a hook of urllib3 closes the connections at exit. The message
        # that ends the shell is sealed for this connection; on another connection the host would answer 400.
        atexit.register(self.close)
        return pool

    def _invoke(self, step: Step) -> Facts:
        seconds = step.timeout
        if seconds is None:
            seconds = self._connection.step_timeout * (_SLOW if step.slow else 1)
        try:
            facts = self._answer(step, seconds)
        except NestedlabError:
            raise
        except Exception as error:
            self._drop()
            clear_frames(error.__traceback__)  # of what has come, before another large answer is read
            if isinstance(error, TooLateError):
                raise _overdue(step, seconds) from error
            raise lost(error, self._connection, step.purpose) from error
        if facts is None:
            raise _overdue(step, seconds)
        return facts

    def _answer(self, step: Step, seconds: float) -> Facts | None:
        """Run the step's pipelines and take what they give; None if that takes longer."""
        powershell = self._begin(step, seconds)
        is_done = self._wait(powershell, seconds)
        # Not closed: that costs a request for each, and the host frees a finished pipeline with its shell.
        powershell.runspace_pool.pipelines.pop(powershell.id, None)
        return facts_of(powershell, step) if is_done else None

    def _begin(self, step: Step, seconds: float) -> PowerShell:
        """Start the step's pipelines, on a new session if the host has forgotten the log-on of this one.

        Windows closes a connection that was idle for two minutes. What is sealed for its log-on is then answered with
        HTTP 400, on whatever connection it comes, and is not done (jborean93/pypsrp#21, #53, #203).
        """
        was_open = self._pool is not None
        try:
            return self._started(step, seconds)
        except SealOutdatedError:
            if not was_open:
                raise
        self._drop()
        return self._started(step, seconds)

    def _started(self, step: Step, seconds: float) -> PowerShell:
        batch = (*step.pipelines, END) if len(step.pipelines) > 1 else step.pipelines
        powershell = new_powershell(self._open(), batch)
        self._pipelines += 1
        self._bounds.renew(seconds + _GRACE)
        powershell.begin_invoke()
        return powershell

    def _wait(self, powershell: PowerShell, seconds: float) -> bool:
        """Take the answer; whether it is complete. If it is not after so many seconds, the step is stopped."""
        end = time.monotonic() + seconds
        while is_running(powershell):
            remaining = end - time.monotonic()
            if remaining <= 0:
                self._bounds.renew(_GRACE)
                powershell.stop()
                return False
            powershell.poll_invoke(timeout=max(1, min(OPERATION_SECONDS, round(remaining))))
        return True

    def _drop(self) -> None:
        """Give the session up after a failure in the middle. Its shell is ended, so that nothing goes on in it."""
        atexit.unregister(self.close)
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.pipelines.clear()
            self._end(pool, anew=True)

    def _end(self, pool: RunspacePool, *, anew: bool = False) -> None:
        """End a pool's shell, on a new connection if nothing can come of the one that it has."""
        self._bounds.renew(_GRACE)
        if anew:
            # A message sealed for the old connection cannot be sent on a new connection: pypsrp keeps both in these.
            pool.connection.close()
            pool.connection.transport.session = None
            pool.connection.transport.encryption = None
        with suppress(Exception):
            pool.shell.close()  # the pool's own close() leaves the shell of a broken one
        pool.connection.close()
        self._bounds.end()


def _overdue(step: Step, seconds: float) -> Exception:
    if step.timeout is not None:
        return TimeoutError(f"{step.purpose}: not done within {seconds:g} seconds")
    return faults.overdue(step.purpose, seconds)
