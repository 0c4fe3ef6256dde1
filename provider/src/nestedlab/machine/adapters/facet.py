"""The network adapters of a machine: one that `switch` describes, or a list by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nestedlab.declare import Attribute, Plain, Properties
from nestedlab.errors import ConflictError, NotFoundError
from nestedlab.lifecycle import Found, differences, values, writes
from nestedlab.parts import doubled, reconcile
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, PSObject, cmdlet, statement
from nestedlab.machine.adapters.table import PRIVATE, Adapter
from nestedlab.names import bare_mac, is_pattern, same_name

ATTRIBUTES = frozenset({"adapters", "switch", "mac_spoofing"})
"""The machine's attributes that this file reads and writes."""


def lookup(desired: Properties, now: Found | None = None) -> Iterator[Pipeline]:
    """What shows whether the switches are there that no adapter is connected to yet."""
    for name in _new_switches(desired, now):
        yield statement("Get-VMSwitch", Name=name).tolerating(ErrorKind.ABSENT)


def prerequisites(facts: Facts, desired: Properties, now: Found | None = None) -> None:
    """Raise where a switch is not there, or where its name is not unique."""
    for name in _new_switches(desired, now):
        known = [one for one in facts.all("VMSwitch") if same_name(name, one.text("Name"))]
        if not known:
            raise NotFoundError(
                f"switch: there is no switch named {name!r} on the host. "
                "Name one that exists, or pass the name of a NatSwitch of this program (switch=net.name)."
            )
        if len({one.text("Id") for one in known}) > 1:
            raise ConflictError(f"switch: several switches on the host are named {name!r}: rename all but one.")


def _new_switches(desired: Properties, now: Found | None) -> list[str]:
    named = [desired.get("switch"), *(one["switch"] for one in desired.get("adapters") or ())]
    there = [str(one["switch"]) for one in shown(now.facts)] if now else []
    return list(dict.fromkeys(name for name in named if name and not any(same_name(name, one) for one in there)))


def looked(facts: Facts) -> bool:
    """Whether the facts show all of a machine, not only what New-VM answers: then no adapter is no adapter."""
    return facts.first("VMProcessor") is not None


def reads(machine: Cmdlet) -> tuple[Pipeline, ...]:
    """What shows the machine's adapters."""
    adapters = machine | Cmdlet("Get-VMNetworkAdapter")
    return (adapters, adapters | Cmdlet("Get-VMNetworkAdapterVlan"))


def shown(facts: Facts) -> list[dict[str, Plain]]:
    """The machine's adapters, as a program would ask for them."""
    adapters = list(facts.all("VMNetworkAdapter"))
    # A VLAN setting does not say in a sure way whose it is; piped one by one, they come in the adapters' order.
    settings = list(facts.all("VMNetworkAdapterVlanSetting"))
    paired = settings if len(settings) == len(adapters) else [None] * len(adapters)
    return [_shown(one, vlan) for one, vlan in zip(adapters, paired, strict=True)]


def _shown(adapter: PSObject, vlan: PSObject | None) -> dict[str, Plain]:
    dynamic = adapter["DynamicMacAddressEnabled"] is True
    seen = values(Adapter, [adapter]) | {"mac": "" if dynamic else adapter.text("MacAddress")}
    mode = vlan.text("OperationMode") if vlan else "Untagged"
    trunk = mode == "Trunk" and vlan is not None
    return seen | {
        "vlan": vlan.number("AccessVlanId") if vlan and mode == "Access" else 0,
        "trunk": _listed(vlan["AllowedVlanIdList"]) if vlan and trunk else PRIVATE if mode == "Private" else "",
        "native_vlan": vlan.number("NativeVlanId") if vlan and trunk else 0,
    }


def _listed(vlan_ids: object) -> str:
    return ",".join(str(one) for one in vlan_ids) if isinstance(vlan_ids, tuple) else str(vlan_ids or "")


def found(facts: Facts, known: Properties) -> dict[str, Plain]:
    """The attributes of this file. Where `switch` describes the one adapter, `adapters` are those beside it.

    It is among them where somebody has given it what `switch` and `mac_spoofing` do not say.
    """
    adapters: list[Any] = shown(facts)
    if known.get("adapters") and known.get("switch") is None:
        return {"adapters": adapters}
    if not adapters:
        return {"adapters": []}
    own = _own(adapters, known)
    beside = [one for one in adapters if one is not own or _strayed(one)]
    return {"switch": own["switch"], "mac_spoofing": own["mac_spoofing"], "adapters": beside}


def _own(adapters: list[dict[str, Any]], known: Properties) -> dict[str, Any]:
    """The one adapter that `switch` describes."""
    switch = str(known.get("switch") or "")
    return next((one for one in adapters if same_name(str(one["switch"]), switch)), adapters[0])


def _strayed(own: Properties) -> list[Attribute]:
    """In what the one adapter is not as a machine is born with it, beside what `switch` and `mac_spoofing` describe.

    Its MAC address and its name in the guest are left to the host.
    """
    return differences(Adapter, _plain(own), own)


