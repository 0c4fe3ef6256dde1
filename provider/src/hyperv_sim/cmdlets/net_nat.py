"""The object MSFT_NetNat; Get-, New-, Set-, Remove-NetNat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.cim import chosen, in_words, query, truth
from hyperv_sim.powershell.cim_classes import NAMESPACE, describe_cim
from hyperv_sim.powershell.properties import Property
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change, names
from hyperv_sim.state.nats import Nat
from hyperv_sim.state.world import Host

CLASS = "MSFT_NetNat"
NO_DOMAIN = "{00000000-0000-0000-0000-000000000000}"
FILTERING = {"EndpointIndependentFiltering": 0, "AddressDependentFiltering": 1}

P = Property[Nat]

describe_cim(
    Nat,
    NAMESPACE,
    CLASS,
    [
        P("Caption", "String", lambda _: None),
        P("Description", "String", lambda _: None),
        P("ElementName", "String", lambda _: None),
        P("InstanceID", "String", lambda nat: f"{nat.name};0"),
        *truth("Active", lambda _: True),
        P("ExternalIPInterfaceAddressPrefix", "String", lambda _: None),
        P("IcmpQueryTimeout", "UInt32", lambda nat: nat.icmp_query_timeout),
        P("InternalIPInterfaceAddressPrefix", "String", lambda nat: str(nat.internal_prefix)),
        P("InternalRoutingDomainId", "String", lambda _: NO_DOMAIN),
        P("Name", "String", lambda nat: nat.name),
        *in_words("Store", "UInt32", {"Local": 0}, lambda _: "Local"),
        P("TcpEstablishedConnectionTimeout", "UInt32", lambda nat: nat.tcp_established_timeout),
        *in_words("TcpFilteringBehavior", "Byte", FILTERING, lambda nat: nat.tcp_filtering),
        P("TcpTransientConnectionTimeout", "UInt32", lambda nat: nat.tcp_transient_timeout),
        *in_words("UdpFilteringBehavior", "Byte", FILTERING, lambda nat: nat.udp_filtering),
        P("UdpIdleSessionTimeout", "UInt32", lambda nat: nat.udp_idle_timeout),
        *truth("UdpInboundRefresh", lambda nat: nat.udp_inbound_refresh),
    ],
    text=lambda nat: f'{CLASS} (Name = "{nat.name}")',
)

KEYS: Mapping[str, Callable[[Nat], object]] = {"Name": lambda nat: nat.name}
SETTINGS = (
    Setting("IcmpQueryTimeout", "icmp_query_timeout"),
    Setting("TcpEstablishedConnectionTimeout", "tcp_established_timeout"),
    Setting("TcpTransientConnectionTimeout", "tcp_transient_timeout"),
    Setting("TcpFilteringBehavior", "tcp_filtering"),
    Setting("UdpFilteringBehavior", "udp_filtering"),
    Setting("UdpIdleSessionTimeout", "udp_idle_timeout"),
    Setting("UdpInboundRefresh", "udp_inbound_refresh"),
)
DUPLICATE = (
    "You were not connected because a duplicate name exists on the network. If joining a domain, go to System in "
    "Control Panel to change the computer name and try again. If joining a workgroup, choose another workgroup name."
)


@cmdlet("Get-NetNat", takes=tuple(KEYS))
def get_net_nat(call: Call) -> Iterator[object]:
    """Get-NetNat, all or by -Name (wildcards)."""
    yield from query(call, CLASS, call.host.network.nats.networks, KEYS)


@cmdlet("New-NetNat", takes=("Name", "InternalIPInterfaceAddressPrefix"))
def new_net_nat(call: Call) -> Iterator[object]:
    """New-NetNat for an internal prefix: one per host on Windows Server 2016, several that do not overlap later.

    [Virtualization-Documentation#361 for 2016; windsor for later versions, against Microsoft's guide]
    """
    nats = call.host.network.nats
    name = call.parameters["Name"]
    if nats.named(name):
        raise errors.windows_system_error(52, "NotSpecified", DUPLICATE)
    prefix = _prefix(call.get("InternalIPInterfaceAddressPrefix", ""))
    is_one_too_many = bool(nats.networks) and not call.host.facts.several_nats
    if is_one_too_many or any(other.internal_prefix.overlaps(prefix) for other in nats.networks):
        raise wrong()
    if _overlaps_the_lan(call.host, prefix):
        raise wrong()
    nat = Nat(name, prefix)
    nats.networks.append(nat)
    yield nat


def wrong() -> errors.CmdletError:
    """WinNAT's one answer to any argument that it does not like."""
    return errors.windows_system_error(87, "InvalidArgument", "The parameter is incorrect.")


def _prefix(text: str) -> IPv4Network:
    """Whether Windows takes a prefix with bits of a host set is not known; here it does not."""
    try:
        prefix = IPv4Network(text)
    except ValueError:
        raise wrong() from None
    if "/" not in text or not 0 < prefix.prefixlen < 31:
        raise wrong()
    return prefix


def _overlaps_the_lan(host: Host, prefix: IPv4Network) -> bool:
    """The prefix must leave the host's own networks alone, except those of its adapters to switches. [WinNAT's blog]"""
    own = {adapter.id for adapter in host.host_adapters}
    networks = [address.ip.network for address in host.network.addresses if address.interface.guid not in own]
    return any(network.overlaps(prefix) for network in networks if isinstance(network, IPv4Network))


@cmdlet("Set-NetNat", takes=("Name", "InputObject", "PassThru", *names(SETTINGS)))
def set_net_nat(call: Call) -> Iterator[object]:
    """Set-NetNat: timeouts and filtering only. [Microsoft's reference]"""
    for nat in chosen(call, CLASS, call.host.network.nats.networks, KEYS):
        change(call, None, [(nat, SETTINGS)], "The parameter is incorrect.")
        if call.get("PassThru"):
            yield nat


@cmdlet("Remove-NetNat", takes=("Name", "InputObject", "PassThru"), confirms=True)
def remove_net_nat(call: Call) -> Iterator[object]:
    """Remove-NetNat, with its static mappings. Without a key it removes every one. [Microsoft's reference]"""
    nats = call.host.network.nats
    for nat in chosen(call, CLASS, list(nats.networks), KEYS):
        nats.networks.remove(nat)
        if call.get("PassThru"):
            yield nat


fact(
    "New-NetNat",
    "a second NAT network on Windows Server 2016: `Windows System Error 87`; later versions take several",
    f"MicrosoftDocs/Virtualization-Documentation#361; {WINDSOR}, against Microsoft's guide",
)
fact("New-NetNat", "a name that is taken: `Windows System Error 52`, before the prefix is looked at", "azure_arc#2033")
fact(
    "New-NetNat",
    "a prefix that overlaps another NAT's or a network of the host's own: `Windows System Error 87`",
    "PS-AutoLab-Env; the team's blog on WinNAT of 2016",
)
fact(
    "New-NetNat",
    "no internal prefix, IPv6, or bits of a host set: `Windows System Error 87`",
    f"{UNKNOWN} for the last",
)
fact("Set-NetNat", "timeouts and filtering only; nothing to set is refused", f"{REFERENCE}; the last {UNKNOWN}")
fact("Remove-NetNat", "without a key it removes all; static mappings go with it", f"{REFERENCE}; the last inferred")
fact("Remove-NetNat", "asks unless -Confirm:$false; so do all Remove- cmdlets over CIM", f"{WINDSOR}; id {UNKNOWN}")
fact("Get-NetNat", "the internal prefix as it was given; numbers under the words are guessed", f"logs; {UNKNOWN}")
fact(
    "Get-NetNat",
    "properties, order and raw types",
    "a public console's output; microsoft/wmi, generated from live hosts",
)
