"""The host's address on an internal switch, which is the gateway of the switch's machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from uuid import UUID

from nestedlab.errors import ConflictError, RefusedError
from nestedlab.names import same_mac
from nestedlab.nat_switch.table import NatSwitch, network
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, statement

READS: tuple[Pipeline, ...] = (
    statement("Get-VMNetworkAdapter", ManagementOS=True),
    statement("Get-NetAdapter"),
    statement("Get-NetIPAddress", AddressFamily="IPv4"),
)
"""What shows the host's adapters and their addresses."""


@dataclass(frozen=True)
class Address:
    """An IPv4 address of the host. `state` is Windows' word for whether it can be used: Preferred, Tentative, ..."""

    text: str
    length: int
    state: str

    @property
    def network(self) -> IPv4Network:
        """The network that the address's length makes."""
        return network(f"{self.text}/{self.length}")


@dataclass(frozen=True)
class HostAdapter:
    """The host's adapter to an internal switch, with the addresses that were set on it by hand."""

    index: int
    alias: str
    addresses: tuple[Address, ...] = ()

    @property
    def networks(self) -> tuple[IPv4Network, ...]:
        """The networks that the host has been given an address in on the switch."""
        return tuple(address.network for address in self.addresses)

    def address(self, text: str) -> Address | None:
        """One of its addresses."""
        return next((address for address in self.addresses if address.text == text), None)

    def gateway(self, known: str = "") -> Address | None:
        """The switch's gateway: of several addresses the known one counts, else the first."""
        return self.address(known) or next(iter(self.addresses), None)


@dataclass(frozen=True)
class OtherNetwork:
    """A network that the host has been given an address in on another internal switch, and that switch's name."""

    switch: str
    network: IPv4Network


def host_adapter(switch: UUID, facts: Facts) -> HostAdapter | None:
    """The host's adapter to the switch, by the switch's GUID and then by MAC address: its alias may be anything."""
    port = next((port for port in facts.all("VMInternalNetworkAdapter") if port.text("SwitchId") == str(switch)), None)
    if port is None:
        return None
    mac = port.text("MacAddress")
    shown = next((shown for shown in facts.all("MSFT_NetAdapter") if same_mac(shown.text("MacAddress"), mac)), None)
    if shown is None:
        return None
    index = shown.number("InterfaceIndex")
    return HostAdapter(index, shown.text("Name"), _set_by_hand(index, facts))


def _set_by_hand(index: int, facts: Facts) -> tuple[Address, ...]:
    """The addresses of an adapter that were set by hand; an unused adapter gives itself a 169.254 one."""
    shown = [_address(shown) for shown in _addresses_of(index, facts) if shown["PrefixOrigin"] == "Manual"]
    # New-NetIPAddress answers with the address as well: what was listed last counts.
    return tuple({address.text: address for address in shown}.values())


def _addresses_of(index: int, facts: Facts) -> Iterator[PSObject]:
    return (shown for shown in facts.all("MSFT_NetIPAddress") if shown.number("InterfaceIndex") == index)


def _address(shown: PSObject) -> Address:
    return Address(shown.text("IPAddress"), shown.number("PrefixLength"), shown.text("AddressState"))


def networks_elsewhere(adapter: HostAdapter | None, facts: Facts) -> tuple[IPv4Network, ...]:
    """The networks that the host's other adapters are in."""
    return tuple(
        _address(shown).network
        for shown in facts.all("MSFT_NetIPAddress")
        if adapter is None or shown.number("InterfaceIndex") != adapter.index
    )


def networks_of_other_switches(switch: UUID | None, facts: Facts) -> Iterator[OtherNetwork]:
    """The networks of the other internal switches.

    A switch of another type leads elsewhere: if the host has an address on it, that is in no lab's network.
    """
    for other in facts.all("VMSwitch"):
        if other["SwitchType"] == "Internal" and other.text("Id") != str(switch):
            adapter = host_adapter(UUID(other.text("Id")), facts)
            for behind in adapter.networks if adapter else ():
                yield OtherNetwork(other.text("Name"), behind)


def bare(known: NatSwitch) -> str:
    """A switch's gateway without the length that is shown with it if that is wrong."""
    return (known.gateway or "").partition("/")[0]


def changes(adapter: HostAdapter | None, inputs: NatSwitch, state: NatSwitch) -> Iterator[Pipeline]:
    """What removes the old gateway, which the state names, and sets the right one; other addresses stay."""
    if adapter is None:
        return
    gateway, length = bare(inputs), network(inputs.prefix).prefixlen
    there = adapter.address(gateway)
    is_right = there is not None and there.length == length
    for text in dict.fromkeys((bare(state), gateway)):
        old = adapter.address(text)
        if old is not None and not (is_right and text == gateway):
            yield _removal(adapter, old)
    if not is_right:
        # No -DefaultGateway: the host is the gateway here and has its own elsewhere (New-NetIPAddress).
        adding = statement("New-NetIPAddress", InterfaceIndex=adapter.index, IPAddress=gateway, PrefixLength=length)
        yield adding.setting("gateway")


def removals(adapter: HostAdapter | None) -> Iterator[Pipeline]:
    """What removes every address of the adapter, which goes with its switch."""
    return (_removal(adapter, address) for address in adapter.addresses) if adapter else iter(())


def _removal(adapter: HostAdapter, address: Address) -> Pipeline:
    # Always by key: without one, the cmdlet removes every address of the host.
    removing = statement("Remove-NetIPAddress", InterfaceIndex=adapter.index, IPAddress=address.text, Confirm=False)
    return removing.tolerating(ErrorKind.ABSENT)


def is_settled(adapter: HostAdapter | None, gateway: str) -> bool:
    """Whether Windows has found out if the address can be used: it looks some seconds for another machine with it."""
    return _state(adapter, gateway) not in ("Tentative", "Invalid")


def refuse_unusable(adapter: HostAdapter | None, gateway: str) -> None:
    """Raise ConflictError or RefusedError if the address is set and cannot be used."""
    state = _state(adapter, gateway)
    if state == "Duplicate":
        raise ConflictError(
            f"gateway: another machine on the switch has the address {gateway} already (Get-NetIPAddress shows it as "
            "Duplicate). Choose another gateway, or give that machine another address."
        )
    if state == "Invalid":
        alias = adapter.alias if adapter else ""
        raise RefusedError(
            f"gateway: {gateway} cannot be used, because the host's adapter {alias!r} is down (Get-NetIPAddress shows "
            "the address as Invalid). Look at Get-NetAdapter there: the adapter may be disabled."
        )
    if state == "Tentative":
        raise RefusedError(
            f"gateway: Windows has not found out in time whether another machine has {gateway} (Get-NetIPAddress shows "
            "it as Tentative). Run `pulumi up` again."
        )


def _state(adapter: HostAdapter | None, gateway: str) -> str:
    address = adapter.address(gateway) if adapter else None
    return address.state if address else ""
