"""The object VMNetworkAdapterVlanSetting; Get- and Set-VMNetworkAdapterVlan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, fact
from hyperv_sim.powershell.adapters import chosen, on_host
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import OBJECT, OBJECT_BASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.state.enumerations import HYPER_V, VMNetworkAdapterVlanMode
from hyperv_sim.state.machines import Adapter, Vlan

FAILED = "Failed to modify the VLAN settings."
HIGHEST = 4094
NAME = "VMNetworkAdapterName"
WHICH = ("VMName", "VM", "VMNetworkAdapter", "ManagementOS", NAME)
MODES = {
    "Untagged": frozenset[str](),
    "Access": frozenset({"VlanId"}),
    "Trunk": frozenset({"AllowedVlanIdList", "NativeVlanId"}),
}
"""The modes that are simulated, and what each must be given with."""


def ranges(ids: Sequence[int]) -> str:
    """Ids as Windows lists them: runs as 1-100, all parted by commas."""
    runs: list[list[int]] = []
    for vlan_id in ids:
        if runs and vlan_id == runs[-1][-1] + 1:
            runs[-1].append(vlan_id)
        else:
            runs.append([vlan_id])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


VALUES: Mapping[str, Callable[[Vlan], object]] = {
    "OperationMode": lambda vlan: vlan.mode,
    "AccessVlanId": lambda vlan: vlan.access_id,
    "NativeVlanId": lambda vlan: vlan.native_id,
    "AllowedVlanIdList": lambda vlan: vlan.allowed_ids,
    "AllowedVlanIdListString": lambda vlan: ranges(vlan.allowed_ids),
    "ParentAdapter": lambda vlan: vlan.adapter,
    "ComputerName": lambda vlan: vlan.adapter.machine.host_name if vlan.adapter.machine else None,
}

describe_class(
    Vlan,
    f"{HYPER_V}.VMNetworkAdapterVlanSetting",
    VALUES,
    constants={
        **OBJECT,
        "PrimaryVlanId": 0,
        "SecondaryVlanId": 0,
        "PrivateVlanMode": 0,
        "SecondaryVlanIdList": None,
        "SecondaryVlanIdListString": None,
        "IsTemplate": False,
    },
    bases=(f"{HYPER_V}.VMNetworkAdapterFeatureBase", *OBJECT_BASES),
)


@cmdlet("Get-VMNetworkAdapterVlan", takes=WHICH)
def get_vm_network_adapter_vlan(call: Call) -> Iterator[object]:
    """Get-VMNetworkAdapterVlan: one setting for each adapter, in the adapters' order."""
    for adapter in _adapters(call):
        yield adapter.vlan


@cmdlet(
    "Set-VMNetworkAdapterVlan",
    takes=(*WHICH, *MODES, "VlanId", "AllowedVlanIdList", "NativeVlanId", "Passthru"),
)
def set_vm_network_adapter_vlan(call: Call) -> Iterator[object]:
    """Set-VMNetworkAdapterVlan: -Untagged, -Access -VlanId or -Trunk -AllowedVlanIdList -NativeVlanId, in any state."""
    wanted = _wanted(call)
    for adapter in list(_adapters(call)):
        if not any(call.host.hooks.forgets(call.cmdlet.name, name) for name in call.parameters):
            adapter.vlan.mode, adapter.vlan.access_id, adapter.vlan.native_id, adapter.vlan.allowed_ids = wanted
        if call.get("Passthru"):
            yield adapter.vlan


def _adapters(call: Call) -> Iterator[Adapter]:
    if call.get("ManagementOS"):
        yield from on_host(call, NAME)
    elif not {"VMName", "VM", "VMNetworkAdapter"} & call.parameters.keys():
        raise errors.not_simulated(f"{call.cmdlet.name} without a machine")
    else:
        yield from chosen(call, NAME)


def _wanted(call: Call) -> tuple[VMNetworkAdapterVlanMode, int, int, tuple[int, ...]]:
    """The mode and its ids; the ids that a mode has no use for become 0. Raises CmdletError."""
    given = frozenset({"VlanId", "AllowedVlanIdList", "NativeVlanId"} & call.parameters.keys())
    modes = [name for name in MODES if call.get(name)]
    if len(modes) != 1 or given != MODES[modes[0]]:
        raise errors.hyper_v("InvalidParameter", f"{FAILED} One mode is needed, with its own ids and no others.")
    mode = VMNetworkAdapterVlanMode[modes[0]]
    access, native = call.get("VlanId", 0), call.get("NativeVlanId", 0)
    allowed = _listed(call.get("AllowedVlanIdList", ""))
    lowest = 1 if mode is VMNetworkAdapterVlanMode.Access else 0
    if not (lowest <= access <= HIGHEST and 0 <= native <= HIGHEST):
        raise errors.hyper_v("InvalidParameter", f"{FAILED} A VLAN id is out of range.")
    if mode is VMNetworkAdapterVlanMode.Trunk and not allowed:
        raise errors.hyper_v("InvalidParameter", f"{FAILED} The list of allowed VLAN ids is not valid.")
    return mode, access, native, allowed


def _listed(text: str) -> tuple[int, ...]:
    """The ids of a list such as 1-100,200, in ascending order; none if the text is no such list."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        ends = [end.strip() for end in part.split("-")]
        if len(ends) > 2 or not all(end.isascii() and end.isdecimal() for end in ends):
            return ()
        first, last = int(ends[0]), int(ends[-1])
        if not 0 <= first <= last <= HIGHEST:
            return ()
        found.update(range(first, last + 1))
    return tuple(sorted(found)) if any(found) else ()


fact("Get-VMNetworkAdapterVlan", "one object for each adapter; which adapter, ParentAdapter says", REFERENCE)
fact(
    "Get-VMNetworkAdapterVlan",
    "PrivateVlanMode is 0, which is no member, and the lists of a private VLAN are null, outside of private mode",
    "tests of intel/mfd-hyperv",
)
fact("Get-VMNetworkAdapterVlan", "AllowedVlanIdListString shows runs as 1-100", "tests of microsoft/SdnDiagnostics")
fact("Get-VMNetworkAdapterVlan", "runs are parted by commas without a space", "inferred")
fact(
    "Set-VMNetworkAdapterVlan",
    "-Access needs -VlanId, -Trunk needs both -AllowedVlanIdList and -NativeVlanId",
    REFERENCE,
)
fact(
    "Set-VMNetworkAdapterVlan",
    "-AllowedVlanIdList may begin with 0, and is not 0 alone",
    f"Microsoft's guide to virtual machines on Azure Local (0-1000); alone, and what is then shown, {UNKNOWN}",
)
fact("Set-VMNetworkAdapterVlan", "anything else, or an id beyond 4094: `InvalidParameter`", f"id {UNKNOWN}")
fact("Set-VMNetworkAdapterVlan", "in any state of the machine", "inferred: it is a setting of the switch's port")
fact("Set-VMNetworkAdapterVlan", "private VLANs (-Isolated, -Community, -Promiscuous) are refused", "not simulated")
