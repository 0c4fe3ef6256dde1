"""The object MSFT_NetNatStaticMapping; Add-, Get-, Remove-NetNatStaticMapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network

from hyperv_sim import errors
from hyperv_sim.cmdlets.net_nat import NO_DOMAIN, wrong
from hyperv_sim.fidelity import POWERSHELL, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.cim import chosen, in_words, query, truth
from hyperv_sim.powershell.cim_classes import NAMESPACE, describe_cim
from hyperv_sim.powershell.properties import Property
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.state.nats import Nat, StaticMapping

CLASS = "MSFT_NetNatStaticMapping"
PROTOCOL = {"TCP": 6, "UDP": 17}
ANY = ("0.0.0.0", "0.0.0.0/0")  # noqa: S104  # any address of the host; nothing is bound here

P = Property[StaticMapping]

describe_cim(
    StaticMapping,
    NAMESPACE,
    CLASS,
    [
        P("StaticMappingID", "UInt32", lambda mapping: mapping.id),
        P("NatName", "String", lambda mapping: mapping.nat.name),
        *in_words("Protocol", "UInt32", PROTOCOL, lambda mapping: mapping.protocol),
        P("RemoteExternalIPAddressPrefix", "String", lambda mapping: mapping.remote_prefix),
        P("ExternalIPAddress", "String", lambda mapping: mapping.external_address),
        P("ExternalPort", "UInt16", lambda mapping: mapping.external_port),
        P("InternalIPAddress", "String", lambda mapping: str(mapping.internal_address)),
        P("InternalPort", "UInt16", lambda mapping: mapping.internal_port),
        P("InternalRoutingDomainId", "String", lambda _: NO_DOMAIN),
        *truth("Active", lambda _: True),
    ],
    text=lambda mapping: f"{CLASS} (StaticMappingID = {mapping.id})",
)

KEYS: Mapping[str, Callable[[StaticMapping], object]] = {
    "NatName": lambda mapping: mapping.nat.name,
    "StaticMappingID": lambda mapping: mapping.id,
}
ADD = ("NatName", "Protocol", "ExternalIPAddress", "ExternalPort", "InternalIPAddress", "InternalPort")


def _mappings(call: Call) -> list[StaticMapping]:
    return [mapping for nat in call.host.network.nats.networks for mapping in nat.mappings]


@cmdlet("Get-NetNatStaticMapping", takes=("NatName",))
def get_net_nat_static_mapping(call: Call) -> Iterator[object]:
    """Get-NetNatStaticMapping, all or those of one NAT network."""
    yield from query(call, CLASS, _mappings(call), KEYS)


@cmdlet("Add-NetNatStaticMapping", takes=(*ADD, "RemoteExternalIPAddressPrefix"))
def add_net_nat_static_mapping(call: Call) -> Iterator[object]:
    """Add-NetNatStaticMapping, on any address of the host or a known one. The internal port is the external one."""
    nats = call.host.network.nats
    nat = nats.named(call.parameters["NatName"])
    if nat is None:
        raise wrong()
    mapping = _new(call, nat)
    is_foreign = mapping.external_address not in (ANY[0], *nats.external_addresses)
    if (
        is_foreign
        or _endpoint(mapping) in nats.taken_ports
        or any(_collide(mapping, other) for other in _mappings(call))
    ):
        message = "The process cannot access the file because it is being used by another process."
        raise errors.windows_system_error(32, "NotSpecified", message)
    yield nats.map(mapping)


def _new(call: Call, nat: Nat) -> StaticMapping:
    if call.get("RemoteExternalIPAddressPrefix", ANY[1]) != ANY[1]:
        raise errors.not_simulated("Add-NetNatStaticMapping for some remote addresses only")
    try:
        address = IPv4Address(call.parameters["InternalIPAddress"])
    except ValueError:
        raise wrong() from None
    port = call.parameters["ExternalPort"]
    internal_port = call.get("InternalPort", port)
    if not (port and internal_port and _is_endpoint(address, nat.internal_prefix)):
        raise wrong()
    external: str = call.parameters["ExternalIPAddress"]
    external = ANY[0] if external in ANY else external
    return StaticMapping(-1, nat, call.parameters["Protocol"], port, address, internal_port, external)


def _endpoint(mapping: StaticMapping) -> tuple[str, int]:
    return (mapping.protocol, mapping.external_port)


def _collide(mapping: StaticMapping, other: StaticMapping) -> bool:
    """Whether two mappings are for one external endpoint; any address is every address."""
    addresses = {mapping.external_address, other.external_address}
    return _endpoint(mapping) == _endpoint(other) and (len(addresses) == 1 or ANY[0] in addresses)


def _is_endpoint(address: IPv4Address, prefix: IPv4Network) -> bool:
    return address in prefix and address not in (prefix.network_address, prefix.broadcast_address)


@cmdlet("Remove-NetNatStaticMapping", takes=(*KEYS, "InputObject", "PassThru"), confirms=True)
def remove_net_nat_static_mapping(call: Call) -> Iterator[object]:
    """Remove-NetNatStaticMapping. Without a key it removes every one."""
    for mapping in chosen(call, CLASS, _mappings(call), KEYS):
        mapping.nat.mappings.remove(mapping)
        if call.get("PassThru"):
            yield mapping


fact(
    "Add-NetNatStaticMapping",
    "a port that is taken, excluded or that Windows listens on, or a foreign address: `Windows System Error 32`",
    f"{WINDSOR}; MicrosoftDocs/windows-powershell-docs#1594",
)
fact(
    "Add-NetNatStaticMapping",
    "no such NAT network, port 0, or an internal address outside its prefix: `Windows System Error 87`",
    UNKNOWN,
)
fact(
    "Add-NetNatStaticMapping",
    "an external address of the host is taken only where a test says so",
    f"sources disagree: {WINDSOR} has it refused",
)
fact("Remove-NetNatStaticMapping", "without a key it removes all", "inferred from its signature")
fact(
    "Get-NetNatStaticMapping",
    "properties and types; a -NatName without a mapping is `CmdletizationQuery_NotFound_NatName`",
    f"public console output, raw types from microsoft/wmi; the id inferred from {POWERSHELL} (QueryJobBase)",
)