def _plain(own: Properties) -> dict[str, Any]:
    left = ("switch", "mac_spoofing", "mac", "device_naming")
    return {**_born(own["name"]), **{name: own[name] for name in left}}


def changes(machine: Cmdlet, desired: Properties, now: Found) -> Iterator[Pipeline]:
    """What makes the adapters what is asked for, one by one. Raises ConflictError where two share a name."""
    there = shown(now.facts)
    wild = next((str(one["name"]) for one in there if is_pattern(str(one["name"]))), None)
    if wild is not None:
        raise ConflictError(
            f"adapters: the machine has an adapter named {wild!r}, which Windows takes for a pattern, so that none can "
            "be changed alone. Rename or remove it on the host."
        )
    double = doubled(Adapter, there)
    if double is not None:
        raise ConflictError(
            f"adapters: the machine has two adapters named {double['name']!r}, so that neither can be changed alone. "
            "Rename or remove one on the host."
        )
    if not desired.get("adapters"):
        yield from _only_one(machine, now, there)
        return
    first = desired["adapters"][0]["name"]
    is_newborn = not looked(now.facts)
    asked = [one["name"] for one in desired["adapters"]]
    if is_newborn or (len(there) == 1 and not any(same_name(str(there[0]["name"]), name) for name in asked)):
        # A machine's only adapter becomes the first of the list and keeps its MAC address: the one that New-VM has
        # made, whose name is in the language of Windows, or the one that `switch` described.
        yield machine | Cmdlet("Get-VMNetworkAdapter") | cmdlet("Rename-VMNetworkAdapter", NewName=first)
        there = [_born(first) if is_newborn else {**there[0], "name": first}]
    compared = reconcile(Adapter, desired["adapters"], there)
    for one in compared.extra:
        yield _on_behalf(machine | cmdlet("Remove-VMNetworkAdapter", Name=one["name"]), one)
    for one in compared.missing:
        yield from _add(machine, one)
    for one, _, different in compared.different:
        yield from _settings(machine, one, different)


def remembered(desired: Properties, known: Properties) -> dict[str, Any]:
    """By what the one adapter that `switch` describes is known among others: the switch that it was on."""
    both_short = not desired.get("adapters") and not known.get("adapters")
    return {"switch": known["switch"]} if both_short and known.get("switch") is not None else {}


def _born(name: str) -> dict[str, Plain]:
    """An adapter as New-VM and Add-VMNetworkAdapter make it: not connected, untagged, everything off."""
    return Adapter(name=name).model_dump()


def _add(machine: Cmdlet, adapter: Properties) -> Iterator[Pipeline]:
    """What adds an adapter to a machine that may run: then it takes these two at its birth alone."""
    naming = "On" if adapter["device_naming"] else None
    mac = bare_mac(adapter["mac"]) or None
    making = cmdlet("Add-VMNetworkAdapter", Name=adapter["name"], StaticMacAddress=mac, DeviceNaming=naming)
    yield _on_behalf(machine | making, adapter)
    born = {**_born(adapter["name"]), "mac": adapter["mac"], "device_naming": adapter["device_naming"]}
    yield from _settings(machine, adapter, differences(Adapter, adapter, born))


def _only_one(machine: Cmdlet, now: Found, there: list[dict[str, Any]]) -> Iterator[Pipeline]:
    """What takes away the adapters beside the one that `switch` describes, or adds it; its rows are the machine's."""
    if not looked(now.facts):
        return
    if not there:
        yield machine | cmdlet("Add-VMNetworkAdapter")
        return
    own = _own(there, now.values)
    yield from _settings(machine, _plain(own), _strayed(own))
    for one in there:
        if one is not own:
            yield _on_behalf(machine | cmdlet("Remove-VMNetworkAdapter", Name=one["name"]), one)


def _settings(machine: Cmdlet, adapter: Properties, changed: Sequence[Attribute]) -> Iterator[Pipeline]:
    """What gives one adapter its settings."""
    target = machine | cmdlet("Get-VMNetworkAdapter", Name=adapter["name"])
    names = {one.name for one in changed}
    yield from (_on_behalf(one, adapter) for one in writes(Adapter, target, changed, adapter))
    if "mac" in names:
        mac = bare_mac(adapter["mac"])
        to = {"StaticMacAddress": mac} if mac else {"DynamicMacAddress": True}
        yield _on_behalf(target | Cmdlet("Set-VMNetworkAdapter", to), adapter)
    if names & {"vlan", "trunk", "native_vlan"}:
        yield _on_behalf(target | _vlan(adapter), adapter)


def _vlan(adapter: Properties) -> Cmdlet:
    if adapter["trunk"]:
        return cmdlet(
            "Set-VMNetworkAdapterVlan",
            Trunk=True,
            AllowedVlanIdList=adapter["trunk"],
            NativeVlanId=adapter["native_vlan"],
        )
    if adapter["vlan"]:
        return cmdlet("Set-VMNetworkAdapterVlan", Access=True, VlanId=adapter["vlan"])
    return cmdlet("Set-VMNetworkAdapterVlan", Untagged=True)


def _on_behalf(pipeline: Pipeline, adapter: Properties) -> Pipeline:
    return pipeline.setting(f"adapters[{adapter['name']}]")
