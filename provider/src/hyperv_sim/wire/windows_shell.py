"""One shell of the WS-Management service: a runspace pool, reached by envelopes ([MS-WSMV] 3.1.4)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from uuid import UUID, uuid4
from xml.sax.saxutils import escape

from hyperv_sim.fidelity import fact
from hyperv_sim.wire import soap, wsman_faults
from hyperv_sim.wire.core import NOBODY
from hyperv_sim.wire.fragments import MalformedMessageError
from hyperv_sim.wire.outbox import Outbox
from hyperv_sim.wire.psrp import RunspacePool
from hyperv_sim.wire.soap import NAMESPACES, Request

_DONE = f"{NAMESPACES['rsp']}/CommandState/Done"
_ENVELOPE_OVERHEAD = 4096  # bytes of an answer round its Stream elements, sealing included, at most
_ANSWERS = 64  # pipelines whose last answer is kept for a client that asks again


@dataclass(slots=True)
class WindowsShell:
    """A shell as its client sees it. Each action's method gives the body of the answer, as XML, or raises Fault."""

    id: str
    resource_uri: str
    owner: str
    client_ip: str
    pool: RunspacePool
    idle_timeout: float  # seconds
    commands_limit: int
    name: str = ""
    input_streams: str = "stdin pr"
    output_streams: str = "stdout"
    is_connected: bool = True
    created: float = field(default_factory=monotonic)
    active: float = field(default_factory=monotonic)
    _operations: int = 0
    _lock: Lock = field(default_factory=Lock)
    # Who asked last and what the answer was, for the pool and each pipeline; the id is "" if any may have it again.
    _answers: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    _ended: set[UUID] = field(default_factory=set)

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Keep the shell from being idle while a request is in work."""
        with self._lock:
            self._operations += 1
        try:
            yield
        finally:
            with self._lock:
                self._operations -= 1
                self.active = monotonic()

    def is_idle_too_long(self) -> bool:
        """Whether nobody asked anything for longer than the client wished."""
        return not self._operations and monotonic() - self.active > self.idle_timeout

    def act(self, request: Request, is_gone: Callable[[], bool]) -> str:
        """Do what a request asks of the shell."""
        always = {"Connect": self.connect, "Reconnect": self.reconnect}
        while_connected = {
            "Command": self.command,
            "Receive": lambda request: self.receive(request, is_gone),
            "Send": self.send,
            "Signal": self.signal,
            "Disconnect": self.disconnect,
        }
        action = (always | while_connected).get(request.verb)
        if action is None:
            raise wsman_faults.unsupported_action(request.action)
        if not self.is_connected and request.verb not in always:
            raise wsman_faults.shell_disconnected(self.id)
        return action(request)

    def command(self, request: Request) -> str:
        """Create a pipeline; it runs as soon as its CreatePipeline message is complete."""
        if len(self.pool.pipelines) >= self.commands_limit:
            raise wsman_faults.too_many_commands()
        line = request.body.find("rsp:CommandLine", NAMESPACES)
        if line is None:
            raise wsman_faults.schema_violation("CommandLine")
        pipeline_id = _uuid(line.get("CommandId") or str(uuid4()))
        with _malformed():
            self.pool.create_pipeline(pipeline_id, decoded(line.findtext("rsp:Arguments", "", NAMESPACES)))
        return f"<rsp:CommandResponse><rsp:CommandId>{_name(pipeline_id)}</rsp:CommandId></rsp:CommandResponse>"

    def receive(self, request: Request, is_gone: Callable[[], bool]) -> str:
        """Wait for output of the pool or of a pipeline, up to OperationTimeout."""
        stream = request.body.find("rsp:Receive/rsp:DesiredStream", NAMESPACES)
        target = _uuid(stream.get("CommandId", "")) if stream is not None and stream.get("CommandId") else NOBODY
        outbox = self._outbox(target)
        asked_by, answer = self._answers.get(target, (None, ""))
        if asked_by in {"", request.message_id}:
            self._answers[target] = (request.message_id, answer)
            return answer
        if target in self._ended:
            raise wsman_faults.unknown_command()  # inferred: its words say "the command has completed execution"
        limit = (request.max_envelope_size - _ENVELOPE_OVERHEAD) * 3 // 4
        delivery = outbox.take(limit, request.timeout, is_gone)
        if delivery is None:
            raise wsman_faults.unknown_shell(self.id) if outbox.is_closed else wsman_faults.timed_out()
        answer = _received(delivery.fragments, None if target == NOBODY else _name(target), done=delivery.done)
        self._keep(target, request.message_id, answer)
        if delivery.done:
            self._ended.add(target)
        return answer

    def send(self, request: Request) -> str:
        """Take more fragments for the pool or a pipeline."""
        for stream in request.body.findall("rsp:Send/rsp:Stream", NAMESPACES):
            target = stream.get("CommandId")
            pipeline_id = _uuid(target) if target else None
            if pipeline_id and pipeline_id not in self.pool.pipelines:
                raise wsman_faults.unknown_command()
            with _malformed():
                self.pool.receive(decoded(stream.text or ""), pipeline_id)
        return "<rsp:SendResponse/>"

    def signal(self, request: Request) -> str:
        """Stop a pipeline (ctrl_c) or stop and forget it (Terminate).

        The answer comes when it has stopped, as Windows PowerShell's plug-in does [inferred from its sources].
        """
        signal = request.body.find("rsp:Signal", NAMESPACES)
        code = "" if signal is None else signal.findtext("rsp:Code", "", NAMESPACES).rpartition("/")[2].lower()
        if signal is None or code not in {"ctrl_c", "ctrl_break", "terminate"}:
            raise wsman_faults.malformed_message("There is no signal of that code.")
        pipeline_id = _uuid(signal.get("CommandId", ""))
        pipeline = self.pool.pipelines.get(pipeline_id)
        if pipeline is None:
            raise wsman_faults.unknown_command()
        pipeline.stop()
        pipeline.wait(request.timeout)
        if code == "terminate":
            self.pool.pipelines.pop(pipeline_id, None)
            self._answers.pop(pipeline_id, None)
            self._ended.discard(pipeline_id)
        return "<rsp:SignalResponse/>"

    def disconnect(self, request: Request) -> str:
        """Let the client go and keep the shell; pipelines run on."""
        idle = soap.duration(request.body.findtext("rsp:Disconnect/rsp:IdleTimeOut", "", NAMESPACES))
        self.idle_timeout = idle or self.idle_timeout
        self.is_connected = False
        return ""

    def reconnect(self, _request: Request) -> str:
        """Let the same client come back."""
        self.is_connected = True
        return ""

    def connect(self, request: Request) -> str:
        """Let a new client take over a disconnected shell, or one of its pipelines.

        The new client's first Receive gets the pool's last answer once more: recorded, with the MessageID of old.
        """
        element = request.body.find("rsp:Connect", NAMESPACES)
        if element is not None and element.get("CommandId"):
            self._outbox(_uuid(element.get("CommandId", "")))
            return "<rsp:ConnectResponse/>"
        connecting = request.body.findtext("rsp:Connect/pwsh:connectXml", "", NAMESPACES)
        if not connecting:
            raise wsman_faults.no_such_element("connectXml")
        with _malformed():
            fragments = self.pool.connect(decoded(connecting))
        self.is_connected = True
        if NOBODY in self._answers:
            self._answers[NOBODY] = ("", self._answers[NOBODY][1])
        return (
            f"<rsp:ConnectResponse><rsp:InputStreams>{self.input_streams}</rsp:InputStreams>"
            f"<rsp:OutputStreams>{self.output_streams}</rsp:OutputStreams>"
            f'<connectResponseXml xmlns="{NAMESPACES["pwsh"]}">{_encoded(b"".join(fragments))}</connectResponseXml>'
            "</rsp:ConnectResponse>"
        )

    def to_xml(self, *, with_usage: bool = False) -> str:
        """Describe the shell as Create, Get and Enumerate do; the latter two report its usage too."""
        run = _days(monotonic() - self.created)
        idle = _days(monotonic() - self.active)
        fields = {
            "ShellId": self.id,
            **({"Name": self.name} if self.name else {}),
            "ResourceUri": self.resource_uri,
            "Owner": self.owner,
            "ClientIP": self.client_ip,
            "ProcessId": "4",
            "IdleTimeOut": f"PT{self.idle_timeout:.3f}S",
            "InputStreams": self.input_streams,
            "OutputStreams": self.output_streams,
            "MaxIdleTimeOut": "PT2147483.647S",
            "Locale": "en-US",
            "DataLocale": "en-US",
            "CompressionMode": "NoCompression",
            "ProfileLoaded": "Yes",
            "Encoding": "UTF8",
            "BufferMode": "Block",
            "State": "Connected" if self.is_connected else "Disconnected",
            "ShellRunTime": run,
            "ShellInactivity": idle,
        } | ({"MemoryUsed": "58MB", "ChildProcesses": "0"} if with_usage else {})
        elements = "".join(f"<rsp:{name}>{escape(value)}</rsp:{name}>" for name, value in fields.items())
        return f"<rsp:Shell>{elements}</rsp:Shell>"

    def commands_to_xml(self) -> str:
        """List the pipelines as Enumerate does; one that ended is gone from the list [inferred]."""
        running = [pipeline_id for pipeline_id in self.pool.pipelines if pipeline_id not in self._ended]
        return "".join(
            f"<rsp:Command><rsp:CommandId>{_name(pipeline_id)}</rsp:CommandId><rsp:CommandLine></rsp:CommandLine>"
            "<rsp:CommandState>Running</rsp:CommandState></rsp:Command>"
            for pipeline_id in running
        )

    def _keep(self, target: UUID, message_id: str, answer: str) -> None:
        with self._lock:
            self._answers[target] = (message_id, answer)
            if len(self._answers) <= _ANSWERS:
                return
            oldest = [kept for kept in self._answers if kept not in {NOBODY, target}][:-_ANSWERS]
            for kept in oldest:
                del self._answers[kept]

    def _outbox(self, target: UUID) -> Outbox:
        if target == NOBODY:
            return self.pool.outbox
        pipeline = self.pool.pipelines.get(target)
        if pipeline is None:
            raise wsman_faults.unknown_command()
        return pipeline.outbox


@contextmanager
def _malformed() -> Iterator[None]:
    try:
        yield
    except MalformedMessageError as error:
        raise wsman_faults.malformed_message(str(error)) from error


def decoded(text: str) -> bytes:
    """Read base64. Raises Fault."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise wsman_faults.malformed_message(str(error)) from error


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _received(fragments: tuple[bytes, ...], command_id: str | None, *, done: bool) -> str:
    of_command = f' CommandId="{command_id}"' if command_id else ""
    streams = "".join(f'<rsp:Stream Name="stdout"{of_command}>{_encoded(data)}</rsp:Stream>' for data in fragments)
    state = f'<rsp:CommandState{of_command} State="{_DONE}"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>'
    return f"<rsp:ReceiveResponse>{streams}{state if done else ''}</rsp:ReceiveResponse>"


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise wsman_faults.malformed_message(f"{text!r} is no identifier.") from error


def _name(pipeline_id: UUID) -> str:
    return str(pipeline_id).upper()


def _days(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return "P{}DT{}H{}M{}S".format(*divmod(hours, 24), minute, second)


_RECORDED = "recordings in pypsrp's tests"
fact("WSMan", "output is given once: an answer that is lost on the way is lost", "[MS-WSMV] names no acknowledgement")
fact(
    "WSMan", "a Receive with the MessageID of the last one gets its answer again", "pypsrp's source, which relies on it"
)
fact("WSMan", "after a Connect the next Receive gets the pool's last answer again", _RECORDED)
fact("WSMan", "a Receive whose client went away takes no output", "inferred")
fact("WSMan", "a Receive after a pipeline's end is fault 2150858843", "inferred from the fault's words")
fact("WSMan", "a Signal is answered when the pipeline has stopped", "inferred from PowerShell's public sources")
fact("WSMan", "anything but Connect, Reconnect, Delete on a disconnected shell is a fault", "number unknown")
