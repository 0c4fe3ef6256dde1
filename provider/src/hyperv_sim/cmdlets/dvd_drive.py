"""The object DvdDrive; Add-, Get-, Set-, Remove-VMDvdDrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.components import DRIVE, DRIVE_BASES, DRIVE_VALUES, PART_ALIASES
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import each, machines, named
from hyperv_sim.state.components import component_text
from hyperv_sim.state.enumerations import HYPER_V, ControllerType, DvdMediaType, VMState
from hyperv_sim.state.machines import DvdDrive, Machine, Slot

SLOT = ("ControllerNumber", "ControllerLocation")
FAILED = "Failed to modify device 'Virtual CD/DVD Disk'."


def _name(drive: DvdDrive) -> str:
    kind, number, location = drive.slot
    return f"DVD Drive on {kind.text} controller number {number} at location {location}"


VALUES: Mapping[str, Callable[[DvdDrive], object]] = {
    **DRIVE_VALUES,
    "DvdMediaType": lambda drive: DvdMediaType.ISO if drive.path else DvdMediaType.None_,
    "Name": _name,
}

describe_class(
    DvdDrive,
    f"{HYPER_V}.DvdDrive",
    VALUES,
    constants=DRIVE,
    bases=DRIVE_BASES,
    aliases=PART_ALIASES,
    text=lambda drive: component_text("DvdDrive", _name(drive), drive.machine, drive.id),
)


@cmdlet("Get-VMDvdDrive", takes=("VMName", "VM", *SLOT))
def get_vm_dvd_drive(call: Call) -> Iterator[object]:
    """Get-VMDvdDrive, all of a machine's or those of a controller's number and location."""
    for machine in machines(call):
        yield from _in_slot(call, machine)


def _in_slot(call: Call, machine: Machine) -> list[DvdDrive]:
    wanted = [call.get(name) for name in SLOT]
    found = sorted(machine.dvd_drives, key=lambda drive: (drive.controller_type.value, *drive.slot[1:]))
    return [
        drive for drive in found if all(part in (None, own) for part, own in zip(wanted, drive.slot[1:], strict=True))
    ]


@cmdlet("Add-VMDvdDrive", takes=("VMName", "VM", *SLOT, "Path", "Passthru"))
def add_vm_dvd_drive(call: Call) -> Iterator[object]:
    """Add-VMDvdDrive: empty or with an image, in the given slot or the next free one, while the machine is off."""

    def add(machine: Machine) -> Iterator[object]:
        slot = _new_slot(call, machine)
        if machine.state is not VMState.Off:
            raise wrong_state(FAILED)
        path = call.get("Path", "")
        if "Path" in call.parameters:
            _check_image(call, path)
        drive = DvdDrive(machine, *slot, path)
        machine.dvd_drives.append(drive)
        if call.get("Passthru"):
            yield drive

    yield from each(call, machines(call), add)


def _new_slot(call: Call, machine: Machine) -> Slot:
    """The first free slot with what was given of number and location: IDE in generation 1, SCSI in generation 2."""
    kind = ControllerType.IDE if machine.generation == 1 else ControllerType.SCSI
    given = [call.get(name) for name in SLOT]
    for slot in machine.free_slots():
        if slot[0] is kind and all(part in (None, own) for part, own in zip(given, slot[1:], strict=True)):
            return slot
    raise errors.hyper_v("InvalidParameter", "Failed to add device: the slot is occupied or does not exist.")


def _check_image(call: Call, path: str) -> None:
    """Raise InvalidParameter for what is no ISO image on the host."""
    file = call.host.files.find(path)
    if file is None or file.is_folder or not path.lower().endswith(".iso"):
        raise errors.hyper_v("InvalidParameter", f"{FAILED} The path '{path}' is not that of an ISO image.")


@cmdlet("Set-VMDvdDrive", takes=("VMName", *SLOT, "VMDvdDrive", "Path", "Passthru"), nulls=("Path",))
def set_vm_dvd_drive(call: Call) -> Iterator[object]:
    """Set-VMDvdDrive -Path: inserts an image, $null takes it out; in any state but Saved."""
    if "Path" not in call.parameters:
        raise errors.not_simulated("Set-VMDvdDrive without -Path")
    path = call.parameters["Path"]
    for drive in _chosen(call):
        with call.going_on():
            if drive.machine.state is VMState.Saved:
                raise wrong_state(FAILED)
            if path is not None:
                _check_image(call, path)
            if not call.host.hooks.forgets(call.cmdlet.name, "Path"):
                drive.path = path or ""
            if call.get("Passthru"):
                yield drive


@cmdlet("Remove-VMDvdDrive", takes=("VMName", *SLOT, "VMDvdDrive", "Passthru"))
def remove_vm_dvd_drive(call: Call) -> Iterator[object]:
    """Remove-VMDvdDrive, while the machine is off."""
    for drive in _chosen(call):
        with call.going_on():
            if drive.machine.state is not VMState.Off:
                raise wrong_state(FAILED)
            drive.machine.dvd_drives.remove(drive)
            if call.get("Passthru"):
                yield drive


def _chosen(call: Call) -> Iterator[DvdDrive]:
    """The drives piped in, or the one in the slot that is given in full."""
    if "VMDvdDrive" not in call.parameters:
        if any(name not in call.parameters for name in SLOT):
            raise errors.not_simulated(f"{call.cmdlet.name} without a slot in full")
        for machine in named(call.host, call.parameters["VMName"], missing="ObjectNotFound"):
            with call.going_on():
                yield from _in_slot(call, machine) or _missing()
    for drive in call.get("VMDvdDrive", ()):
        with call.going_on():
            there = drive.machine.id in call.host.machines and drive in drive.machine.dvd_drives
            yield from (drive,) if there else _missing()


def _missing() -> list[DvdDrive]:
    raise errors.hyper_v("ObjectNotFound", "No DVD drive is found in this slot.")


fact("Add-VMDvdDrive", "generation 1 on IDE, generation 2 on SCSI; slots are shared with hard disks", REFERENCE)
fact("Add-VMDvdDrive", "an occupied slot: `InvalidParameter`", f"{WINDSOR}; id inferred")
fact("Add-VMDvdDrive", "drives come and go only while off", f"{UNKNOWN}; stricter")
fact(
    "Add-VMDvdDrive",
    "an image that is missing: `InvalidParameter`; so too what does not end in .iso, and a folder",
    f"public code that catches it, {WINDSOR}; the name and the folder {UNKNOWN}",
)
fact("Set-VMDvdDrive", "media change while running; -Path $null empties the drive", "code of lability and taliesins")
fact("Set-VMDvdDrive", "refused while saved (`InvalidState`)", UNKNOWN)
fact("Get-VMDvdDrive", "Path of an empty drive is empty text", WINDSOR)
fact(
    "Get-VMDvdDrive",
    "a slot without a drive gives nothing; Set- and Remove-VMDvdDrive fail there",
    f"{UNKNOWN}; {WINDSOR}",
)
fact(
    "Remove-VMDvdDrive",
    "only while off; an empty slot is `ObjectNotFound`",
    f"{WINDSOR} for the slot; the state {UNKNOWN}",
)
