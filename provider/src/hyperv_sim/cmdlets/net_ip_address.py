"""The object MSFT_NetIPAddress; Get-, New-, Remove-NetIPAddress."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.cim import ADDRESS_FAMILY, FOREVER, chosen, in_words, query
from hyperv_sim.powershell.cim_classes import NAMESPACE, describe_cim
from hyperv_sim.powershell.properties import Property
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.records import Scalar
from hyperv_sim.state.network import Address, Interface

CLASS = "MSFT_NetIPAddress"
PREFIX_ORIGIN = {"Other": 0, "Manual": 1, "WellKnown": 2, "Dhcp": 3, "RouterAdvertisement": 4}
SUFFIX_ORIGIN = {"Other": 0, "Manual": 1, "WellKnown": 2, "Dhcp": 3, "Link": 4, "Random": 5}
STATE = {"Invalid": 0, "Tentative": 1, "Duplicate": 2, "Deprecated": 3, "Preferred": 4}


@dataclass(frozen=True, slots=True)
class Stored:
    """An address as one of the two stores shows it."""

    address: Address
    store: Literal["ActiveStore", "PersistentStore"] = "ActiveStore"

    @property
    def state(self) -> str:
        """The persistent store's state is always Invalid. [public sample of New-NetIPAddress' output]"""
        if self.store == "PersistentStore":
            return "Invalid"
        return "Tentative" if self.address.reads_until_preferred > 0 else "Preferred"


P = Property[Stored]

describe_cim(
    Stored,
    NAMESPACE,
    CLASS,
    [
        P("IPAddress", "String", lambda stored: stored.address.text),
        P("InterfaceIndex", "UInt32", lambda stored: stored.address.interface.index),
        P("InterfaceAlias", "String", lambda stored: stored.address.interface.alias),
        P("PrefixLength", "Byte", lambda stored: stored.address.ip.network.prefixlen),
        *in_words("AddressFamily", "UInt16", ADDRESS_FAMILY, lambda stored: f"IPv{stored.address.ip.version}"),
        *in_words("Type", "Byte", {"Unicast": 1}, lambda _: "Unicast"),
        *in_words("PrefixOrigin", "UInt16", PREFIX_ORIGIN, lambda stored: stored.address.prefix_origin),
        *in_words("SuffixOrigin", "UInt16", SUFFIX_ORIGIN, lambda stored: stored.address.suffix_origin),
        *in_words("AddressState", "UInt16", STATE, lambda stored: stored.state),
        *in_words("Store", "Byte", {"PersistentStore": 0, "ActiveStore": 1}, lambda stored: stored.store),
        P("PolicyStore", "String", lambda stored: stored.store, is_script=True),
        P("ValidLifetime", "TimeSpan", lambda _: FOREVER),
        P("PreferredLifetime", "TimeSpan", lambda _: FOREVER),
        P("SkipAsSource", "Boolean", lambda stored: stored.address.skip_as_source),
        P("ifIndex", "UInt32", lambda stored: stored.address.interface.index, is_script=True),
    ],
    text=lambda stored: (
        f'{CLASS} (IPAddress = "{stored.address.text}", InterfaceIndex = {stored.address.interface.index})'
    ),
)

KEYS: Mapping[str, Callable[[Stored], object]] = {
    "IPAddress": lambda stored: stored.address.text,
    "InterfaceIndex": lambda stored: stored.address.interface.index,
    "InterfaceAlias": lambda stored: stored.address.interface.alias,
    "AddressFamily": lambda stored: f"IPv{stored.address.ip.version}",
    "PrefixLength": lambda stored: stored.address.ip.network.prefixlen,
    "PrefixOrigin": lambda stored: stored.address.prefix_origin,
    "SuffixOrigin": lambda stored: stored.address.suffix_origin,
    "AddressState": lambda stored: stored.state,
    "SkipAsSource": lambda stored: stored.address.skip_as_source,
}


def _active(call: Call) -> list[Stored]:
    listed = call.host.network.listed()
    return [Stored(address) for address in call.host.network.addresses if address.interface in listed]


@cmdlet("Get-NetIPAddress", takes=(*KEYS, "PolicyStore"))
def get_net_ip_address(call: Call) -> Iterator[object]:
    """Get-NetIPAddress, of the active store unless -PolicyStore says otherwise."""
    store = str(call.get("PolicyStore", "ActiveStore")).lower()
    found = _active(call)
    if store == "persistentstore":
        found = [Stored(stored.address, "PersistentStore") for stored in found if stored.address.is_persistent]
    elif store != "activestore":
        raise errors.not_simulated("Get-NetIPAddress -PolicyStore other than ActiveStore and PersistentStore")
    call.host.network.look_for_addresses()
    yield from query(call, CLASS, found, KEYS)


@cmdlet("New-NetIPAddress", takes=("IPAddress", "InterfaceIndex", "InterfaceAlias", "PrefixLength", "AddressFamily"))
def new_net_ip_address(call: Call) -> Iterator[object]:
    """New-NetIPAddress: an IPv4 address in both stores, at first Tentative. [Microsoft's reference; public sample]"""
    interface = _interface(call)
    network = call.host.network
    ip = _ip(call)
    _check_ready(call, interface)
    if any(other.ip.ip == ip.ip for other in network.of(interface)):
        raise errors.windows_system_error(87, "InvalidArgument", f"Instance {CLASS} already exists")
    if any(other.ip.ip == ip.ip for other in network.addresses):
        raise errors.windows_system_error(5010, "NotSpecified", "The object already exists.")
    address = network.assign(interface, str(ip))
    yield Stored(address)
    yield Stored(address, "PersistentStore")


def _check_ready(call: Call, interface: Interface) -> None:
    """Raise one of the two errors that Windows has while it still sets up an adapter to a new switch."""
    left = 0 if interface.is_physical else call.host.contention.refuses(call.cmdlet.name, interface)
    if left % 2:
        text = "Inconsistent parameters PolicyStore PersistentStore and Dhcp Enabled"
        raise errors.windows_system_error(87, "InvalidArgument", text)
    if left:
        raise errors.windows_system_error(1168, "ObjectNotFound", "Element not found.")


def _interface(call: Call) -> Interface:
    """The interface meant. [the id if there is none: inferred from Get-NetIPAddress; public notes]"""
    name = "InterfaceIndex" if "InterfaceIndex" in call.parameters else "InterfaceAlias"
    wanted = call.parameters[name]
    for interface in call.host.network.listed():
        if wanted == interface.index or (isinstance(wanted, str) and interface.alias.lower() == wanted.lower()):
            if interface.is_loopback:
                raise errors.not_simulated("New-NetIPAddress on the loopback")
            return interface
    target = Scalar("String" if isinstance(wanted, str) else "UInt32", wanted)
    raise errors.cim_not_found("MSFT_NetIPInterface", name, target, str(wanted))


def _ip(call: Call) -> ipaddress.IPv4Interface:
    """The address with its prefix; without -PrefixLength it is alone in it. [Microsoft's reference]"""
    wrong = errors.windows_system_error(87, "InvalidArgument", "The parameter is incorrect.")
    try:
        ip = ipaddress.ip_address(call.parameters["IPAddress"])
    except ValueError:
        raise wrong from None
    if call.get("AddressFamily", f"IPv{ip.version}") != f"IPv{ip.version}":
        raise wrong
    if ip.version == 6:
        raise errors.not_simulated("New-NetIPAddress with an IPv6 address")
    length = call.get("PrefixLength", 32)
    if length not in range(1, 33) or _is_unusable(ip):
        raise wrong
    whole = ipaddress.IPv4Interface(f"{ip}/{length}")
    if length < 31 and ip in (whole.network.network_address, whole.network.broadcast_address):
        raise wrong
    return whole


def _is_unusable(ip: ipaddress.IPv4Address) -> bool:
    return ip.is_multicast or ip.is_loopback or ip.is_unspecified or ip.is_reserved


@cmdlet("Remove-NetIPAddress", takes=(*KEYS, "InputObject", "PassThru"), confirms=True)
def remove_net_ip_address(call: Call) -> Iterator[object]:
    """Remove-NetIPAddress, from both stores. Without a key it removes all; here it does so only by a key."""
    if not any(name in call.parameters for name in (*KEYS, "InputObject")):
        raise errors.not_simulated("Remove-NetIPAddress of all addresses, which cuts the connection")
    found = chosen(call, CLASS, _active(call), KEYS)
    if any(stored.address.prefix_origin != "Manual" for stored in found):
        raise errors.not_simulated("Remove-NetIPAddress of an address that Windows gave itself")
    for stored in found:
        call.host.network.remove_address(stored.address)
        if call.get("PassThru"):
            yield stored


fact("New-NetIPAddress", "two objects: ActiveStore, Tentative, and PersistentStore, Invalid", "public console output")
fact("New-NetIPAddress", "an address is Tentative for one more listing, then Preferred", "the duration is simulated")
fact(
    "New-NetIPAddress",
    "there already on this interface: `Windows System Error 87`; on another: 5010",
    "Virtualization-Documentation#338, micahmo/WgServerforWindows#160; which is which inferred",
)
fact(
    "New-NetIPAddress",
    "no address, one of the network or its broadcast, multicast or loopback: `Windows System Error 87`",
    "public logs for 87; the cases inferred",
)
fact(
    "New-NetIPAddress",
    "on a busy host (--busy) a fresh vEthernet refuses for a moment: `Windows System Error 87`, whose text is of "
    "PolicyStore and Dhcp, or 1168 (`Element not found.`)",
    "docker/for-win#2, #432, #2050, #3726; Siemens-Healthineers/K2s#1131",
)
fact("New-NetIPAddress", "a missing interface is `CmdletizationQuery_NotFound_...`", UNKNOWN)
fact(
    "New-NetIPAddress",
    "the adapter's own 169.254 address goes once one is set by hand, and comes back after the last",
    "autolab; inferred",
)
fact("New-NetIPAddress", "IPv4 only; no gateway, lifetime or store", "not simulated")
fact("Get-NetIPAddress", "a new adapter has a 169.254 address, WellKnown and Link, and an IPv6 link-local", "autolab")
fact("Remove-NetIPAddress", "from both stores; without any key it is refused here", f"{REFERENCE}; not simulated")
