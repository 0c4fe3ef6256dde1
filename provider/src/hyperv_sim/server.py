"""The simulated host's WinRM service on a socket, for tests in process and for `hyperv-sim serve`."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from hyperv_sim.records import Scalar, Value
from hyperv_sim.wire.authentication import Account
from hyperv_sim.wire.connection import Site
from hyperv_sim.wire.counts import RequestCounter
from hyperv_sim.wire.faults import FaultPlan, Rule
from hyperv_sim.wire.listener import Listener
from hyperv_sim.wire.wsman import Limits, Service, Shells


class SimulatedServer:
    """A WinRM listener before `shells`: `with SimulatedServer(host.shells) as server: connect to server.url`.

    `shells` gives a shell for the name of an endpoint (configuration), None if there is none; it may raise
    PermissionError. `listen` is host:port, loopback only (ValueError otherwise); port 0 takes a free one. Without a
    password one is made up. `latency_ms` passes before each HTTP answer. `idle_seconds` is how long a connection may
    wait for a request, or for the rest of one. `windows_build` shows in PSVersionTable.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of its own, and all but the first have a default
        self,
        shells: Shells,
        *,
        listen: str = "127.0.0.1:0",
        tls: bool = False,
        username: str = "Administrator",
        password: str | None = None,
        latency_ms: float = 0,
        max_shells_per_user: int = 30,
        max_commands_per_shell: int = 1000,
        max_envelope_kb: int = 500,
        max_connections: int = 300,
        idle_seconds: float = 120,
        machine: str = "HYPERV-SIM",
        windows_build: str = "10.0.20348.1",
    ) -> None:
        account = Account(username) if password is None else Account(username, password)
        limits = Limits(max_shells_per_user, max_commands_per_shell, max_envelope_kb)
        service = Service(shells, limits, _version_table(windows_build), machine)
        self._site = Site(service, account, machine, max_envelope_kb, latency_ms / 1000, idle_seconds, max_connections)
        self._listen = loopback(listen)
        self._is_tls = tls
        self._listener: Listener | None = None
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> SimulatedServer:
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, and serve in threads. Raises OSError if the address is taken."""
        if self._listener is not None:
            return
        if self._is_tls:
            self._folder = TemporaryDirectory(prefix="hyperv-sim-")
            self._site.tls, self._site.certificate = _tls(self.ca_bundle)
        self._site.stopping.clear()
        self._listener = Listener(self._site, self._listen)
        self._listener.start()

    def stop(self) -> None:
        """Break all connections, end all threads and give the port back; twice does no harm."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._site.service.close_shells()
            listener.stop()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def url(self) -> str:
        """Where the server listens, as scheme, host and port; WSMan is at /wsman below, as on Windows."""
        host, port = self.address
        return f"{'https' if self._is_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the server listens on."""
        if self._listener is None:
            raise RuntimeError("the server is not started")
        host, port, *_ = self._listener.server_address
        return str(host), int(port)

    @property
    def username(self) -> str:
        """The one user that may log on."""
        return self._site.account.username

    @property
    def password(self) -> str:
        """The user's password."""
        return self._site.account.password

    @property
    def ca_bundle(self) -> str:
        """The PEM file of the authority behind the certificate; it is there as long as the server runs."""
        if self._folder is None:
            raise RuntimeError("there is a CA bundle only while a server with tls=True runs")
        return str(Path(self._folder.name) / "ca.pem")

    @property
    def requests(self) -> RequestCounter:
        """The requests so far: `requests.snapshot()`, `requests.reset()`."""
        return self._site.requests

    @property
    def open_shells(self) -> int:
        """How many shells are open."""
        return self._site.service.open_shells

    @property
    def open_connections(self) -> int:
        """How many connections are open."""
        return self._listener.open_connections if self._listener else 0

    def arm(self, *rules: Rule | str) -> FaultPlan:
        """Misbehave by these rules from the next request on, in place of what was armed before; none disarms."""
        self._site.plan = FaultPlan(rules)
        return self._site.plan

    def restart(self) -> None:
        """Do what a restart of the WinRM service does: all shells and connections are gone, the host's state stays."""
        self._site.service.close_shells()
        self.close_connections()

    def close_connections(self) -> None:
        """Break all connections, whatever they are doing."""
        if self._listener:
            self._listener.break_connections()

    def close_idle_connections(self) -> None:
        """Close the connections that wait for a request, as after `idle_seconds`."""
        if self._listener:
            self._listener.close_idle_connections()


def loopback(listen: str) -> tuple[str, int]:
    """Read host:port. Raises ValueError for what is not an address of this machine's loopback."""
    host, _, port = listen.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{listen!r} is not HOST:PORT, as in 127.0.0.1:5985")
    if not is_loopback:
        raise ValueError(
            f"{host!r} is not a loopback address: the simulated host has one made-up user and no business on a network"
        )
    return host, int(port)


def _tls(ca_bundle: str) -> tuple[ssl.SSLContext, bytes]:
    """Make an authority and a certificate; give the context that shows it, and the certificate in DER."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_bundle)
    certificate = authority.issue_cert("localhost", "127.0.0.1", "::1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context, ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())


def _version_table(build: str) -> dict[str, Value]:
    """Give the PSVersionTable of a Windows with PowerShell 5.1, as recorded; the build is the host's."""
    powershell = "5.1." + build.removeprefix("10.0.")
    return {
        "PSVersion": Scalar("Version", powershell),
        "PSEdition": Scalar("String", "Desktop"),
        "PSCompatibleVersions": tuple(
            Scalar("Version", version) for version in ("1.0", "2.0", "3.0", "4.0", "5.0", powershell)
        ),
        "CLRVersion": Scalar("Version", "4.0.30319.42000"),
        "BuildVersion": Scalar("Version", build),
        "WSManStackVersion": Scalar("Version", "3.0"),
        "PSRemotingProtocolVersion": Scalar("Version", "2.3"),
        "SerializationVersion": Scalar("Version", "1.1.0.1"),
    }
