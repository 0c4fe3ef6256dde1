"""The words in which a topology's parts are shown, in pictures and on pages alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nestedlab.names import same_name
from nestedlab.topology.model import Adapter, Forward, Host, Machine, Switch, Topology

_SERVICES: Mapping[tuple[str, int], str] = {
    ("TCP", 22): "SSH",
    ("TCP", 53): "DNS",
    ("UDP", 53): "DNS",
    ("TCP", 80): "HTTP",
    ("TCP", 443): "HTTPS",
    ("TCP", 445): "SMB",
    ("TCP", 1433): "SQL Server",
    ("TCP", 3389): "RDP",
    ("UDP", 3389): "RDP",
    ("TCP", 5985): "PowerShell",
    ("TCP", 5986): "PowerShell",
}
"""What commonly listens on a port (IANA's registry of ports)."""


def service(forward: Forward) -> str:
    """What a forward probably leads to, by its port; empty if that tells nothing."""
    return _SERVICES.get((forward.protocol, forward.internal_port), "")


def forward_port(host: Host, forward: Forward) -> str:
    """Where a forward begins: host:port, with its protocol if that is not TCP."""
    begins = at_port(forward.external_address or host.reached_at, forward.external_port)
    return begins if forward.protocol == "TCP" else f"{begins} {forward.protocol}"


def at_port(host: str, port: int) -> str:
    """A host and a port, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def forward_text(forward: Forward) -> str:
    """A forward in one line: the port, where it leads, what is probably there."""
    port = f"{forward.external_address}:{forward.external_port}"
    protocol = "" if forward.protocol == "TCP" else f" {forward.protocol}"
    return f"{port}{protocol} → {forward.leads_to} {service(forward)}".rstrip()


def host_title(host: Host) -> tuple[str, str]:
    """A host's name, and its address if that is another."""
    differs = bool(host.address) and not same_name(host.address.partition(".")[0], host.name)
    return (host.name, host.address) if differs else (host.address or host.name, "")


def switch_kind(switch: Switch) -> str:
    """What kind of switch it is, as far as the stack knows."""
    return "NAT switch" if switch.nat is not None else "switch"


def switch_facts(switch: Switch) -> Iterator[str]:
    """What there is to know of a switch."""
    if not switch.of_the_stack:
        yield "not of this stack"
    if switch.prefix:
        yield f"{switch.prefix}, gateway {switch.gateway}" if switch.gateway else switch.prefix
    if switch.nat is not None:
        wider = f" for {switch.nat.prefix}" if switch.nat.prefix not in ("", switch.prefix) else ""
        yield f"joins NAT {switch.nat.name}" if switch.nat.joined else f"NAT {switch.nat.name}{wider}"


def machine_facts(machine: Machine) -> Iterator[str]:
    """What there is to know of a machine, besides its power state."""
    if size := machine_size(machine):
        yield size
    if machine.baseline:
        yield f"baseline {machine.baseline}"


def machine_size(machine: Machine) -> str:
    """A machine's processors and memory."""
    processors = "1 processor" if machine.processors == 1 else f"{machine.processors} processors"
    return ", ".join([processors] * bool(machine.processors) + [gib(machine.memory_mib)] * bool(machine.memory_mib))


def gib(mib: float) -> str:
    """An amount of memory, in GiB."""
    return f"{mib / 1024:.1f}".removesuffix(".0") + " GiB"


def adapter_facts(adapter: Adapter) -> Iterator[str]:
    """What is particular about an adapter."""
    if adapter.vlan:
        yield f"VLAN {adapter.vlan}"
    if adapter.trunk:
        native = f", native {adapter.native_vlan}" if adapter.native_vlan else ""
        yield f"VLANs {adapter.trunk}{native}"
    if adapter.mac_spoofing:
        yield "MAC spoofing"


def adapter_text(adapter: Adapter) -> str:
    """An adapter in one line: its name if it has one, its switch, and what is particular."""
    where = f"on {adapter.switch}" if adapter.switch else "not connected"
    return ", ".join([f"{adapter.name} {where}".strip(), *adapter_facts(adapter)])


def described(topology: Topology) -> str:
    """The topology in sentences, for those who do not see the picture."""
    return " ".join(sentence for host in topology.hosts for sentence in _sentences(host)) or "Nothing yet."


def _sentences(host: Host) -> Iterator[str]:
    yield f"Host {host.reached_at}."
    for switch in host.switches:
        yield f"{_capital(switch_kind(switch))} {', '.join([switch.name, *switch_facts(switch)])}."
        for forward in switch.forwards:
            yield f"{forward_port(host, forward)} leads to {forward.leads_to}."
    for machine in host.machines:
        adapters = "; ".join(map(adapter_text, machine.adapters))
        facts = ", ".join([machine.name, machine.power_state, *machine_facts(machine)])
        yield f"Machine {facts}. Adapters: {adapters}."
        if machine.inside is not None:
            yield f"Inside {machine.name}:"
            yield from _sentences(machine.inside)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
