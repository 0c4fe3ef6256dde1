"""The listening socket and its connections: HTTP/1.1, TLS, authentication, message encryption, the fault plan."""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread, current_thread
from typing import Any

from spnego import ContextProxy

from hyperv_sim.fidelity import fact
from hyperv_sim.wire import identify, message_encryption, soap, wsman_faults
from hyperv_sim.wire.authentication import Account, Authenticator
from hyperv_sim.wire.counts import RequestCounter
from hyperv_sim.wire.faults import FaultPlan, Rule
from hyperv_sim.wire.message_encryption import NotSealedError
from hyperv_sim.wire.wsman import Caller, Service
from hyperv_sim.wire.wsman_faults import Fault

_PATH = "/wsman"
_SOAP = "application/soap+xml;charset=UTF-8"
_POLL = 0.05  # seconds between looks at whether the listener should stop
_STOP = 5.0  # seconds that a connection's thread may take to end
_HANDSHAKE = 5.0  # seconds that a client may take for TLS
_SEALING = 1024  # bytes that sealing adds to an envelope, at most


@dataclass(slots=True)
class Site:
    """What all connections share."""

    service: Service
    account: Account
    machine: str
    envelope_kb: int
    latency: float  # seconds
    tls: ssl.SSLContext | None = None
    certificate: bytes | None = None  # DER
    requests: RequestCounter = field(default_factory=RequestCounter)
    plan: FaultPlan = field(default_factory=FaultPlan)
    stopping: Event = field(default_factory=Event)


class Listener(ThreadingHTTPServer):
    """The listening socket, its thread, and a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, site: Site, address: tuple[str, int]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.site = site
        self._connections: dict[Connection, Thread] = {}
        self._lock = Lock()
        super().__init__(address, Connection)
        self._thread = Thread(target=self.serve_forever, args=(_POLL,), name="hyperv-sim listener", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Break all connections and end all threads."""
        self.site.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join()
        with self._lock:
            threads = list(self._connections.values())
        self.break_connections()
        for thread in threads:
            if thread is not current_thread():
                thread.join(_STOP)

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's name that HTTPServer does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that break: clients go away as they please."""

    @property
    def open_connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def add(self, connection: Connection) -> None:
        """Know of a connection; the caller is its thread."""
        with self._lock:
            self._connections[connection] = current_thread()

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""
        with self._lock:
            self._connections.pop(connection, None)

    def break_connections(self, *, only_idle: bool = False) -> None:
        """Break connections, all or those that wait for a request."""
        with self._lock:
            chosen = [connection for connection in self._connections if not (only_idle and connection.is_busy)]
        for connection in chosen:
            connection.break_off()


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
            self.request.settimeout(None)
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
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        if len(body) > self._site.envelope_kb * 1024 + _SEALING:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)  # seen: ansible.windows#391, #620
            return
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

    def _envelope(self, body: bytes, user: str, headers: list[tuple[str, str]]) -> None:
        try:
            envelope, sealed_by = self._opened(body)
        except NotSealedError:
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
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if close:
            self.send_header("Connection", "close")  # http.server closes after it
        self.end_headers()
        self.wfile.write(body)


fact(
    "HTTP",
    "a message that is not sealed over plain HTTP: an empty 500, closed",
    "cloudsoft/winrm4j#144, diyan/pywinrm#208",
)
fact("HTTP", "an envelope above MaxEnvelopeSizekb (500): 413", "ansible-collections/ansible.windows#391, #620")
