"""The object VMSwitch; Get-, New-, Set-, Rename-, Remove-VMSwitch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import OBJECT, OBJECT_BASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import Setting, change
from hyperv_sim.powershell.targets import WILDCARDS, matcher, switch_named
from hyperv_sim.records import Scalar
from hyperv_sim.state.enumerations import HYPER_V, VMState, VMSwitchBandwidthMode, VMSwitchType
from hyperv_sim.state.switches import Switch
from hyperv_sim.state.switching import add_switch, nats_in_the_way, remove_switch, retype

QUEUES_2019 = ("MaxQueuePairs", "MinQueuePairs", "QueueSchedulingMode", "ExcludePrimaryProcessor")
"""[MicrosoftDocs/windows-powershell-docs#2268 for the same of an adapter: they came with Server 2019]"""

VALUES: Mapping[str, Callable[[Switch], object]] = {
    "Name": lambda switch: switch.name,
    "Id": lambda switch: switch.id,
    "Notes": lambda switch: switch.notes,
    "SwitchType": lambda switch: switch.switch_type,
    "AllowManagementOS": lambda switch: switch.switch_type is VMSwitchType.Internal,
    "NetAdapterInterfaceDescription": lambda switch: switch.net_adapter or None,
    "NetAdapterInterfaceDescriptions": lambda switch: (switch.net_adapter,) if switch.net_adapter else (),
    "ComputerName": lambda switch: switch.host_name,
}

describe_class(
    Switch,
    f"{HYPER_V}.VMSwitch",
    VALUES,
    constants={
        **OBJECT,
        "BandwidthReservationMode": VMSwitchBandwidthMode.Absolute,
        "PacketDirectEnabled": False,
        "EmbeddedTeamingEnabled": False,
        "IovEnabled": False,
        "DefaultFlowMinimumBandwidthAbsolute": 0,
        "DefaultFlowMinimumBandwidthWeight": 0,
    },
    bases=OBJECT_BASES,
    aliases={
        "DefaultQueueVmmqQueuePairs": "DefaultQueueVrssMaxQueuePairs",
        "DefaultQueueVmmqQueuePairsRequested": "DefaultQueueVrssMaxQueuePairsRequested",
    },
    since=dict.fromkeys(
        [
            *(f"DefaultQueueVrss{name}{requested}" for name in QUEUES_2019 for requested in ("", "Requested")),
            "SoftwareRscEnabled",
        ],
        "2019",
    ),
)

SETTINGS = (Setting("Notes", "notes"),)
FAILED = "Failed while modifying virtual Ethernet switch settings."


@cmdlet("Get-VMSwitch", takes=("Name", "Id", "SwitchType"))
def get_vm_switch(call: Call) -> Iterator[object]:
    """Get-VMSwitch, all, by -Name (wildcards, every switch of the name) or by -Id."""
    types = call.get("SwitchType", tuple(VMSwitchType))
    yield from (switch for switch in _matching(call) if switch.switch_type in types)


def _matching(call: Call) -> Iterator[Switch]:
    """A name without wildcards, or an id, that is not there is an error. [windsor; by id inferred from Get-VM]"""
    if "Id" in call.parameters:
        for identity in call.parameters["Id"]:
            if identity in call.host.switches:
                yield call.host.switches[identity]
            else:
                message = f'Hyper-V was unable to find a virtual switch with id "{identity}".'
                call.fail(errors.hyper_v("ObjectNotFound", message, target=Scalar("Guid", identity)))
        return
    name = call.get("Name", "*")
    fits = matcher(name)
    found = [switch for switch in call.host.switches.values() if fits(switch.name)]
    if not found and not any(mark in name for mark in WILDCARDS):
        message = f'Hyper-V was unable to find a virtual switch with name "{name}".'
        raise errors.hyper_v("InvalidParameter", message, target=Scalar("String", name))
    yield from found


@cmdlet("New-VMSwitch", takes=("Name", "SwitchType", "Notes"))
def new_vm_switch(call: Call) -> Iterator[object]:
    """New-VMSwitch -SwitchType Internal or Private: a name in use makes a second switch of that name."""
    if "SwitchType" not in call.parameters:
        raise errors.not_simulated("New-VMSwitch on a physical adapter")
    switch = Switch(
        call.parameters["Name"], call.parameters["SwitchType"], call.get("Notes", ""), host_name=call.host.name
    )
    add_switch(call.host, switch)
    yield switch


@cmdlet("Set-VMSwitch", takes=("Name", "VMSwitch", "SwitchType", "AllowManagementOS", "Notes", "Passthru"))
def set_vm_switch(call: Call) -> Iterator[object]:
    """Set-VMSwitch: notes, and internal or private."""
    given = [name for name in ("SwitchType", "AllowManagementOS", "Notes") if name in call.parameters]
    if not given:
        raise errors.hyper_v("InvalidParameter", f"{FAILED} Specify at least one parameter.")
    for switch in _chosen(call, missing="ObjectNotFound"):
        with call.going_on():
            wanted = _wanted_type(call, switch)
            if "Notes" in call.parameters:
                change(call, None, [(switch, SETTINGS)], FAILED)
            if not any(call.host.hooks.forgets("Set-VMSwitch", name) for name in given if name != "Notes"):
                retype(call.host, switch, wanted)
            if call.get("Passthru"):
                yield switch


def _wanted_type(call: Call, switch: Switch) -> VMSwitchType:
    """-AllowManagementOS $false silently makes an internal switch private. [windsor, set.ps1]"""
    wanted: VMSwitchType = call.get("SwitchType", switch.switch_type)
    if "AllowManagementOS" in call.parameters:
        allowed = call.parameters["AllowManagementOS"]
        if "SwitchType" in call.parameters or (allowed and wanted is VMSwitchType.Private):
            raise errors.not_simulated("Set-VMSwitch -AllowManagementOS with -SwitchType, or true on a private switch")
        wanted = VMSwitchType.Internal if allowed else VMSwitchType.Private
    if wanted is not switch.switch_type:
        if VMSwitchType.External in (wanted, switch.switch_type):
            raise errors.not_simulated("Set-VMSwitch that makes a switch external, or an external one something else")
        _check_free(call, switch, FAILED)
    return wanted


@cmdlet("Rename-VMSwitch", takes=("Name", "VMSwitch", "NewName", "Passthru"))
def rename_vm_switch(call: Call) -> Iterator[object]:
    """Rename-VMSwitch. Whether Windows renames the host's adapter with it is not known; here it keeps its names."""
    for switch in _chosen(call, missing="InvalidParameter"):
        if not call.host.hooks.forgets("Rename-VMSwitch", "NewName"):
            switch.name = call.parameters["NewName"]
        if call.get("Passthru"):
            yield switch


@cmdlet("Remove-VMSwitch", takes=("Name", "VMSwitch", "Force"), confirms=True)
def remove_vm_switch(call: Call) -> Iterator[object]:
    """Remove-VMSwitch: refused under machines that are not off, and while a NAT network needs the host's adapter."""
    for switch in _chosen(call, missing="InvalidParameter"):
        with call.going_on():
            _check_unused(call, switch)
            _check_free(call, switch, f"Failed while removing virtual Ethernet switch '{switch.name}'.")
            remove_switch(call.host, switch)
    yield from ()


def _check_unused(call: Call, switch: Switch) -> None:
    """Machines that are off do not use the switch; whether saved ones do is not known, and here they do."""
    on_it = {
        machine.name
        for machine in call.host.machines.values()
        if machine.state is not VMState.Off and any(adapter.switch is switch for adapter in machine.adapters)
    }
    if on_it:
        raise errors.hyper_v(
            "ObjectInUse",
            f"The virtual switch '{switch.name}' cannot be deleted because it is being used by running virtual "
            "machines or assigned to child pools.",
        )


def _check_free(call: Call, switch: Switch, failed: str) -> None:
    """The message does not say what holds the adapter. [windsor, remove.ps1, for the fact; docker/for-win#4685]"""
    if nats_in_the_way(call.host, switch):
        raise errors.hyper_v("InvalidParameter", f"{failed} Internal miniport delete failed (0x80041008).")


def _chosen(call: Call, *, missing: str) -> Iterator[Switch]:
    """The switches of -VMSwitch or -Name, one at a time. [the errors' ids: public logs; windsor]"""
    if "VMSwitch" in call.parameters:
        given = call.parameters["VMSwitch"]
        for switch in given if isinstance(given, tuple) else (given,):
            if switch.id in call.host.switches:
                yield switch
            else:
                call.fail(errors.hyper_v("ObjectNotFound", f"The switch '{switch.name}' does not exist any more."))
        return
    given = call.parameters["Name"]
    for name in given if isinstance(given, tuple) else (given,):
        if any(mark in name for mark in WILDCARDS):
            raise errors.not_simulated(f"{call.cmdlet.name} with wildcards")
        with call.going_on():
            yield switch_named(call.host, name, missing=missing)


fact(
    "Get-VMSwitch",
    "Server 2016 shows no limits and no scheduling of queues, and no software RSC",
    "MicrosoftDocs/windows-powershell-docs#2268; Microsoft's list of what is new in the networking of Server 2019",
)
fact(
    "Get-VMSwitch",
    "the bandwidth mode of a new switch is Absolute; the numbers of queue pairs have aliases",
    "dsccommunity/HyperVDsc#48; tests of intel/mfd-hyperv",
)
fact(
    "Get-VMSwitch",
    "a missing name is `InvalidParameter`, a missing id `ObjectNotFound`",
    f"{WINDSOR}; the second inferred from Get-VM",
)
fact("New-VMSwitch", "a name in use makes a second switch of that name; internal and private ones only", "Lability#326")
fact(
    "New-VMSwitch",
    'an internal one makes the host\'s adapter "vEthernet (NAME)", with a number if that is taken',
    "Microsoft's NAT guide; autolab",
)
fact("New-VMSwitch", "the adapter can come some listings later (`network.adapter_delay`)", "autolab waits for it")
fact("Set-VMSwitch", "nothing to set is an error; its id is guessed", f"{WINDSOR}; id {UNKNOWN}")
fact("Set-VMSwitch", "-AllowManagementOS $false on an internal switch makes it private, in silence", WINDSOR)
fact("Set-VMSwitch", "two switches of the name: an error, and none is changed", f"Lability#326; id {UNKNOWN}")
fact("Rename-VMSwitch", "the host's adapter keeps its names", UNKNOWN)
fact(
    "Remove-VMSwitch",
    "refused while a NAT network holds an address of its adapter: `InvalidParameter` with 0x80041008",
    f"{WINDSOR} for the fact; docker/for-win#4685 for id and number, whose cause is inferred",
)
fact(
    "Remove-VMSwitch",
    "refused under machines that are not off (`ObjectInUse`, ResourceBusy)",
    "AutomatedLab/AutomatedLab#164, eryph-org/eryph#252, dsccommunity/HyperVDsc#193; that a saved one counts: stricter",
)
fact("Remove-VMSwitch", "asks unless -Force; machines' adapters stay, unconnected", f"{REFERENCE}; the last inferred")
