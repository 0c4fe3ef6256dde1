"""The object VMNetworkAdapter; Get-, Set-, Rename-VMNetworkAdapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hyperv_sim import errors
from hyperv_sim.fidelity import UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.adapters import check_mac, chosen, on_host
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change, names
from hyperv_sim.state.components import component_id, component_text
from hyperv_sim.state.enumerations import HYPER_V
from hyperv_sim.state.machines import NO_MAC, Adapter

P = Property[Adapter]


def _id(adapter: Adapter) -> str:
    """Microsoft:<VM>\\<adapter> for a machine's. The form for the host's own is not known; it has no VM in it here."""
    return component_id(adapter.machine, adapter.id) if adapter.machine else f"Microsoft:{str(adapter.id).upper()}"


def _text(adapter: Adapter) -> str:
    if adapter.machine is None:
        return f"VMNetworkAdapter (Name = '{adapter.name}') [Id = '{_id(adapter)}']"
    return component_text("VMNetworkAdapter", adapter.name, adapter.machine, adapter.id)


describe(
    Adapter,
    f"{HYPER_V}.VMNetworkAdapter",
    [
        P("Name", "String", lambda adapter: adapter.name),
        P("Id", "String", _id),
        P("VMName", "String", lambda adapter: adapter.machine.name if adapter.machine else None),
        P("VMId", "Guid", lambda adapter: adapter.machine.id if adapter.machine else None),
        P("IsManagementOs", "Boolean", lambda adapter: adapter.machine is None),
        P("IsLegacy", "Boolean", lambda adapter: adapter.is_legacy),
        P("SwitchName", "String", lambda adapter: adapter.switch.name if adapter.switch else None),
        P("SwitchId", "Guid", lambda adapter: adapter.switch.id if adapter.switch else None),
        P("Connected", "Boolean", lambda adapter: adapter.switch is not None),
        P("MacAddress", "String", lambda adapter: adapter.mac_address),
        P("DynamicMacAddressEnabled", "Boolean", lambda adapter: adapter.dynamic_mac),
        P("MacAddressSpoofing", "Object", lambda adapter: adapter.mac_spoofing),
        P("DhcpGuard", "Object", lambda adapter: adapter.dhcp_guard),
        P("RouterGuard", "Object", lambda adapter: adapter.router_guard),
        P("AllowTeaming", "Object", lambda adapter: adapter.allow_teaming),
        P("DeviceNaming", "Object", lambda adapter: adapter.device_naming),
        P("PortMirroringMode", "Object", lambda adapter: adapter.port_mirroring),
        P("VlanSetting", "Object", lambda adapter: adapter.vlan),
        P("IPAddresses", "String", lambda _: ()),
    ],
    bases=(f"{HYPER_V}.VMNetworkAdapterBase", f"{HYPER_V}.VMComponentObject"),
    text=_text,
)


def _bad_mac(_: Call, text: str) -> str | None:
    return None if check_mac(text) else f"'{text}' is not a MAC address of one adapter."


SETTINGS = (
    Setting("DynamicMacAddress", "dynamic_mac", off_only=True),
    Setting("StaticMacAddress", "mac_address", off_only=True, check=_bad_mac, value=check_mac),
    Setting("MacAddressSpoofing", "mac_spoofing"),
    Setting("DhcpGuard", "dhcp_guard"),
    Setting("RouterGuard", "router_guard"),
    Setting("AllowTeaming", "allow_teaming"),
    Setting("DeviceNaming", "device_naming", off_only=True),
    Setting("PortMirroring", "port_mirroring"),
)


@cmdlet("Get-VMNetworkAdapter", takes=("VMName", "VM", "Name", "ManagementOS", "SwitchName", "All"))
def get_vm_network_adapter(call: Call) -> Iterator[object]:
    """Get-VMNetworkAdapter: of machines, of the host (-ManagementOS [-SwitchName]), or -All."""
    if call.get("All"):
        if "Name" in call.parameters:
            raise errors.not_simulated("Get-VMNetworkAdapter -All with -Name")
        yield from call.host.host_adapters
        for machine in call.host.machines.values():
            yield from machine.adapters
    elif call.get("ManagementOS"):
        yield from on_host(call)
    else:
        yield from chosen(call)


@cmdlet("Set-VMNetworkAdapter", takes=("VMName", "VM", "Name", "VMNetworkAdapter", "Passthru", *names(SETTINGS)))
def set_vm_network_adapter(call: Call) -> Iterator[object]:
    """Set-VMNetworkAdapter: spoofing and guards in any state; the MAC address only while the machine is off."""
    if call.get("DynamicMacAddress") and "StaticMacAddress" in call.parameters:
        raise errors.not_simulated("Set-VMNetworkAdapter -DynamicMacAddress with -StaticMacAddress")
    for adapter in chosen(call):
        with call.going_on():
            change(call, adapter.machine, [(adapter, SETTINGS)], "Failed to modify device 'Network Adapter'.")
            _set_mac(call, adapter)
            yield from passed(call, [adapter])


def _set_mac(call: Call, adapter: Adapter) -> None:
    """A given address is static; a dynamic one comes with the next start."""
    if "StaticMacAddress" in call.parameters:
        adapter.dynamic_mac = False
    elif call.get("DynamicMacAddress"):
        adapter.mac_address = NO_MAC


@cmdlet("Rename-VMNetworkAdapter", takes=("VMName", "VM", "Name", "VMNetworkAdapter", "NewName", "Passthru"))
def rename_vm_network_adapter(call: Call) -> Iterator[object]:
    """Rename-VMNetworkAdapter, in any state."""
    for adapter in chosen(call):
        adapter.name = call.parameters["NewName"]
        yield from passed(call, [adapter])


def passed(call: Call, found: Sequence[Adapter]) -> Sequence[Adapter]:
    """What -Passthru gives."""
    return found if call.get("Passthru") else ()


fact(
    "Set-VMNetworkAdapter",
    "-MacAddressSpoofing, guards, teaming, mirroring in any state",
    "inferred: Microsoft's script sets it without looking",
)
fact("Set-VMNetworkAdapter", "the MAC address and device naming only while off", UNKNOWN)
fact(
    "Set-VMNetworkAdapter",
    "a -StaticMacAddress of a group (odd first byte) or of zeros is `InvalidParameter`; so too Add-VMNetworkAdapter",
    f"{UNKNOWN}; stricter",
)
fact("Get-VMNetworkAdapter", "a -Name that no adapter has is `ObjectNotFound`", WINDSOR)
fact(
    "Get-VMNetworkAdapter",
    "the host's adapters have the type VMNetworkAdapter too, and an Id of their own form",
    UNKNOWN,
)
fact("Get-VMNetworkAdapter", "IPAddresses is empty: there is no guest to report any", "not simulated")
fact(
    "Rename-VMNetworkAdapter",
    "in any state; a name that another adapter has is taken too",
    f"{WINDSOR} for the name; the state {UNKNOWN}",
)
