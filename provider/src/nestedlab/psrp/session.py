"""A PSRP session: a runspace pool on a parent host, opened when first needed.

pypsrp's pools are not safe across threads (message sealing is ordered), so a session belongs to one worker at a time.
"""

from __future__ import annotations

import atexit
import logging
import time
from contextlib import suppress
from typing import Any

import requests
from pypsrp.complex_objects import Command, PSInvocationState, RunspacePoolState
from pypsrp.exceptions import (
    AuthenticationError,
    InvalidPSRPOperation,
    WinRMError,
    WinRMTransportError,
    WSManFaultError,
)
from pypsrp.messages import CreatePipeline
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.wsman import WSMan
from spnego.exceptions import SpnegoError

from nestedlab.connection import Connection
from nestedlab.errors import AccessError, Interrupted, NestedlabError, UnreachableError
from nestedlab.pipeline import END, END_MARK, Facts, Pipeline, PSObject, Step
from nestedlab.psrp.error_records import error_record
from nestedlab.psrp.faults import answered, broken, not_installed, refused, unreachable
from nestedlab.psrp.message import create_pipeline
from nestedlab.psrp.objects import read, readable

_LOG = logging.getLogger(__name__)

# Windows' own default is two hours; a process that is killed would leave its shells on the host that long, against a
# quota of 30 for each user.
_IDLE_SECONDS = 300

# The host answers a Receive within this time, with output or with "nothing yet"; the socket waits a little longer.
_OPERATION_SECONDS = 20

# A finished pipeline that is not closed counts against the host's quota of commands in a shell (1000 by default), and
# closing each is a request more; a new shell now and then is cheaper.
_PIPELINES_A_SHELL = 500


class Session:
    """A `Runner` on one runspace pool. `close` it; a closed session opens again when it is next used."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pool: RunspacePool | None = None
        self._pipelines = 0

    @property
    def host(self) -> str:
        """The host's name as the user gave it."""
        return self._connection.host

    def run(self, step: Step) -> Facts:
        """Run the step and return its facts.

        Raises Interrupted if the answer was lost, after which the next step has a new session, TimeoutError after
        `step.timeout` seconds, and UnreachableError or AccessError if no session can be had.
        """
        _LOG.debug("%s:\n%s", self.host, step)
        facts = self._invoke(step)
        for record in facts.errors:
            _LOG.debug("%s: %s", self.host, record)
        return facts

    def close(self) -> None:
        """End the shell on the host, if it is open and the host can be reached."""
        atexit.unregister(self.close)
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with suppress(WinRMError, requests.RequestException, OSError):
            pool.close()
        pool.connection.close()

    def _open(self) -> RunspacePool:
        if self._pipelines >= _PIPELINES_A_SHELL:
            self.close()
        if self._pool is not None:
            return self._pool
        pool = new_pool(self._connection)
        try:
            pool.open()
        except (WinRMError, requests.RequestException, OSError, ValueError, SpnegoError, ImportError) as error:
            if pool.state == RunspacePoolState.BROKEN:  # whose shell is there all the same; pypsrp does not end it
                with suppress(WinRMError, requests.RequestException, OSError):
                    pool.shell.close()
            pool.connection.close()
            raise _cannot_open(error, self._connection) from error
        _keep_proxies(pool)
        self._pool, self._pipelines = pool, 0
        # Only now: hooks run last in, first out, and a hook of urllib3 closes the connections at exit. The message
        # that ends the shell is sealed for this connection; on another connection the host would answer 500.
        atexit.register(self.close)
        return pool

    def _invoke(self, step: Step) -> Facts:
        batch = (*step.pipelines, END) if len(step.pipelines) > 1 else step.pipelines
        powershell = new_powershell(self._open(), batch)
        self._pipelines += 1
        deadline = None if step.timeout is None else time.monotonic() + step.timeout
        try:
            powershell.begin_invoke()
            while powershell.state == PSInvocationState.RUNNING:
                remaining = _OPERATION_SECONDS if deadline is None else deadline - time.monotonic()
                if remaining <= 0:
                    powershell.stop()
                    raise TimeoutError(f"{step.purpose}: not done within {step.timeout} seconds")
                powershell.poll_invoke(timeout=max(1, min(_OPERATION_SECONDS, round(remaining))))
        except (WinRMError, requests.RequestException) as error:
            raise self._lost(error, step) from error
        # Not closed: that costs a request for each, and the host frees a finished pipeline with its shell.
        powershell.runspace_pool.pipelines.pop(powershell.id, None)
        return _facts(powershell, step)

    def _lost(self, error: Exception, step: Step) -> NestedlabError:
        """The error for a failure in the middle. The shell is ended, so that nothing of ours goes on in it."""
        pool, self._pool = self._pool, None
        if pool is not None:
            # A message sealed for the old connection cannot be sent on a new connection: pypsrp keeps both in these.
            pool.connection.transport.session = None
            pool.connection.transport.encryption = None
            with suppress(WinRMError, requests.RequestException, OSError):
                pool.close()
            pool.connection.close()
        fault = refused(error.code, self._connection) if isinstance(error, WSManFaultError) else None
        return fault or Interrupted(
            f"the connection was lost while trying to {step.purpose}. Run the command again: it goes on "
            f"from there. ({error})"
        )


