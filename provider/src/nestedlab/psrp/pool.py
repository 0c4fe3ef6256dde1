"""pypsrp's pools and pipelines as we need them, and its errors as ours. The only module that imports pypsrp."""

from __future__ import annotations

import re
from threading import Lock
from typing import Any
from xml.etree import ElementTree

import requests
from pypsrp.complex_objects import Command, PSInvocationState
from pypsrp.exceptions import AuthenticationError, InvalidPSRPOperation, WinRMTransportError, WSManFaultError
from pypsrp.messages import CreatePipeline
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.wsman import WSMan, _TransportHTTP
from spnego.exceptions import BadMICError, InvalidTokenError, SpnegoError

from nestedlab.connection import Connection
from nestedlab.errors import NestedlabError
from nestedlab.pipeline import END_MARK, Facts, Pipeline, PSObject, Step
from nestedlab.psrp import faults
from nestedlab.psrp.error_records import error_record
from nestedlab.psrp.message import create_pipeline
from nestedlab.psrp.objects import read, readable
from nestedlab.psrp.transport import Adapter, Bounds, trusted

__all__ = ["PowerShell", "RunspacePool", "facts_of", "is_running", "lost", "new_pool", "new_powershell", "not_opened"]

OPERATION_SECONDS = 20
"""The host answers a Receive within this time, with output or with "nothing yet"; the socket waits a little longer."""

# Windows' own default is two hours; a process that is killed would leave its shells on the host that long, against a
# quota of 30 for each user.
_IDLE_SECONDS = 300

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")


class _Transport(_TransportHTTP):
    """pypsrp's transport, on our own adapter, and with an eye on what it is about to read as XML."""

    bounds: Bounds
    ca_bundle: object

    def _build_session(self) -> requests.Session:
        session = super()._build_session()
        # pypsrp has looked for proxies; requests would search the environment for them three times for each message.
        session.trust_env = False
        # Not what REQUESTS_CA_BUNDLE says, which is about another library's list.
        session.verify = self.cert_validation
        context = trusted(self.ca_bundle) if self.ssl else None
        session.adapters.clear()
        session.mount(self.endpoint, Adapter(self.bounds, context, _OFFERS.get(self.auth, _NEGOTIATE)))
        return session

    def _send_request(self, request: requests.PreparedRequest, timeout: Any = None) -> bytes:
        try:
            message = _without_entities(super()._send_request(request, timeout).decode())
            declaration = _DECLARATION.match(message)  # it might name another encoding
            return message[declaration.end() if declaration else 0 :].encode()
        except WinRMTransportError as error:
            raise _quota(error) or error from None


_NEGOTIATE = ("negotiate", "kerberos", "ntlm")
_OFFERS = {"basic": ("basic",), "credssp": ("credssp",), "certificate": ()}


def _without_entities(message: str) -> str:
    """The message, if it declares no entities, of which a few bytes can be a lot of text. WinRM's declare none."""
    if "<!DOCTYPE" in message:
        raise ElementTree.ParseError("document types are not allowed")
    return message


def _quota(error: WinRMTransportError) -> WSManFaultError | None:
    """The fault for a full quota, which Windows (2012 R2 and later) reports as an error of WMI.

    pypsrp knows only WSManFault, and takes the code of SOAP instead, which other faults have too (WinRb/WinRM,
    diyan/pywinrm and jborean93/pypsrp#148 have the form).
    """
    if "MSFT_WmiError" not in error.response_text:
        return None
    wmi = ElementTree.fromstring(_without_entities(error.response_text)).find(".//{*}MSFT_WmiError")  # noqa: S314
    code = "" if wmi is None else wmi.findtext("{*}error_Code", "")
    if wmi is None or not code.isdecimal():
        return None
    return WSManFaultError(int(code), None, wmi.findtext("{*}Message", "").strip(), None, None, None)


_constructing = Lock()
"""Held while pypsrp names its namespaces to ElementTree, which has one list of them for all threads."""


