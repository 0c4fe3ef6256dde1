"""A simulated host's second, small port: what tests do to it in process, for another process to do by command.

POST / with `Authorization: Bearer TOKEN` and the JSON {"command": NAME, "arguments": [TEXT, ...]} answers the JSON
{"result": ...} or, with status 400, {"error": TEXT}. It listens on loopback only.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, cast, get_args

from psrpcore.types import ErrorCategory

from hyperv_sim.powershell.registry import simulated
from hyperv_sim.state.machines import Manner
from hyperv_sim.wire.faults import FaultPlan

if TYPE_CHECKING:
    from hyperv_sim.host import SimulatedHost
    from hyperv_sim.server import SimulatedServer

LARGEST = 64 * 1024
"""Bytes of a request; more is refused."""
_POLL = 0.05  # seconds between looks at whether the port should close


class Control:
    """The commands, each a method that takes texts and gives JSON's values. They raise ValueError."""

    def __init__(self, server: SimulatedServer, host: SimulatedHost) -> None:
        self._server = server
        self._host = host
        self._plan = FaultPlan()
        self.commands: Mapping[str, Callable[..., object]] = {
            method.__name__: method
            for method in (
                *(self.arm, self.fired, self.refuse, self.allow, self.revert, self.keep),
                *(self.guest, self.place, self.restart, self.counts, self.snapshot),
            )
        }

    def __call__(self, command: str, arguments: Sequence[str]) -> object:
        """Do one command."""
        if command not in self.commands:
            raise ValueError(f"there is no command {command!r}, only {', '.join(self.commands)}")
        try:
            return self.commands[command](*arguments)
        except TypeError:
            raise ValueError(f"{command} does not take {len(arguments)} arguments") from None

    def arm(self, *rules: str) -> list[str]:
        """Misbehave by these rules; see faults."""
        self._plan = self._server.arm(*rules)
        return [str(rule) for rule in self._plan.rules]

    def fired(self) -> list[str]:
        """The rules that took effect since they were armed, in order."""
        return [str(rule) for rule in self._plan.fired]

    def refuse(self, cmdlet: str, error_id: str, category: str) -> None:
        """Let a cmdlet fail."""
        if category not in ErrorCategory.__members__:
            raise ValueError(f"{category!r} is no category of PowerShell's errors")
        self._host.refuse(_cmdlet(cmdlet), error_id, category)

    def allow(self, cmdlet: str) -> None:
        """End what refuse began."""
        self._host.allow(_cmdlet(cmdlet))

    def revert(self, noun: str, parameter: str) -> None:
        """Let cmdlets of a noun take a setting and forget it."""
        if not any(name.split("-", 1)[1] == noun for name in simulated()):
            raise ValueError(f"there are no cmdlets of {noun!r}")
        self._host.revert_silently(noun, parameter)

    def keep(self, noun: str, parameter: str) -> None:
        """End what revert began."""
        self._host.keep(noun, parameter)

    def guest(self, machine: str, manner: str) -> None:
        """Say how a machine's guest takes a request to shut down."""
        if manner not in get_args(Manner):
            raise ValueError(f"{manner!r} is not one of {', '.join(get_args(Manner))}")
        self._host.guest(machine, cast("Manner", manner))

    def place(self, path: str) -> None:
        """Put a file on the host."""
        self._host.place(path)

    def restart(self) -> None:
        """Restart the WinRM service."""
        self._server.restart()

    def counts(self) -> dict[str, object]:
        """How many requests were answered since the start."""
        counts = self._server.requests.snapshot()
        return {"http": counts.http, "actions": dict(counts.actions), "pipelines": counts.pipelines}

    def snapshot(self) -> object:
        """The host's state as plain data."""
        return self._host.snapshot()


def _cmdlet(name: str) -> str:
    found = next((spelling for spelling in simulated() if spelling.lower() == name.lower()), None)
    if found is None:
        raise ValueError(f"there is no simulated cmdlet {name!r}")
    return found


class ControlPort:
    """The listening port: `with ControlPort(control) as port: give users port.url and port.token`."""

    def __init__(self, control: Control, token: str | None = None) -> None:
        self.token = token or secrets.token_urlsafe(24)
        self._listener = _Listener(control, self.token)
        self._thread = Thread(target=self._listener.serve_forever, args=(_POLL,), name="hyperv-sim control")

    def __enter__(self) -> ControlPort:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port, *_ = self._listener.server_address
        return f"http://{host!s}:{port}"


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, control: Control, token: str) -> None:
        self.control = control
        self.token = token
        super().__init__(("127.0.0.1", 0), _Request)


class _Request(BaseHTTPRequestHandler):
    server: _Listener
    timeout = 10

    def do_POST(self) -> None:
        """Do a command, for one who knows the token."""
        given = self.headers.get("Authorization", "").encode(errors="replace")
        if not compare_digest(given, f"Bearer {self.server.token}".encode()):
            self._answer(HTTPStatus.UNAUTHORIZED, {"error": "the token is not the one of this host"})
            return
        try:
            command, arguments = _read(self.rfile.read(self._length()))
            self._answer(HTTPStatus.OK, {"result": self.server.control(command, arguments)})
        except ValueError as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _length(self) -> int:
        text = self.headers.get("Content-Length", "")
        length = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST)) else None
        if length is None or length > LARGEST:
            raise ValueError(f"a request has a length, of at most {LARGEST} bytes")
        return length

    def _answer(self, status: HTTPStatus, content: Mapping[str, object]) -> None:
        body = json.dumps(content, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the process's output is the ready line."""


def _read(body: bytes) -> tuple[str, list[str]]:
    try:
        content = json.loads(body)  # its errors are ValueErrors, but for one
    except RecursionError:
        raise ValueError("a request is not nested as deeply as this one") from None
    if isinstance(content, dict) and isinstance(content.get("command"), str):
        arguments = content.get("arguments", [])
        if isinstance(arguments, list) and all(isinstance(argument, str) for argument in arguments):
            return content["command"], arguments
    raise ValueError('a request reads like {"command": "arm", "arguments": ["drop-answer Command#2"]}')