def _wsman(connection: Connection) -> WSMan:
    options: dict[str, Any] = {
        "port": connection.port,
        "path": connection.path,
        "ssl": connection.tls,
        "username": connection.username,
        "password": connection.password.get_secret_value() if connection.password else None,
        "auth": connection.auth,
        "cert_validation": str(connection.ca_bundle) if connection.ca_bundle else True,
        "connection_timeout": round(connection.connect_timeout),
        "operation_timeout": _OPERATION_SECONDS,
        "read_timeout": _OPERATION_SECONDS + 10,
    }
    if connection.auth == "certificate":
        options["certificate_pem"] = str(connection.certificate)
        options["certificate_key_pem"] = str(connection.certificate_key)
    return WSMan(connection.host, **options)


def _cannot_open(error: Exception, connection: Connection) -> NestedlabError:
    if isinstance(error, ImportError):
        return not_installed(error, connection)
    if isinstance(error, AuthenticationError | SpnegoError):
        return AccessError(
            f"the host refused the logon of {connection.username or 'the current user'} with {connection.auth}: check "
            "nestedlab:username and nestedlab:password; a local account of a domain member is written 'HOST\\user', "
            "and the user must be in Administrators or Remote Management Users"
        )
    if isinstance(error, WSManFaultError):
        fault = refused(error.code, connection)
        reason = str(error.reason or error).strip().rstrip(".")
        return fault or UnreachableError(
            f"the host refused a session: {reason}. Look at its event log "
            f"Microsoft-Windows-WinRM/Operational for the cause. [WSManFault {error.code}]"
        )
    if isinstance(error, WinRMTransportError):
        return answered(error.code, connection)
    if isinstance(error, InvalidPSRPOperation):
        return broken(str(error).partition(": ")[2], connection)  # "Received a broken ... message: the cause"
    return unreachable(error, connection)


class _Written(Command):
    """A finished message, in the place of the commands that pypsrp would build it from."""

    def __init__(self, message: bytes) -> None:
        super().__init__()
        self.message = message


class _Serializer(Serializer):
    """pypsrp's serializer, except for the messages that are nearly all of its work: pipelines and their output."""

    def serialize(self, value: Any, *args: Any, **options: Any) -> Any:
        """Turn a value into XML; return the bytes of a finished message, which pypsrp sends as they are."""
        pipeline = value.pipeline if isinstance(value, CreatePipeline) else None
        first = pipeline.commands[0] if pipeline and pipeline.commands else None
        return first.message if isinstance(first, _Written) else super().serialize(value, *args, **options)

    def deserialize(self, element: Any, metadata: Any = None, *args: Any, **options: Any) -> Any:
        """Read a value from XML. Only output is text without metadata; an object in it is read by `read`."""
        if isinstance(element, str):
            element = readable(element)
        output = read(element) if metadata is None and isinstance(element, str) else None
        return super().deserialize(element, metadata, *args, **options) if output is None else output


def new_pool(connection: Connection) -> RunspacePool:
    """A pool that is not open yet, and that writes and reads messages with our serializer."""
    pool = RunspacePool(
        _wsman(connection), configuration_name=connection.configuration_name, idle_timeout=_IDLE_SECONDS
    )
    # pypsrp lets nobody choose its serializer. The fragmenter packs and unpacks all messages with its own; the pool's
    # own stays what it is, for it has the key for secure strings, which we never send.
    pool._fragmenter.serializer = _Serializer()
    return pool


def new_powershell(pool: RunspacePool, pipelines: tuple[Pipeline, ...]) -> PowerShell:
    """A PowerShell that runs these pipelines in an open pool, if it is begun with pypsrp's defaults."""
    return PowerShell(pool).add_command(_Written(create_pipeline(pipelines, pool.protocol_version or "")))


def _keep_proxies(pool: RunspacePool) -> None:
    """Stop requests from searching the environment for proxies, which it does three times for each message.

    pypsrp has done so already when it made the session, and the session keeps the result.
    """
    if pool.connection.transport.session is not None:
        pool.connection.transport.session.trust_env = False


def _facts(powershell: PowerShell, step: Step) -> Facts:
    return Facts(
        tuple(output for output in powershell.output if isinstance(output, PSObject)),
        tuple(error_record(record, step) for record in powershell.streams.error),
        tuple(str(warning) for warning in powershell.streams.warning),
        whole=len(step.pipelines) == 1 or END_MARK in powershell.output,
    )
