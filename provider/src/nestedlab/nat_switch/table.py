"""NatSwitch: an internal switch with a gateway of the host's and a NAT, as a table."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from nestedlab.declare import Change, Outputs, Resource, Row
from nestedlab.lifecycle import Observed
from nestedlab.limits import A_HOST, Source, ours, sourced
from nestedlab.names import Name, Owner, same_name, same_text
from nestedlab.nat_switch.forwards import PortForward
from nestedlab.nouns import CREATION, IDENTITY, NOTES, OWNER, STACK_ID, TEXT, VMSwitch, VMSwitchName
from nestedlab.parts import same_parts, unique

_NO_HOSTS = [
    IPv4Network(special) for special in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")
]


def network(prefix: str) -> IPv4Network:
    """The network that a prefix names, whatever host bits it is spelled with. Raises ValueError."""
    return IPv4Network(prefix, strict=False)


def usable_prefix(text: str) -> str:
    """The prefix, if a network behind a NAT can have it. Raises ValueError."""
    try:
        named = network(text)
    except ValueError:
        raise ValueError("must be an IPv4 prefix such as 192.168.50.0/24") from None
    if not text.partition("/")[2].isdigit() or named.prefixlen > 30:
        raise ValueError("must have a length of at most /30, such as 192.168.50.0/24")
    if any(named.overlaps(special) for special in _NO_HOSTS):
        raise ValueError("must be a prefix that hosts can have: not loopback, link-local, multicast or reserved")
    return text


_Prefix = Annotated[
    str,
    AfterValidator(usable_prefix),
    Source(
        "RFC 1112, 1122 and 3927 for networks without hosts; our choice: room for a gateway and a machine",
        "an IPv4 prefix of at most /30; not loopback, link-local, multicast or reserved",
    ),
]


def _is_host(address: IPv4Address, hosts: IPv4Network) -> bool:
    return address in hosts and address not in (hosts.network_address, hosts.broadcast_address)


def same_prefix(wanted: str, there: str) -> bool:
    """Whether two prefixes name the same network; "" stands for none."""
    return wanted == there or (bool(wanted and there) and network(wanted) == network(there))


class NatSwitchOutputs(Outputs):
    """What a host shows of a NAT switch and no program sets."""

    switch_id: Annotated[str, Row(VMSwitch.shows("Id", form=IDENTITY))] = ""
    """The switch's GUID."""
    creation: Annotated[int | None, Row(VMSwitch.shows("Notes", form=CREATION))] = None
    """Counts the creates that have made the switch or taken it over."""
    host: Annotated[str, Row(VMSwitch.shows("ComputerName", form=TEXT))] = ""
    """Name of the parent host, as it calls itself."""
    nat_name: Annotated[str, Row(by="New-NetNat -Name, Get-NetNat.Name")] = ""
    """Name of the NAT network, for Get-NetNat and Add-NetNatStaticMapping. It carries the switch's GUID, because a NAT
    has no notes to say whose it is."""


