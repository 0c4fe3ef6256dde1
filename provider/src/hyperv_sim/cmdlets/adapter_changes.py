"""Add-, Remove-, Connect-, Disconnect-VMNetworkAdapter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from hyperv_sim import errors
from hyperv_sim.cmdlets.adapter import passed
from hyperv_sim.fidelity import UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.adapters import check_mac, chosen, on_host
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import each, machines, switch_named
from hyperv_sim.state.enumerations import OnOffState, VMState
from hyperv_sim.state.machines import Adapter, HostAdapter, Machine
from hyperv_sim.state.switching import plug_in, unplug

A = TypeVar("A", bound=Adapter)
FAILED = "Failed to modify device 'Network Adapter'."
ADD = ("VMName", "VM", "ManagementOS", "Name", "SwitchName", "StaticMacAddress", "DynamicMacAddress", "DeviceNaming")


def check_hot_change(machine: Machine) -> None:
    """Adapters come and go while a generation 2 machine runs; a generation 1 machine must be off."""
    if machine.state is not VMState.Off and (machine.generation == 1 or machine.state is not VMState.Running):
        raise wrong_state(FAILED)


@cmdlet("Add-VMNetworkAdapter", takes=(*ADD, "Passthru"))
def add_vm_network_adapter(call: Call) -> Iterator[object]:
    """Add-VMNetworkAdapter, to machines or (-ManagementOS -SwitchName) to the host."""
    if call.set_name == "ManagementOS":
        if not call.get("ManagementOS") or "SwitchName" not in call.parameters:
            raise errors.not_simulated("Add-VMNetworkAdapter on the host without -ManagementOS and -SwitchName")
        own = _new(call, HostAdapter, call.get("Name", call.parameters["SwitchName"]))
        plug_in(call.host, own)
        yield from passed(call, [own])
        return

    def add(machine: Machine) -> Iterator[object]:
        check_hot_change(machine)
        adapter = _new(call, Adapter, call.get("Name", "Network Adapter"))
        adapter.machine = machine
        if machine.state is VMState.Running and adapter.dynamic_mac:
            adapter.mac_address = call.host.next_mac()
        machine.adapters.append(adapter)
        yield from passed(call, [adapter])

    yield from each(call, machines(call), add)


def _new(call: Call, kind: type[A], name: str) -> A:
    adapter = kind(name, device_naming=call.get("DeviceNaming", OnOffState.Off))
    if "SwitchName" in call.parameters:
        adapter.switch = switch_named(call.host, call.parameters["SwitchName"])
    if "StaticMacAddress" in call.parameters:
        mac = check_mac(call.parameters["StaticMacAddress"])
        if mac is None or call.get("DynamicMacAddress"):
            raise errors.hyper_v("InvalidParameter", f"{FAILED} The MAC address is not valid.")
        adapter.mac_address, adapter.dynamic_mac = mac, False
    return adapter


@cmdlet(
    "Remove-VMNetworkAdapter",
    takes=("VMName", "VM", "VMNetworkAdapter", "ManagementOS", "SwitchName", "Name", "Passthru"),
)
def remove_vm_network_adapter(call: Call) -> Iterator[object]:
    """Remove-VMNetworkAdapter: all adapters of the name. [windsorcli/terraform-provider-hyperv]"""
    if call.get("ManagementOS") and "SwitchName" not in call.parameters and "Name" not in call.parameters:
        raise errors.not_simulated("removing all of the host's adapters at once")
    for adapter in on_host(call) if call.get("ManagementOS") else list(chosen(call)):
        with call.going_on():
            if isinstance(adapter, HostAdapter):
                unplug(call.host, adapter)
            elif adapter.machine:
                check_hot_change(adapter.machine)
                adapter.machine.adapters.remove(adapter)
            yield from passed(call, [adapter])


@cmdlet("Connect-VMNetworkAdapter", takes=("VMName", "Name", "VMNetworkAdapter", "SwitchName", "VMSwitch", "Passthru"))
def connect_vm_network_adapter(call: Call) -> Iterator[object]:
    """Connect-VMNetworkAdapter, in any state."""
    switch = call.get("VMSwitch") or switch_named(call.host, call.parameters["SwitchName"])
    if switch.id not in call.host.switches:
        raise errors.hyper_v("ObjectNotFound", f"The switch '{switch.name}' does not exist any more.")
    for adapter in chosen(call):
        with call.going_on():
            _machine_only(adapter)
            adapter.switch = switch
            yield from passed(call, [adapter])


@cmdlet("Disconnect-VMNetworkAdapter", takes=("VMName", "Name", "VMNetworkAdapter", "Passthru"))
def disconnect_vm_network_adapter(call: Call) -> Iterator[object]:
    """Disconnect-VMNetworkAdapter, in any state."""
    for adapter in chosen(call):
        with call.going_on():
            _machine_only(adapter)
            adapter.switch = None
            yield from passed(call, [adapter])


def _machine_only(adapter: Adapter) -> None:
    if adapter.machine is None:
        raise errors.not_simulated("connecting an adapter of the host")


fact(
    "Add-VMNetworkAdapter",
    "while running only for generation 2; so too Remove-VMNetworkAdapter",
    "inferred from code of lability and taliesins",
)
fact(
    "Add-VMNetworkAdapter",
    "an unknown switch is `InvalidParameter`; two of the name `Unspecified`",
    f"{WINDSOR}; VirtualEngine/Lability#326, its id {UNKNOWN}",
)
fact("Connect-VMNetworkAdapter", "an unknown switch is `InvalidParameter`; any state of the machine", "public log")
fact(
    "Disconnect-VMNetworkAdapter",
    "in any state; one that is not connected stays so",
    f"inferred for the state; {UNKNOWN}",
)
fact(
    "Remove-VMNetworkAdapter",
    "all adapters of the name go; the host's own by -Name or -SwitchName only",
    f"{WINDSOR}; not simulated",
)
