"""A connection: HTTP/1.1, TLS, authentication, message encryption, the fault plan."""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import TYPE_CHECKING

from spnego import ContextProxy

from hyperv_sim.fidelity import fact
from hyperv_sim.wire import identify, message_encryption, soap, wsman_faults
from hyperv_sim.wire.authentication import Account, Authenticator
from hyperv_sim.wire.counts import RequestCounter
from hyperv_sim.wire.faults import FaultPlan, Rule
from hyperv_sim.wire.message_encryption import NotSealedError
from hyperv_sim.wire.wsman import Caller, Service
from hyperv_sim.wire.wsman_faults import Fault

if TYPE_CHECKING:
    from hyperv_sim.wire.listener import Listener

_PATH = "/wsman"
_SOAP = "application/soap+xml;charset=UTF-8"
_POLL = 0.05  # seconds between looks at whether the listener should stop
_HANDSHAKE = 5.0  # seconds that a client may take for TLS
_SEALING = 1024  # bytes that sealing adds to an envelope, at most
_CHUNK = 64 * 1024  # bytes of an answer that come in one piece
_DIGITS = 12  # more than any length has
_DRAINED = 2**20  # bytes of a refused body that are still read, so that its client reads the answer
_DRAINING = 1.0  # seconds to wait for each piece of them


@dataclass(slots=True)
class Site:
    """What all connections share."""

    service: Service
    account: Account
    machine: str
    envelope_kb: int
    latency: float  # seconds
    idle_seconds: float = 120.0
    connections_limit: int = 300
    tls: ssl.SSLContext | None = None
    certificate: bytes | None = None  # DER
    requests: RequestCounter = field(default_factory=RequestCounter)
    plan: FaultPlan = field(default_factory=FaultPlan)
    stopping: Event = field(default_factory=Event)


