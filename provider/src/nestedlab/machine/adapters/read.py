"""How a machine's network adapters are read: all of them, or one that `switch` describes and those besides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nestedlab.declare import Attribute
from nestedlab.lifecycle import differences, values
from nestedlab.machine.adapters.table import PRIVATE, Adapter
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import NestedHyperVHost, ObservedMachine
from nestedlab.names import same_name
from nestedlab.pipeline import Cmdlet, Facts, Pipeline, PSObject
from nestedlab.plain import observed


def shows_adapters(facts: Facts) -> bool:
    """Whether the facts show all of a machine, not only what New-VM answers: then no adapter is no adapter."""
    return facts.first("VMProcessor") is not None


def reads(machine: UUID) -> tuple[Pipeline, ...]:
    """What shows the machine's adapters and their VLANs."""
    adapters = machine_by_id(machine) | Cmdlet("Get-VMNetworkAdapter")
    return (adapters, adapters | Cmdlet("Get-VMNetworkAdapterVlan"))


def adapters_in(facts: Facts) -> list[Adapter]:
    """The machine's adapters, as a program would ask for them."""
    adapters = list(facts.all("VMNetworkAdapter"))
    # A VLAN setting does not say in a sure way whose it is; piped one by one, they come in the adapters' order.
    settings = list(facts.all("VMNetworkAdapterVlanSetting"))
    paired = settings if len(settings) == len(adapters) else [None] * len(adapters)
    return [_adapter(adapter, vlan) for adapter, vlan in zip(adapters, paired, strict=True)]


def _adapter(adapter: PSObject, vlan: PSObject | None) -> Adapter:
    is_dynamic = adapter["DynamicMacAddressEnabled"] is True
    mode = vlan.text("OperationMode") if vlan else "Untagged"
    trunk = vlan if vlan is not None and mode == "Trunk" else None
    return observed(
        Adapter,
        {
            **values(Adapter, [adapter]),
            "mac": "" if is_dynamic else adapter.text("MacAddress"),
            "vlan": vlan.number("AccessVlanId") if vlan and mode == "Access" else 0,
            "trunk": _listed(trunk["AllowedVlanIdList"]) if trunk else PRIVATE if mode == "Private" else "",
            "native_vlan": trunk.number("NativeVlanId") if trunk else 0,
        },
    )


def _listed(vlan_ids: object) -> str:
    return ",".join(map(str, vlan_ids)) if isinstance(vlan_ids, tuple) else str(vlan_ids or "")


def observe(facts: Facts, known: NestedHyperVHost) -> dict[str, Any]:
    """The attributes of adapters. If `switch` describes the one adapter, `adapters` are those besides it.

    It is among them if somebody has given it what `switch` and `mac_spoofing` do not describe.
    """
    adapters = adapters_in(facts)
    if known.adapters and known.switch is None:
        return {"adapters": adapters}
    if not adapters:
        return {"adapters": []}
    described = described_by_switch(adapters, known)
    besides = [adapter for adapter in adapters if adapter is not described or strayed(adapter)]
    return {"switch": described.switch, "mac_spoofing": described.mac_spoofing, "adapters": besides}


def described_by_switch(adapters: list[Adapter], known: NestedHyperVHost) -> Adapter:
    """The one adapter that `switch` describes."""
    switch = known.switch or ""
    return next((adapter for adapter in adapters if same_name(adapter.switch, switch)), adapters[0])


def adapters_there(state: ObservedMachine) -> list[Adapter]:
    """The machine's adapters, as the host has shown them or else as the state records them.

    A state does not record the name of the one that `switch` describes, nor its MAC address or its name in the guest.
    """
    if shows_adapters(state.facts):
        return adapters_in(state.facts)
    inputs = state.inputs
    if inputs.switch is None:
        return list(inputs.adapters or ())
    described = Adapter.model_construct(name="", switch=inputs.switch, mac_spoofing=bool(inputs.mac_spoofing))
    return [described, *(inputs.adapters or ())]


def taken_over(wanted: Sequence[Adapter], there: Sequence[Adapter]) -> list[Adapter]:
    """The adapters that are there, once the machine's only one is the first of a list that does not name it.

    It keeps its MAC address. What else the list asks of it is a change of an adapter, and not a new one.
    """
    if not wanted or len(there) != 1 or any(same_name(there[0].name, adapter.name) for adapter in wanted):
        return list(there)
    return [there[0].model_copy(update={"name": wanted[0].name})]


def new_adapter(name: str) -> Adapter:
    """An adapter as New-VM and Add-VMNetworkAdapter make it: not connected, untagged, everything off."""
    return Adapter.model_construct(name=name)


def as_new(adapter: Adapter) -> Adapter:
    """The adapter as a machine is created with it, but for what `switch` and `mac_spoofing` describe.

    Its MAC address and its name in the guest are left to the host.
    """
    left = {name: getattr(adapter, name) for name in ("switch", "mac_spoofing", "mac", "device_naming")}
    return new_adapter(adapter.name).model_copy(update=left)


def strayed(adapter: Adapter) -> list[Attribute]:
    """In what the one adapter differs from how a machine is created with it."""
    return differences(as_new(adapter), adapter)
