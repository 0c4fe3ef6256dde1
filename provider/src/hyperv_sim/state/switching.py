"""What virtual switches do to the rest of the host: its own adapters to them, and the machines that are connected."""

from __future__ import annotations

from hyperv_sim.state.enumerations import VMSwitchType
from hyperv_sim.state.machines import HostAdapter
from hyperv_sim.state.switches import Switch
from hyperv_sim.state.world import Host

DESCRIPTION = "Hyper-V Virtual Ethernet Adapter"


def add_switch(host: Host, switch: Switch) -> None:
    """Put a switch on the host; an internal one gives the host an adapter of its own."""
    host.switches[switch.id] = switch
    if switch.switch_type is VMSwitchType.Internal:
        plug_in(host, HostAdapter(switch.name, switch=switch))


def remove_switch(host: Host, switch: Switch) -> None:
    """Remove a switch, with the host's adapter to it; machines' adapters to it stay, unconnected."""
    _unplug_all(host, switch)
    for machine in host.machines.values():
        for adapter in machine.adapters:
            if adapter.switch is switch:
                adapter.switch = None
    del host.switches[switch.id]


def retype(host: Host, switch: Switch, wanted: VMSwitchType) -> None:
    """Make an internal switch private, or the other way round."""
    if wanted is switch.switch_type:
        return
    switch.switch_type = wanted
    if wanted is VMSwitchType.Internal:
        plug_in(host, HostAdapter(switch.name, switch=switch))
    else:
        _unplug_all(host, switch)


def nats_in_the_way(host: Host, switch: Switch) -> list[str]:
    """The names of the NAT networks that need the host's adapter to this switch. [windsor, remove.ps1]"""
    own = {adapter.id for adapter in host.host_adapters if adapter.switch is switch}
    addresses = [address.ip.ip for address in host.network.addresses if address.interface.guid in own]
    return [nat.name for address in addresses for nat in host.network.nats.over(address)]


def plug_in(host: Host, adapter: HostAdapter) -> None:
    """Give the host an adapter to the adapter's switch; Windows lists it as `vEthernet (NAME)`.

    [Microsoft's NAT guide]
    """
    if adapter.dynamic_mac:
        adapter.mac_address = host.next_mac()
    host.host_adapters.append(adapter)
    alias = f"vEthernet ({adapter.name})"
    host.network.add_interface(alias, DESCRIPTION, mac_address=adapter.mac_address, guid=adapter.id)


def unplug(host: Host, adapter: HostAdapter) -> None:
    """Remove an adapter of the host, with its addresses."""
    host.host_adapters.remove(adapter)
    host.network.remove_interface(adapter.id)


def _unplug_all(host: Host, switch: Switch) -> None:
    for adapter in [adapter for adapter in host.host_adapters if adapter.switch is switch]:
        unplug(host, adapter)