class NatSwitch(Resource):
    """An internal switch whose machines reach the outside through a NAT of the host.

    Windows does not remove a switch that running machines use. Running machines of the same stack are
    disconnected from it first; with any other running machine on it, it stays, and an error names the machine.
    """

    title: ClassVar[str] = "NAT switch"
    outputs: ClassVar[type[Outputs]] = NatSwitchOutputs

    name: Annotated[Name, Row(VMSwitchName("NewName", reads="Name"), same=same_name)]
    """Name of the switch on the host. By default the resource's logical name, or what `pulumi:autonaming` makes of
    it."""
    prefix: Annotated[
        _Prefix,
        Row(by="New-NetIPAddress -PrefixLength, Get-NetIPAddress.PrefixLength", same=same_prefix),
    ]
    """IPv4 prefix of the network behind the NAT, such as 192.168.50.0/24. It must not overlap another NAT of the host
    or a network that the host has a route to. When it changes, the switch and what is connected to it stay."""
    gateway: Annotated[
        str | None, Field(validate_default=True), Row(by="New-NetIPAddress -IPAddress, Get-NetIPAddress.IPAddress")
    ] = None
    """The host's address on the switch, the gateway of its machines. By default the first address of the prefix."""
    nat_prefix: Annotated[
        _Prefix | None,
        Row(
            by="New-NetNat -InternalIPInterfaceAddressPrefix, Get-NetNat.InternalIPInterfaceAddressPrefix",
            same=same_prefix,
        ),
    ] = None
    """IPv4 prefix of the NAT network, where it is to be wider than the switch's own, so that others can join it. By
    default `prefix`."""
    nat: Annotated[
        str | None,
        Field(min_length=1),
        ours("no name is empty"),
        Row(by="Get-NetNat.Name", same=same_name, absent=True),
    ] = None
    """Name of a NAT network of the host to join instead of making one: the `nat_name` of another NatSwitch, or one of
    an administrator's. `prefix` must lie inside it. It stays when the switch is deleted, unless it was made for a
    NatSwitch that is gone and this was the last one behind it."""
    forwards: Annotated[list[PortForward], Row(same=same_parts)] = []
    """Ports of the host that lead to machines behind the NAT."""
    on: Annotated[str | None, Field(min_length=1), A_HOST, Row(change=Change.REPLACE, absent=True)] = None
    """Name of the parent host, one of those in the setting `nestedlab:hosts`; by default the one at
    `nestedlab:address`. Changing it replaces the switch."""
    notes: Annotated[str, Row(VMSwitch("Notes", form=NOTES), same=same_text)] = ""
    """Free text kept with the switch."""

    switch_type: Annotated[Literal["Internal"], Row(VMSwitch("SwitchType"))] = "Internal"
    """Type of the switch. Always Internal."""
    owner: Annotated[Owner, Row(VMSwitch("Notes", form=OWNER))]
    """Who the switch belongs to, as project/stack/logical name; kept in its notes."""
    stack_id: Annotated[str | None, Row(VMSwitch("Notes", form=STACK_ID))] = None
    """Identity of the stack that the switch belongs to; kept in its notes."""

    @field_validator("gateway")
    @classmethod
    @sourced(Source("RFC 1122: a host has neither the first nor the last address", "an address of a host in `prefix`"))
    def _inside(cls, gateway: str | None, info: ValidationInfo) -> str | None:
        prefix = info.data.get("prefix")
        if prefix is None:
            return gateway
        hosts = network(prefix)
        if gateway is None:
            return str(hosts.network_address + 1)
        try:
            address = IPv4Address(gateway)
        except AddressValueError:
            raise ValueError("must be an IPv4 address") from None
        if not _is_host(address, hosts):
            raise ValueError(f"must be an address of a host in {hosts}")
        return gateway

    @field_validator("nat_prefix")
    @classmethod
    @sourced(ours("the switch's network lies behind the NAT", "a prefix that contains `prefix`"))
    def _around(cls, wider: str | None, info: ValidationInfo) -> str | None:
        if wider is None:
            return None
        prefix = info.data.get("prefix")
        if prefix is not None and not network(prefix).subnet_of(network(wider)):
            raise ValueError(f"must contain prefix, {prefix}")
        return wider

    @field_validator("nat")
    @classmethod
    @sourced(ours("a switch is behind one NAT network", "not together with `nat_prefix`"))
    def _instead(cls, nat: str | None, info: ValidationInfo) -> str | None:
        if nat is not None and info.data.get("nat_prefix") is not None:
            raise ValueError(
                "a switch either joins a NAT (nat) or has one of its own (nat_prefix): leave one of the two out"
            )
        return nat

    @field_validator("forwards")
    @classmethod
    @sourced(ours("the forwards of a switch lead to its machines", "into `prefix`, to an address of a host"))
    def _into_the_network(cls, forwards: list[PortForward], info: ValidationInfo) -> list[PortForward]:
        prefix = info.data.get("prefix")
        unique(forwards)
        if prefix is None:
            return forwards
        for forward in forwards:
            address = forward.internal_address
            if IPv4Address(address) not in network(prefix):
                raise ValueError(f"must lead into {prefix}, not to {address}")
            if not _is_host(IPv4Address(address), network(prefix)):
                raise ValueError(f"must lead to an address of a host in {prefix}, not to {address}")
        return forwards


ObservedNatSwitch: TypeAlias = Observed[NatSwitch, NatSwitchOutputs]
"""A NAT switch as a host has it, or as a state recorded it."""


def nat_network(inputs: NatSwitch) -> IPv4Network:
    """The network behind the NAT that the switch asks for: wider than its own if other switches are to join."""
    return network(inputs.nat_prefix or inputs.prefix)


def shares(known: NatSwitch) -> bool:
    """Whether the NAT network of a switch is, or may be, of several switches: it joins one, or has a wider one."""
    wider = known.nat_prefix or ""
    return bool(known.nat) or (bool(wider) and not same_prefix(wider, known.prefix or ""))
