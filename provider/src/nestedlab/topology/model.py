"""A lab's topology: what is where and connected to what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Forward:
    """A port of the host that leads to a port behind the NAT."""

    protocol: str
    external_port: int
    internal_address: str
    internal_port: int
    external_address: str = ""
    """The one address of the host that has the port; empty if all have it."""

    @property
    def leads_to(self) -> str:
        """Where it leads, as address:port."""
        return f"{self.internal_address or '?'}:{self.internal_port}"


@dataclass(frozen=True)
class Nat:
    """The NAT through which a switch's machines reach the outside."""

    name: str
    prefix: str = ""
    """The whole network behind the NAT, which may be wider than the switch's own; empty if the state does not tell."""
    joined: bool = False
    """Whether the switch has joined a NAT of another switch, or of an administrator's."""


@dataclass(frozen=True)
class Switch:
    """A switch of a host. One that is not of the stack, but that its machines are on, is known by its name only."""

    name: str
    resource: str = ""
    """The logical name of its resource; empty if it is not of the stack."""
    prefix: str = ""
    gateway: str = ""
    nat: Nat | None = None
    forwards: tuple[Forward, ...] = ()

    @property
    def of_the_stack(self) -> bool:
        """Whether the stack has made it."""
        return bool(self.resource)


@dataclass(frozen=True)
class Adapter:
    """A network adapter of a machine."""

    switch: str
    """The name of its switch; empty if it is connected to none."""
    name: str = ""
    mac: str = ""
    mac_spoofing: bool = False
    vlan: int = 0
    trunk: str = ""
    native_vlan: int = 0


@dataclass(frozen=True)
class Machine:
    """A machine, as its host showed it last."""

    name: str
    resource: str
    """The logical name of its resource."""
    id: str
    power_state: str
    """As Hyper-V calls it: Running, Off, Saved or another."""
    processors: int = 0
    memory_mib: int = 0
    baseline: str = ""
    adapters: tuple[Adapter, ...] = ()
    inside: Host | None = None
    """What is known of the machine's own Hyper-V: the switches and machines inside."""

    @property
    def runs(self) -> bool:
        """Whether it was running."""
        return self.power_state == "Running"


@dataclass(frozen=True)
class Host:
    """A host with what the stack has on it. Its switches and machines are in the order of their names."""

    name: str
    """The name that it calls itself, or that the program calls it."""
    address: str = ""
    """The name or address by which others reach it; empty if the state does not tell."""
    switches: tuple[Switch, ...] = ()
    machines: tuple[Machine, ...] = ()

    @property
    def reached_at(self) -> str:
        """What to put in front of a forwarded port."""
        return self.address or self.name


@dataclass(frozen=True)
class Topology:
    """The topology of a stack."""

    project: str
    stack: str
    hosts: tuple[Host, ...] = ()

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machines on all hosts."""
        return tuple(machine for host in self.hosts for machine in host.machines)

    @property
    def switches(self) -> tuple[Switch, ...]:
        """The switches on all hosts."""
        return tuple(switch for host in self.hosts for switch in host.switches)
