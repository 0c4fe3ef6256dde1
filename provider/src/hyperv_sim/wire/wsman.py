"""The WS-Management service of a Windows host for PowerShell shells ([MS-WSMV]), without sockets.

An envelope comes in, an envelope or a fault goes out; `Receive` waits in between, up to OperationTimeout.

At most once: output that was sent is gone for good, whether or not it arrived. Two exceptions, both Windows':
a Receive that comes again with the same MessageID gets the same answer (pypsrp relies on it when a read times out),
and after a Connect the next Receive gets the pool's last answer once more (recorded). What waits for a client that
went away is not lost: a Receive whose connection broke takes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from hyperv_sim.fidelity import fact
from hyperv_sim.records import BrokenEndpointError, ErrorRecord, Scalar, Shell, Value
from hyperv_sim.wire import soap, wsman_faults
from hyperv_sim.wire.fragments import MalformedMessageError
from hyperv_sim.wire.psrp import BrokenShell, RunspacePool
from hyperv_sim.wire.soap import NAMESPACES, Request
from hyperv_sim.wire.windows_shell import WindowsShell, decoded
from hyperv_sim.wire.wsman_faults import Fault

Shells = Callable[[str], "Shell | None"]

_POWERSHELL = "http://schemas.microsoft.com/powershell/"
_SHELL = NAMESPACES["rsp"]
_IDLE_TIMEOUT = 7200.0  # seconds; Winrs IdleTimeout of a Windows host (recorded)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: the user's name, the address, and whether the connection has gone in the meantime."""

    user: str
    address: str
    is_gone: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas, with the defaults of Windows Server (recorded, or seen in jborean93/pypsrp#148)."""

    shells_per_user: int = 30
    commands_per_shell: int = 1000
    envelope_kb: int = 500


class Service:
    """The service: shells by id, and what a client may ask of them.

    `shells` gives a shell for an endpoint's name, None if there is no such endpoint, and raises PermissionError
    if the user may not use it, BrokenEndpointError if it cannot be opened.
    """

    def __init__(self, shells: Shells, limits: Limits, version_table: Mapping[str, Value], machine: str) -> None:
        self._shells = shells
        self._limits = limits
        self._version_table = version_table
        self._machine = machine
        self._open: dict[str, WindowsShell] = {}
        self._lock = Lock()

    def handle(self, request: Request, caller: Caller) -> bytes:
        """Answer a request. Raises Fault."""
        return soap.response(request, self._answer(request, caller))

    @property
    def windows_version(self) -> str:
        """The version of Windows, in three parts."""
        build = self._version_table["BuildVersion"]
        return str(build.value).rpartition(".")[0] if isinstance(build, Scalar) else ""

    @property
    def open_shells(self) -> int:
        """How many shells are open."""
        return len(self._open)

    def close_shells(self) -> None:
        """Drop all shells at once, as a restart of the service does."""
        with self._lock:
            shells, self._open = list(self._open.values()), {}
        for shell in shells:
            shell.pool.close()

    def disconnect(self, shells: Iterable[str]) -> None:
        """Disconnect these shells, by id, from their clients; what runs there goes on."""
        for shell in filter(None, map(self._open.get, shells)):
            shell.is_connected = False

    def _answer(self, request: Request, caller: Caller) -> str:
        self._drop_idle()
        if request.resource_uri.startswith(_POWERSHELL):
            return self._answer_endpoint(request, caller)
        match request.resource_uri.removeprefix(_SHELL), request.verb:
            case "", "Get":
                return self._find(request, wsman_faults.unknown_shell_to_get()).to_xml(with_usage=True)
            case "", "Enumerate":
                return _items("".join(shell.to_xml(with_usage=True) for shell in list(self._open.values())))
            case "/Command", "Enumerate":
                return self._enumerate_commands(request)
            case _, "Get" if request.resource_uri == NAMESPACES["cfg"]:
                return self._config()
        raise wsman_faults.unknown_resource(request.resource_uri)

    def _answer_endpoint(self, request: Request, caller: Caller) -> str:
        if request.verb == "Create":
            return self._create(request, caller)
        shell = self._find(request)
        with shell.operation():
            if request.verb == "Delete":
                return self._delete(shell)
            return shell.act(request, caller.is_gone)

    def _create(self, request: Request, caller: Caller) -> str:
        broken: ErrorRecord | None = None
        shell: Shell | None
        try:
            shell = self._shells(request.resource_uri.removeprefix(_POWERSHELL))
        except PermissionError as error:
            raise wsman_faults.access_denied() from error
        except BrokenEndpointError as error:
            shell, broken = BrokenShell(), error.error
        if shell is None:
            raise wsman_faults.unknown_resource(request.resource_uri)
        made = self._made(request, caller, RunspacePool(shell, self._version_table, broken))
        creation = request.body.findtext("rsp:Shell/pwsh:creationXml", "", NAMESPACES)
        if not creation:
            raise wsman_faults.no_such_element("creationXml")
        try:
            made.pool.receive(decoded(creation))
        except MalformedMessageError as error:
            raise wsman_faults.malformed_message(str(error)) from error
        self._register(made)
        return (
            f"<x:ResourceCreated><a:Address>{escape(request.to)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{escape(made.resource_uri)}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{escape(made.id)}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated>{made.to_xml()}"
        )

    def _made(self, request: Request, caller: Caller, pool: RunspacePool) -> WindowsShell:
        shell = request.body.find("rsp:Shell", NAMESPACES)
        if shell is None:
            raise wsman_faults.schema_violation("Shell")
        return WindowsShell(
            id=(shell.get("ShellId") or str(uuid4())).upper(),
            name=shell.get("Name", ""),
            resource_uri=request.resource_uri,
            owner=f"{self._machine}\\{caller.user}",
            client_ip=caller.address,
            pool=pool,
            idle_timeout=soap.duration(shell.findtext("rsp:IdleTimeOut", "", NAMESPACES)) or _IDLE_TIMEOUT,
            commands_limit=self._limits.commands_per_shell,
            input_streams=shell.findtext("rsp:InputStreams", "stdin pr", NAMESPACES),
            output_streams=shell.findtext("rsp:OutputStreams", "stdout", NAMESPACES),
        )

    def _register(self, made: WindowsShell) -> None:
        with self._lock:
            if made.id in self._open:
                raise wsman_faults.malformed_message(f"There is a shell with ShellId {made.id} already.")
            if sum(shell.owner == made.owner for shell in self._open.values()) >= self._limits.shells_per_user:
                raise wsman_faults.too_many_shells(self._limits.shells_per_user)
            self._open[made.id] = made

    def _find(self, request: Request, absent: Fault | None = None) -> WindowsShell:
        shell_id = request.selectors.get("ShellId", "")
        shell = self._open.get(shell_id.upper())
        if shell is None:
            raise absent or wsman_faults.unknown_shell(shell_id)
        return shell

    def _delete(self, shell: WindowsShell) -> str:
        with self._lock:
            self._open.pop(shell.id, None)
        shell.pool.close()
        return ""

    def _drop_idle(self) -> None:
        for shell in [shell for shell in list(self._open.values()) if shell.is_idle_too_long()]:
            self._delete(shell)

    def _enumerate_commands(self, request: Request) -> str:
        path = "n:Enumerate/w:Filter/w:SelectorSet/w:Selector[@Name='ShellId']"
        shell = self._open.get(request.body.findtext(path, "", NAMESPACES).upper())
        return _items(shell.commands_to_xml() if shell else "")

    def _config(self) -> str:
        """Give the part of the host's configuration that clients ask for, with what this service does about it."""
        service = "<cfg:Service><cfg:AllowUnencrypted>false</cfg:AllowUnencrypted></cfg:Service>"
        quota = f"<cfg:MaxShellsPerUser>{self._limits.shells_per_user}</cfg:MaxShellsPerUser>"
        return (
            f"<cfg:Config xmlns:cfg={quoteattr(NAMESPACES['cfg'])}>"
            f"<cfg:MaxEnvelopeSizekb>{self._limits.envelope_kb}</cfg:MaxEnvelopeSizekb>"
            f"<cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms>{service}<cfg:Winrs>{quota}</cfg:Winrs></cfg:Config>"
        )


def _items(items: str) -> str:
    listed = f"<w:Items>{items}</w:Items>" if items else ""
    return (
        "<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext>"
        f"{listed}<w:EndOfSequence/></n:EnumerateResponse>"
    )


fact("WSMan", "an endpoint that does not exist is fault 2150858811", "diyan/pywinrm#273; codes inferred")
fact(
    "WSMan",
    "30 shells per user, then fault 2150859173, a MSFT_WmiError without RelatesTo",
    "WinRb/WinRM's tests; hashicorp/vagrant#7489",
)
fact(
    "WSMan",
    "1000 pipelines per shell that were never closed, then a fault, a MSFT_WmiError too",
    "jborean93/pypsrp#148; number unknown",
)
fact("WSMan", "a Create without creationXml: fault 2152992672 of the plug-in", "recorded, a fork of diyan/pywinrm")
fact("WSMan", "a Connect without connectXml: the same fault", "go-psrp's documentation; number inferred")
fact("WSMan", "what the schema forbids: fault 2150858817", "Devolutions/ironPosh, diyan/pywinrm#377; words inferred")
fact("WSMan", "a client's OperationID comes back, with SequenceId 1", "Devolutions/ironPosh")
fact(
    "WSMan",
    "a shell that nobody used for its IdleTimeOut (two hours) is gone",
    "recordings in pypsrp's tests; when, inferred",
)
fact("WSMan", "shells that are not PowerShell's (WinRS) do not exist", "not simulated")
