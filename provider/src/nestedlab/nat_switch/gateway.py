"""The host's address on an internal switch, which is the gateway of the switch's machines."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from uuid import UUID

from nestedlab.declare import Properties
from nestedlab.errors import ConflictError, RefusedError
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, statement
from nestedlab.names import same_mac
from nestedlab.nat_switch.table import network

READS: tuple[Pipeline, ...] = (
    statement("Get-VMNetworkAdapter", ManagementOS=True),
    statement("Get-NetAdapter"),
    statement("Get-NetIPAddress", AddressFamily="IPv4"),
)
"""What shows the host's adapters and their addresses."""


def host_adapter(switch: UUID, facts: Facts) -> PSObject | None:
    """The host's adapter to the switch, by the switch's GUID and then by MAC address: its alias may be anything."""
    port = next((one for one in facts.all("VMNetworkAdapter") if one.text("SwitchId") == str(switch)), None)
    if port is None:
        return None
    mac = port.text("MacAddress")
    return next((one for one in facts.all("MSFT_NetAdapter") if same_mac(one.text("MacAddress"), mac)), None)


def addresses(switch: UUID, facts: Facts) -> dict[str, PSObject]:
    """The addresses that were set by hand on the host's adapter; an unused adapter gives itself a 169.254 one."""
    adapter = host_adapter(switch, facts)
    if adapter is None:
        return {}
    index = adapter.number("InterfaceIndex")
    # New-NetIPAddress answers with the address as well: what was listed last counts.
    return {
        one.text("IPAddress"): one
        for one in facts.all("MSFT_NetIPAddress")
        if one.number("InterfaceIndex") == index and one["PrefixOrigin"] == "Manual"
    }


def own_networks(switch: UUID, facts: Facts) -> list[IPv4Network]:
    """The networks that the host has been given an address in on the switch."""
    return [_network(one) for one in addresses(switch, facts).values()]


def networks_of_others(switch: UUID, facts: Facts) -> list[IPv4Network]:
    """The networks that the host's other adapters are in."""
    adapter = host_adapter(switch, facts)
    index = adapter.number("InterfaceIndex") if adapter else None
    return [_network(one) for one in facts.all("MSFT_NetIPAddress") if one.number("InterfaceIndex") != index]


def networks_of_other_switches(switch: UUID, facts: Facts) -> Iterator[tuple[str, IPv4Network]]:
    """The other internal switches by name, and the networks that the host has been given an address in on each.

    A switch of another type leads elsewhere: where the host has an address on it, that is in no lab's network.
    """
    for other in facts.all("VMSwitch"):
        if other["SwitchType"] == "Internal" and other.text("Id") != str(switch):
            for behind in own_networks(UUID(other.text("Id")), facts):
                yield other.text("Name"), behind


def shown(switch: UUID, facts: Facts, known: Properties) -> tuple[str, IPv4Network | None]:
    """The gateway as a program would ask for it, and the network that its length makes; "" and None where none is.

    Of several addresses the one that is known counts, else the first.
    """
    there = addresses(switch, facts)
    gateway = bare(known)
    if gateway not in there:
        gateway = next(iter(there), "")
    return gateway, _network(there[gateway]) if gateway else None


def bare(inputs: Properties) -> str:
    """The gateway without the length that is shown with it where that is wrong."""
    return str(inputs.get("gateway") or "").partition("/")[0]


def _network(address: PSObject) -> IPv4Network:
    return network(f"{address.text('IPAddress')}/{address.number('PrefixLength')}")


def changes(switch: UUID, facts: Facts, desired: Properties, known: Properties) -> Iterator[Pipeline]:
    """What takes the old gateway away, as known from the last look, and sets the right one; other addresses stay."""
    gateway, length = desired["gateway"], network(desired["prefix"]).prefixlen
    there = addresses(switch, facts)
    right = gateway in there and there[gateway].number("PrefixLength") == length
    for old in dict.fromkeys((bare(known), gateway)):
        if old in there and not (right and old == gateway):
            yield _removal(there[old])
    adapter = host_adapter(switch, facts)
    if not right and adapter is not None:
        # No -DefaultGateway: the host is the gateway here and has its own elsewhere (New-NetIPAddress).
        yield statement(
            "New-NetIPAddress",
            InterfaceIndex=adapter.number("InterfaceIndex"),
            IPAddress=gateway,
            PrefixLength=length,
        ).setting("gateway")


def removals(switch: UUID, facts: Facts) -> Iterator[Pipeline]:
    """What removes every address of the adapter, which goes with its switch."""
    return (_removal(one) for one in addresses(switch, facts).values())


def _removal(address: PSObject) -> Pipeline:
    # Always by key: without one, the cmdlet removes every address of the host.
    return statement(
        "Remove-NetIPAddress",
        InterfaceIndex=address.number("InterfaceIndex"),
        IPAddress=address.text("IPAddress"),
        Confirm=False,
    ).tolerating(ErrorKind.ABSENT)


def is_settling(switch: UUID, facts: Facts, gateway: str) -> bool:
    """Whether the address may yet become usable: Windows looks for another machine that has it for some seconds."""
    return _state(switch, facts, gateway) in ("Tentative", "Invalid")


def refuse_unusable(switch: UUID, facts: Facts, gateway: str) -> None:
    """Raise ConflictError or RefusedError where the address is set and cannot be used."""
    state = _state(switch, facts, gateway)
    adapter = host_adapter(switch, facts)
    alias = adapter.text("Name") if adapter else ""
    if state == "Duplicate":
        raise ConflictError(
            f"gateway: another machine on the switch has the address {gateway} already (Get-NetIPAddress shows it as "
            "Duplicate). Choose another gateway, or give that machine another address."
        )
    if state == "Invalid":
        raise RefusedError(
            f"gateway: {gateway} cannot be used, because the host's adapter {alias!r} is down (Get-NetIPAddress shows "
            "the address as Invalid). Look at Get-NetAdapter there: it may be disabled."
        )
    if state == "Tentative":
        raise RefusedError(
            f"gateway: Windows has not found out in time whether another machine has {gateway} (Get-NetIPAddress shows "
            "it as Tentative); `pulumi up` tries again."
        )


def _state(switch: UUID, facts: Facts, gateway: str) -> str:
    address = addresses(switch, facts).get(gateway)
    return address.text("AddressState") if address is not None else ""