class Connection(BaseHTTPRequestHandler):
    """A connection, request after request, in a thread of its own."""

    server: Listener
    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet to an answer
    is_busy = False

    def setup(self) -> None:
        """Shake hands, in this thread so that a slow client keeps nobody waiting."""
        self._site = self.server.site
        self._authenticator = Authenticator(self._site.account, self._site.machine, self._site.certificate)
        if self._site.tls is not None:
            self.request.settimeout(_HANDSHAKE)
            self.request = self._site.tls.wrap_socket(self.request, server_side=True)
        self.request.settimeout(self._site.idle_seconds)
        self._shells: set[str] = set()
        super().setup()
        self.server.add(self)

    def finish(self) -> None:
        """Forget the connection."""
        self.server.remove(self)
        with suppress(OSError):
            super().finish()
        self.connection.close()

    def break_off(self) -> None:
        """Break the connection, from whatever thread."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle_one_request(self) -> None:
        """Wait for a request and answer it. A client that takes too long is not waited for (http.server sees to it)."""
        try:
            self.rfile.peek(1)  # type: ignore[attr-defined] # it is buffered
        except TimeoutError:
            self.fall_idle()
            self.close_connection = True
            return
        super().handle_one_request()

    def fall_idle(self) -> None:
        """Disconnect the shells that the client of this connection used, if it was plain HTTP."""
        if self._site.tls is None:
            self._site.service.disconnect(self._shells)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the overridden one
        """Say nothing: standard error belongs to the command."""

    def version_string(self) -> str:
        """Name the server as HTTP.sys does."""
        return self.server_version

    def do_POST(self) -> None:
        """Answer a request."""
        self.is_busy = True
        try:
            self._site.requests.count(http=1)
            self._site.stopping.wait(self._site.latency)
            self._post()
        finally:
            self.is_busy = False

    def _post(self) -> None:
        length = self._length()
        if length is None:
            self._answer(HTTPStatus.BAD_REQUEST, close=True)
            return
        if length > self._site.envelope_kb * 1024 + _SEALING:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)  # seen: ansible.windows#391, #620
            self._drain(length)
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        self._whole(body)

    def _whole(self, body: bytes) -> None:
        if self.path.partition("?")[0].rstrip("/").lower() != _PATH:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        if self.headers.get(identify.HEADER, "").lower() == identify.UNAUTHENTICATED and identify.is_asked(body):
            self._answer(HTTPStatus.OK, identify.answer(identify.NO_VERSION), [("Content-Type", _SOAP)])
            return
        verdict = self._authenticator.judge(self.headers.get("Authorization", ""))
        if verdict.user is None:
            offers = (verdict.challenge,) if verdict.challenge else self._authenticator.offers
            self._answer(HTTPStatus.UNAUTHORIZED, headers=[("WWW-Authenticate", offer) for offer in offers])
            return
        proof = [("WWW-Authenticate", verdict.challenge)] if verdict.challenge else []
        if not body:
            self._answer(HTTPStatus.OK, headers=proof)
            return
        self._envelope(body, verdict.user, proof)

    def _length(self) -> int | None:
        """The length of the body; None if it is invalid, or comes in chunks."""
        if "Transfer-Encoding" in self.headers:
            return None
        text = self.headers.get("Content-Length", "0")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None

    def _drain(self, length: int) -> None:
        """Read and drop a part of a refused body: a client that is still sending does not read an answer."""
        left = min(length, _DRAINED)
        with suppress(OSError):
            self.wfile.flush()
            self.connection.settimeout(_DRAINING)
            while left > 0 and (piece := self.rfile.read1(min(left, _CHUNK))):
                left -= len(piece)

    def _envelope(self, body: bytes, user: str, headers: list[tuple[str, str]]) -> None:
        try:
            envelope, sealed_by = self._opened(body)
        except NotSealedError:
            if message_encryption.is_sealed(self.headers.get("Content-Type", "")):
                self._answer(HTTPStatus.BAD_REQUEST)  # seen: jborean93/pypsrp#21, #53, #203
                return
            # Seen: status 500, no content, Connection: close (cloudsoft/winrm4j#144, diyan/pywinrm#208).
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, close=True)
            return
        answered = self._wsman(envelope, user)
        if answered is None:
            self.close_connection = True
            self.break_off()
            return
        status, answer = answered
        content_type = _SOAP
        if sealed_by is not None:
            content_type, answer = message_encryption.CONTENT_TYPE, message_encryption.seal(sealed_by, answer)
        self._answer(status, answer, [("Content-Type", content_type), *headers])

    def _opened(self, body: bytes) -> tuple[bytes, ContextProxy | None]:
        """Give the envelope of a body, and the context that it was sealed for. Raises NotSealedError."""
        context = self._authenticator.context
        if message_encryption.is_sealed(self.headers.get("Content-Type", "")):
            if context is None:
                raise NotSealedError("there is no context to seal with")
            return message_encryption.unseal(context, body), context
        if self._site.tls is None:
            raise NotSealedError("AllowUnencrypted is false")
        return body, None

    def _wsman(self, envelope: bytes, user: str) -> tuple[HTTPStatus, bytes] | None:
        """Answer an envelope; None if the fault plan breaks the connection."""
        message_id = ""
        if identify.is_asked(envelope):
            return HTTPStatus.OK, identify.answer(self._site.service.windows_version)
        try:
            request = soap.parse(envelope)
            message_id = request.message_id
            self._shells.add(request.shell_id)
            self._site.requests.count(action=request.verb)
            rules = self._site.plan.take(request.verb)
            if self._suffer(rules):
                return None
            answer = self._site.service.handle(request, self._caller(user))
            self._site.requests.count(pipelines=int(request.verb == "Command"))
            return None if any(rule.effect == "drop-answer" for rule in rules) else (HTTPStatus.OK, answer)
        except Fault as fault:
            return HTTPStatus.INTERNAL_SERVER_ERROR, soap.fault(message_id, fault, self._site.machine)
        except Exception as failure:
            own = wsman_faults.defect(failure)
            return HTTPStatus.INTERNAL_SERVER_ERROR, soap.fault(message_id, own, self._site.machine)

    def _suffer(self, rules: tuple[Rule, ...]) -> bool:
        """Let the rules that come before the work have their effect; whether the connection breaks. Raises Fault."""
        for rule in rules:
            match rule.effect:
                case "delay":
                    self._site.stopping.wait(rule.value)
                case "stall":
                    self._stall(rule.value)
                    return True
                case "fault":
                    raise wsman_faults.of(int(rule.value))
                case "restart":
                    self._site.service.close_shells()
                    self.server.break_connections()
                    return True
                case "drop-request":
                    return True
        return False

    def _stall(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._is_gone() and not self._site.stopping.wait(_POLL):
            pass

    def _caller(self, user: str) -> Caller:
        return Caller(user, self.client_address[0], self._is_gone)

    def _is_gone(self) -> bool:
        """Whether the client closed: a client that waits for an answer sends nothing, so whatever comes is the end."""
        try:
            poll = select.poll()  # select() does not take descriptors above 1023
            poll.register(self.connection, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):  # broken off by another thread
            return True

    def _answer(
        self,
        status: HTTPStatus,
        body: bytes = b"",
        headers: list[tuple[str, str]] | None = None,
        *,
        close: bool = False,
    ) -> None:
        self.send_response(status, "" if status == HTTPStatus.UNAUTHORIZED else None)
        for name, value in headers or []:
            self.send_header(name, value)
        is_long = len(body) > _CHUNK
        self.send_header(*(("Transfer-Encoding", "chunked") if is_long else ("Content-Length", str(len(body)))))
        if close:
            self.send_header("Connection", "close")  # http.server closes after it
        self.end_headers()
        self.wfile.write(_in_chunks(body) if is_long else body)


def _in_chunks(body: bytes) -> bytes:
    pieces = (body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


fact(
    "HTTP",
    "a message that is not sealed over plain HTTP: an empty 500, closed",
    "cloudsoft/winrm4j#144, diyan/pywinrm#208",
)
fact("HTTP", "an envelope above MaxEnvelopeSizekb (500): 413", "ansible-collections/ansible.windows#391, #620")
fact(
    "HTTP",
    "a sealed message that does not belong to the log-on of its connection: 400, nothing is done",
    "jborean93/pypsrp#21, #53, #203; diyan/pywinrm#377",
)
fact(
    "HTTP",
    "a connection that is idle for 120 s is closed; over plain HTTP its shells are then disconnected",
    "jborean93/pypsrp#21, #53, #203",
)
fact("HTTP", "an invalid Content-Length: 400, closed", "HTTP.sys, on which WinRM runs, in PowerShell/PowerShell#11912")
fact("HTTP", "a request in chunks: 400, closed", "unknown for WinRM")
fact("HTTP", "a 401 has no reason phrase, and a header for each way to log on", "recorded; WinRMSharp")
fact("HTTP", "a long answer comes in chunks", "Devolutions/ironPosh; what is long (64 KiB), inferred")
