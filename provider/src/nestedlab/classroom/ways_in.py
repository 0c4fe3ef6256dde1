"""How to get into a lab from outside: what each forwarded port is good for, with the commands to type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nestedlab.topology.model import Forward, Host, Switch, Topology
from nestedlab.topology.words import at_port, forward_port, forward_text, service


@dataclass(frozen=True)
class Command:
    """A command that connects, and where it is typed."""

    where: str
    text: str


@dataclass(frozen=True)
class WayIn:
    """A port of the host that leads into the lab."""

    service: str
    """What probably answers; empty if the port tells nothing."""
    begins: str
    """Where to connect to, as host:port."""
    leads_to: str
    """Where it leads, as address:port."""
    switch: str
    """The switch behind which that is."""
    short: str
    """All of it in a line, for those who know the host."""
    commands: tuple[Command, ...] = ()
    url: str = ""
    """The address for a browser, if it is for one."""
    note: str = ""
    """What to know before."""


def ways_in(topology: Topology) -> tuple[WayIn, ...]:
    """All ways into a lab."""
    return tuple(
        _way(host, switch, forward)
        for host in topology.hosts
        for switch in host.switches
        for forward in switch.forwards
    )


def _way(host: Host, switch: Switch, forward: Forward) -> WayIn:
    name, port = forward.external_address or host.reached_at, forward.external_port
    kind = forward.internal_port if forward.protocol == "TCP" else 0
    schemes = {80: "http", 443: "https"}
    return WayIn(
        service=service(forward),
        begins=forward_port(host, forward),
        leads_to=forward.leads_to,
        switch=switch.name,
        short=forward_text(forward),
        commands=_COMMANDS[kind](name, port) if kind in _COMMANDS else (),
        url=f"{schemes[kind]}://{at_port(name, port)}/" if kind in schemes else "",
        note=_NOTES.get(kind, "").format(host=name),
    )


def _remote_desktop(host: str, port: int) -> tuple[Command, ...]:
    at = at_port(host, port)
    return Command("Windows", f"mstsc /v:{at}"), Command("Linux, macOS (FreeRDP)", f"xfreerdp /v:{at} /u:USER")


def _secure_shell(host: str, port: int) -> tuple[Command, ...]:
    return (Command("Windows, Linux, macOS", f"ssh -p {port} USER@{host}"),)


def _powershell(host: str, port: int) -> tuple[Command, ...]:
    return (Command("PowerShell", f"Enter-PSSession -ComputerName {host} -Port {port} -Credential USER"),)


def _powershell_https(host: str, port: int) -> tuple[Command, ...]:
    return (Command("PowerShell", f"Enter-PSSession -ComputerName {host} -Port {port} -UseSSL -Credential USER"),)


_COMMANDS: Mapping[int, Callable[[str, int], tuple[Command, ...]]] = {
    22: _secure_shell,
    3389: _remote_desktop,
    5985: _powershell,
    5986: _powershell_https,
}

# about_Remote_Troubleshooting: without Kerberos or HTTPS the other computer must be in TrustedHosts.
_NOTES: Mapping[int, str] = {
    5985: "Windows asks for {host} to be in TrustedHosts first (WSMan:\\localhost\\Client\\TrustedHosts).",
    5986: "The certificate of the machine must be for {host}, and trusted by your computer.",
}