def _wsman(connection: Connection, bounds: Bounds) -> WSMan:
    options: dict[str, Any] = {
        "port": connection.port,
        "path": connection.path,
        "ssl": connection.tls,
        "username": connection.username,
        "password": connection.password.get_secret_value() if connection.password else None,
        "auth": connection.auth,
        "cert_validation": str(connection.ca_bundle) if connection.ca_bundle else True,
        "connection_timeout": connection.connect_timeout,
        "read_timeout": OPERATION_SECONDS + 10,
        "reconnection_backoff": 0.25,  # of five attempts to ask again for what did not come in time
    }
    if connection.auth == "certificate":
        options["certificate_pem"] = str(connection.certificate)
        options["certificate_key_pem"] = str(connection.certificate_key)
    with _constructing:
        wsman = WSMan(connection.host, operation_timeout=OPERATION_SECONDS, **options)
    wsman.transport = _Transport(connection.host, **options)
    wsman.transport.bounds, wsman.transport.ca_bundle = bounds, connection.ca_bundle
    return wsman


class _Written(Command):
    """A finished message, in the place of the commands that pypsrp would build it from."""

    def __init__(self, message: bytes) -> None:
        super().__init__()
        self.message = message


class _Serializer(Serializer):
    """pypsrp's serializer, except for the messages that are nearly all of its work: pipelines and their output."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__()
        self._bounds = bounds

    def serialize(self, value: Any, *args: Any, **options: Any) -> Any:
        """Turn a value into XML; return the bytes of a finished message, which pypsrp sends as they are."""
        pipeline = value.pipeline if isinstance(value, CreatePipeline) else None
        first = pipeline.commands[0] if pipeline and pipeline.commands else None
        return first.message if isinstance(first, _Written) else super().serialize(value, *args, **options)

    def deserialize(self, element: Any, metadata: Any = None, *args: Any, **options: Any) -> Any:
        """Read a value from XML. Only output is text without metadata; an object in it is read by `read`."""
        if isinstance(element, str):
            element = readable(_without_entities(element))
            self._bounds.take_marks(element.count("<") + element.count("="))
        output = read(element) if metadata is None and isinstance(element, str) else None
        return super().deserialize(element, metadata, *args, **options) if output is None else output


def new_pool(connection: Connection, bounds: Bounds) -> RunspacePool:
    """A pool that is not open yet, and that writes and reads messages with our serializer."""
    pool = RunspacePool(
        _wsman(connection, bounds), configuration_name=connection.configuration_name, idle_timeout=_IDLE_SECONDS
    )
    # pypsrp lets nobody choose its serializer. The fragmenter packs and unpacks all messages with its own; the pool's
    # own stays what it is, for it has the key for secure strings, which we never send.
    pool._fragmenter.serializer = _Serializer(bounds)
    return pool


def new_powershell(pool: RunspacePool, pipelines: tuple[Pipeline, ...]) -> PowerShell:
    """A PowerShell that runs these pipelines in an open pool, if it is begun with pypsrp's defaults."""
    return PowerShell(pool).add_command(_Written(create_pipeline(pipelines, pool.protocol_version or "")))


def is_running(powershell: PowerShell) -> bool:
    """Whether more is to come."""
    return bool(powershell.state == PSInvocationState.RUNNING)


def facts_of(powershell: PowerShell, step: Step) -> Facts:
    """What the host has answered to the step."""
    return Facts(
        tuple(output for output in powershell.output if isinstance(output, PSObject)),
        tuple(error_record(record, step) for record in powershell.streams.error),
        tuple(str(warning) for warning in powershell.streams.warning),
        whole=len(step.pipelines) == 1 or END_MARK in powershell.output,
    )


def not_opened(error: Exception, connection: Connection) -> NestedlabError:
    """The error for a session that cannot be had."""
    if isinstance(error, ImportError):
        return faults.not_installed(error, connection)
    if isinstance(error, InvalidPSRPOperation):
        return faults.broken(str(error).partition(": ")[2], connection)  # "Received a broken ... message: the cause"
    known = _refused(error, connection)
    if known is None and isinstance(error, WSManFaultError):
        return faults.not_opened(str(error.reason or error), error.code)
    return known or faults.unreachable(error, connection)


def lost(error: Exception, connection: Connection, purpose: str) -> NestedlabError:
    """The error for a failure in the middle of a step."""
    return _refused(error, connection) or faults.lost(error, connection, purpose)


def _refused(error: Exception, connection: Connection) -> NestedlabError | None:
    """The error for an answer in which the host says no, and would say so again."""
    if isinstance(error, AuthenticationError):
        return faults.logon_refused(connection)
    if isinstance(error, SpnegoError) and not isinstance(error, BadMICError | InvalidTokenError):
        return faults.logon_refused(connection)
    if isinstance(error, WSManFaultError):
        return faults.refused(error.code, connection)
    return faults.answered(error.code, connection) if isinstance(error, WinRMTransportError) else None
