"""The object HardDiskDrive; Get-, Add-, Set-, Remove-VMHardDiskDrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hyperv_sim import errors
from hyperv_sim.fidelity import UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import DRIVE, DRIVE_BASES, DRIVE_VALUES, PART_ALIASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import each, machines, named
from hyperv_sim.state.checkpoints import is_differences
from hyperv_sim.state.components import component_text
from hyperv_sim.state.disks import chain, open_for_writing
from hyperv_sim.state.enumerations import HYPER_V, ControllerType, VMState
from hyperv_sim.state.machines import Drive, Machine, Slot

SLOT = ("ControllerType", "ControllerNumber", "ControllerLocation")


def _name(drive: Drive) -> str:
    kind, number, location = drive.slot
    return f"Hard Drive on {kind.text} controller number {number} at location {location}"


VALUES: Mapping[str, Callable[[Drive], object]] = {
    **DRIVE_VALUES,
    "MaximumIOPS": lambda drive: drive.maximum_iops,
    "MinimumIOPS": lambda drive: drive.minimum_iops,
    "WriteHardeningMethod": lambda drive: drive.cache,
    "Name": _name,
}

describe_class(
    Drive,
    f"{HYPER_V}.HardDiskDrive",
    VALUES,
    constants={
        **DRIVE,
        "DiskNumber": None,
        "QoSPolicyID": None,
        "SupportPersistentReservations": False,
    },
    bases=DRIVE_BASES,
    aliases=PART_ALIASES,
    text=lambda drive: component_text("HardDiskDrive", _name(drive), drive.machine, drive.id),
)


@cmdlet("Get-VMHardDiskDrive", takes=("VMName", "VM", "ControllerNumber", "ControllerLocation"))
def get_vm_hard_disk_drive(call: Call) -> Iterator[object]:
    """Get-VMHardDiskDrive, all of a machine's or those at a number and location.

    The reference's -ControllerType fails on a real host, says one report.
    """
    place = (call.get("ControllerNumber"), call.get("ControllerLocation"))
    for machine in machines(call):
        for drive in sorted(machine.drives, key=lambda drive: (drive.controller_type.value, *drive.slot[1:])):
            if all(wanted in (None, part) for wanted, part in zip(place, drive.slot[1:], strict=True)):
                yield drive


@cmdlet("Add-VMHardDiskDrive", takes=("VMName", "VM", *SLOT, "Path", "Passthru"))
def add_vm_hard_disk_drive(call: Call) -> Iterator[object]:
    """Add-VMHardDiskDrive: a file, in the given slot or the next free one."""
    if "Path" not in call.parameters:
        raise errors.not_simulated("Add-VMHardDiskDrive without -Path")

    def add(machine: Machine) -> Iterator[object]:
        slot = _new_slot(call, machine)
        _check_change(machine, slot[0])
        _check_disk(call, machine, call.parameters["Path"])
        drive = Drive(machine, *slot, call.parameters["Path"])
        machine.drives.append(drive)
        if machine.state is VMState.Running:
            open_for_writing(call.host.files, drive.path)
        if call.get("Passthru"):
            yield drive

    yield from each(call, machines(call), add)


def _new_slot(call: Call, machine: Machine) -> Slot:
    """The first free slot that has what was given of type, number and location."""
    given = [call.get(name) for name in SLOT]
    if machine.generation == 2 and given[0] is ControllerType.IDE:
        raise errors.hyper_v("InvalidParameter", "A generation 2 virtual machine has no IDE controller.")
    for slot in machine.free_slots():
        if all(wanted in (None, part) for wanted, part in zip(given, slot, strict=True)):
            return slot
    raise errors.hyper_v("InvalidParameter", "Failed to add device: the slot is occupied or does not exist.")


def _check_change(machine: Machine, kind: ControllerType) -> None:
    """SCSI disks come and go while a machine runs, IDE disks only while it is off."""
    hot = machine.state is VMState.Running and kind is ControllerType.SCSI
    if machine.state is not VMState.Off and not hot:
        raise wrong_state("Failed to modify device 'Hard Disk Drive'.")


def _check_disk(call: Call, machine: Machine, path: str) -> None:
    failed = f"Failed to add device 'Virtual Hard Disk'. The attachment '{path}'"
    if is_differences(path):
        raise errors.not_simulated("attaching a checkpoint's differences")
    file = call.host.files.find(path)
    if file is None or file.disk is None:
        raise errors.hyper_v("OperationFailed", f"{failed} was not found or is no virtual disk. (0x80070002).")
    if machine.state is VMState.Running:
        chain(call.host.files, path, failed)
    users = [drive.machine for drive in call.host.drives_on(path)]
    if machine in users or any(user.state is not VMState.Off for user in users):
        raise errors.hyper_v("ObjectInUse", f"{failed} is in use by a virtual machine. (0x80070020).")
    if machine.generation == 2 and path.lower().endswith(".vhd"):
        raise errors.hyper_v("InvalidParameter", f"{failed} is in the format VHD, for generation 1 only.")


@cmdlet("Remove-VMHardDiskDrive", takes=("VMName", *SLOT, "VMHardDiskDrive", "Passthru"))
def remove_vm_hard_disk_drive(call: Call) -> Iterator[object]:
    """Remove-VMHardDiskDrive: detaches, the file stays."""
    for drive in _chosen(call):
        with call.going_on():
            _check_change(drive.machine, drive.controller_type)
            drive.machine.drives.remove(drive)
            if call.get("Passthru"):
                yield drive


@cmdlet("Set-VMHardDiskDrive", takes=("VMName", *SLOT, "VMHardDiskDrive", "Path", "Passthru"))
def set_vm_hard_disk_drive(call: Call) -> Iterator[object]:
    """Set-VMHardDiskDrive -Path, while the machine is off."""
    if "Path" not in call.parameters:
        raise errors.not_simulated("Set-VMHardDiskDrive without -Path")
    for drive in _chosen(call):
        with call.going_on():
            if drive.machine.state is not VMState.Off:
                raise wrong_state("Failed to modify device 'Hard Disk Drive'.")
            _check_disk(call, drive.machine, call.parameters["Path"])
            if not call.host.hooks.forgets(call.cmdlet.name, "Path"):
                drive.path = call.parameters["Path"]
            if call.get("Passthru"):
                yield drive


def _chosen(call: Call) -> Iterator[Drive]:
    """The drives piped in, or the one in the slot that is given in full."""
    for drive in call.get("VMHardDiskDrive", ()):
        with call.going_on():
            if drive.machine.id not in call.host.machines or drive not in drive.machine.drives:
                raise _no_drive()
            yield drive
    if "VMHardDiskDrive" in call.parameters:
        return
    if any(name not in call.parameters for name in SLOT):
        raise errors.not_simulated(f"{call.cmdlet.name} without a slot in full")
    slot = tuple(call.parameters[name] for name in SLOT)
    for machine in named(call.host, call.parameters["VMName"], missing="ObjectNotFound"):
        found = [drive for drive in machine.drives if drive.slot == slot]
        with call.going_on():
            if not found:
                raise _no_drive()
            yield from found


def _no_drive() -> errors.CmdletError:
    return errors.hyper_v("ObjectNotFound", "No hard disk drive is found in this slot.")


fact(
    "Get-VMHardDiskDrive",
    "-ControllerType is refused: it is in the reference and fails on a host; -ControllerNumber and -Location narrow",
    WINDSOR,
)
fact(
    "Add-VMHardDiskDrive",
    "the next free slot unless one is given; IDE on generation 2 and an occupied slot are `InvalidParameter`",
    f"{WINDSOR}; dsccommunity/HyperVDsc#125 for IDE; the other id inferred",
)
fact(
    "Get-VMHardDiskDrive",
    "pool, numbers of operations, reservations; no disk number and no policy of a file",
    "Microsoft's guide to storage QoS; test data of techthoughts' Diag-V",
)
fact("Add-VMHardDiskDrive", "SCSI while running, IDE only while off", "inferred")
fact(
    "Add-VMHardDiskDrive",
    "a missing file is `OperationFailed`, one that another machine runs on `ObjectInUse`",
    f"MicrosoftDocs/windows-powershell-docs#2286 for a missing share; the second {UNKNOWN}",
)
fact(
    "Add-VMHardDiskDrive",
    "a VHD of generation 2: `InvalidParameter`; so too New-VM",
    f"Microsoft's blog on generation 2: not supported; stricter, JoshuaWierenga/EfiSharp#25 attached one; id {UNKNOWN}",
)
fact("Remove-VMHardDiskDrive", "an empty slot is `ObjectNotFound`; the file stays", WINDSOR)
fact("Set-VMHardDiskDrive", "-Path only, while off", UNKNOWN)
