"""What is done with a machine's disks: looked up, made, attached, detached, each in a slot of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any
from uuid import UUID

from nestedlab.errors import NotFoundError, RefusedError
from nestedlab.lifecycle import SideEffect
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.disks import read
from nestedlab.machine.disks.changes import DiskChange, called, disk_changes, disk_side_effects, lost_in_a_reset
from nestedlab.machine.disks.slots import by_location
from nestedlab.machine.disks.table import Disk, both_made
from nestedlab.machine.facet import Facet
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import NestedHyperVHost, ObservedMachine
from nestedlab.nouns import GIB_BYTES
from nestedlab.ownership import is_made_for
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, Step, cmdlet, statement


class Disks(Facet):
    """The disk that the machine starts from, and its data disks."""

    attributes = frozenset({"os_disk", "data_disks"})

    def reads(self, machine: UUID) -> tuple[Pipeline, ...]:
        """What shows the machine's drives and the files in them."""
        return read.reads(machine)

    def observe(self, facts: Facts, known: ObservedMachine) -> Mapping[str, Any]:
        """The disks in their slots, and the files that were made for the machine."""
        return read.observe(facts, known)

    def lookup(self, inputs: NestedHyperVHost, now: ObservedMachine | None) -> Iterator[Pipeline]:
        """What shows the images and given disks that are not attached yet, and the folder to make disks in."""
        if now is not None and now.facts.first("VMHost") is None and _makes_some(inputs, now):
            yield statement("Get-VMHost")
        for path in dict.fromkeys(_needed(_new(inputs, now)).values()):
            yield statement("Get-VHD", Path=path).tolerating(ErrorKind.BUSY, *read.UNREADABLE)

    def validate(self, facts: Facts, inputs: NestedHyperVHost, now: ObservedMachine | None) -> None:
        """Raise if an image or a given disk is not there, cannot be read, or is larger than the disk asked for."""
        there = {PureWindowsPath(file.text("Path")): file for file in facts.all("VirtualHardDisk")}
        new = _new(inputs, now)
        for location, disk in new.items():
            image = there.get(PureWindowsPath(disk.parent or ""))
            if image is not None and disk.size_gib and disk.size_gib * GIB_BYTES < image.number("Size"):
                size = image.number("Size") / GIB_BYTES
                raise RefusedError(f"{called(location)}.size_gib: the image has {size:g} GiB. Ask for at least that.")
        for name, path in _needed(new).items():
            if PureWindowsPath(path) not in there:
                raise NotFoundError(
                    f"{name}: {path} is not a virtual disk on the host, or it cannot be read. "
                    "Check the path, as the host sees it, and that no other machine is writing to the file."
                )

    def side_effects(self, changes: MachineChanges) -> Iterator[SideEffect]:
        """Disks that a checkpoint holds, and data disks that are lost."""
        yield from disk_side_effects(disk_changes(changes.inputs, changes.state))
        if changes.resets:
            yield from lost_in_a_reset(changes.inputs, changes.state)

    def prepare(self, changes: MachineChanges) -> Sequence[Step]:
        """Raise RefusedError if a disk that is to stay cannot be read: nothing is changed then, nor turned off."""
        disks = disk_changes(changes.inputs, changes.state)
        stuck = [change.unreadable for change in disks if change.is_stuck]
        if stuck:
            raise RefusedError(" ".join(stuck))
        return ()

    def apply(self, changes: MachineChanges) -> Iterator[Pipeline]:
        """What makes the disks what is asked for, slot by slot."""
        slots = _slots(changes)
        # First all that is taken out: a disk may go from one slot to another.
        for slot in slots:
            if slot.change.detaches:
                yield slot.detach().setting(called(slot.change.location))
        for slot in slots:
            for pipeline in slot.put_in(_kept(slot, changes)):
                yield pipeline.setting(called(slot.change.location))

    def before_start(self, changes: MachineChanges, facts: Facts) -> Step | None:  # noqa: ARG002 - as changes have it
        """What cannot be undone, once all the rest is done: the files of disks that nobody wants any more.

        In one step with the rest they would go even if Windows refuses to take their disks out. The step's purpose
        names them, so that an error does: of a machine that no state knows they are recorded nowhere.
        """
        slots = _slots(changes)
        gone = [slot.file for slot in slots if slot.change.deletes]
        detached = read.removable(changes.state, after_reset=changes.after_reset)
        files = list(_removable([*gone, *detached], changes.state.id, _staying(changes, slots)))
        if not files:
            return None
        purpose = f"remove the files of disks that are not wanted any more ({', '.join(files)})"
        return Step(purpose, tuple(_removal(file) for file in files))


def _slots(changes: MachineChanges) -> list[_Slot]:
    disks = disk_changes(changes.inputs, changes.state, after_reset=changes.after_reset)
    return [_slot(changes, change) for change in disks]


def _makes_some(inputs: NestedHyperVHost, now: ObservedMachine) -> bool:
    """Whether a file may have to be made, so that its folder must be known."""
    there = by_location(now.inputs)
    return any(
        not disk.is_given and not both_made(there.get(location), disk) for location, disk in by_location(inputs).items()
    )


def _new(inputs: NestedHyperVHost, now: ObservedMachine | None) -> dict[int, Disk]:
    """The disks that are to be put in. A given one that is in some slot of the machine already is there, and in use."""
    if now is None:
        return by_location(inputs)
    there = by_location(now.inputs)
    attached = [PureWindowsPath(drive.text("Path")) for drive in read.drives(now.facts).values()]
    return {
        location: disk
        for location, disk in by_location(inputs).items()
        if not both_made(there.get(location), disk) and PureWindowsPath(disk.path or "") not in attached
    }


def _needed(new: Mapping[int, Disk]) -> dict[str, str]:
    """The files that must be there, by the property that names them."""
    return {
        f"{called(location)}.{name}": path
        for location, disk in new.items()
        for name, path in (("parent", disk.parent), ("path", disk.path))
        if path is not None
    }


def files_to_make(machine: UUID, inputs: NestedHyperVHost, folder: str) -> list[str]:
    """The files that creating the machine makes."""
    return [
        read.made_path(machine, inputs.name, folder, location)
        for location, disk in by_location(inputs).items()
        if not disk.is_given
    ]


def folder_of(inputs: NestedHyperVHost, facts: Facts) -> str:
    """The folder that disks are made in: the machine's own if it was given one, else the host's for disks."""
    machine, host = facts.first("VirtualMachine"), facts.first("VMHost")
    if inputs.path is None and host is not None:
        return host.text("VirtualHardDiskPath")
    return machine.text("Path") if machine is not None else ""


@dataclass(frozen=True)
class _Slot:
    """A place for a disk: the file that is in it ("" for none), and the file that would be made for it."""

    machine: UUID
    change: DiskChange
    file: str
    made: str

    def detach(self) -> Pipeline:
        """What takes the disk out."""
        # By number and location alone: -ControllerType fails here on some builds (windsorcli's provider), and a
        # Generation 2 machine has none but SCSI controllers.
        drive = cmdlet("Get-VMHardDiskDrive", ControllerNumber=0, ControllerLocation=self.change.location)
        return machine_by_id(self.machine) | drive | cmdlet("Remove-VMHardDiskDrive")

    def put_in(self, kept: bool) -> Iterator[Pipeline]:  # noqa: FBT001 - a fact about the slot, not a mode
        """What resizes the disk, or makes the file that is asked for and attaches it."""
        if self.change.grows_to is not None:
            yield statement("Resize-VHD", Path=self.file, SizeBytes=self.change.grows_to * GIB_BYTES)
        disk = self.change.attaches
        if disk is None:
            return
        if self.change.from_scratch and not kept:
            yield statement("Remove-Item", LiteralPath=self.made).tolerating(ErrorKind.ABSENT)
        yield from _make(self.made, disk, kept=kept)
        yield machine_by_id(self.machine) | cmdlet(
            "Add-VMHardDiskDrive",
            ControllerType="SCSI",
            ControllerNumber=0,
            ControllerLocation=self.change.location,
            Path=self.made if disk.path is None else disk.path,
        )


def _slot(changes: MachineChanges, change: DiskChange) -> _Slot:
    now = changes.state
    drive = read.drives(now.facts).get(change.location)
    made = read.file_for(now, change.location) or read.made_path(
        now.id, changes.inputs.name, folder_of(changes.inputs, now.facts), change.location
    )
    return _Slot(now.id, change, drive.text("Path") if drive else "", made)


def _kept(slot: _Slot, changes: MachineChanges) -> bool:
    """Whether the file that would be made is one that was kept of an earlier disk: then it is not this one."""
    disk = slot.change.attaches
    stayed = [PureWindowsPath(path) for path in changes.state.outputs.kept_disks or ()]
    return disk is not None and not disk.keep and PureWindowsPath(slot.made) in stayed


def _staying(changes: MachineChanges, slots: Sequence[_Slot]) -> list[str]:
    """The files that are asked for, or stay in a slot."""
    now, changed = changes.state, {slot.change.location: slot for slot in slots}
    asked_for = [
        disk.path if disk.path is not None else _made_in(changes, location)
        for location, disk in by_location(changes.inputs).items()
    ]
    attached = [
        read.base_of(drive.text("Path"))
        for location, drive in read.drives(now.facts).items()
        if location not in changed or not changed[location].change.detaches
    ]
    return [*asked_for, *attached]


def _made_in(changes: MachineChanges, location: int) -> str:
    return _slot(changes, DiskChange(location, None, None)).made


def _removable(files: Sequence[str], machine: UUID, staying: Sequence[str]) -> Iterator[str]:
    """The files that were made for the machine and are wanted in no slot, and none but these."""
    wanted = [PureWindowsPath(path) for path in staying]
    for file in dict.fromkeys(files):
        if is_made_for(PureWindowsPath(file).stem, machine) and PureWindowsPath(file) not in wanted:
            yield file


def _removal(file: str) -> Pipeline:
    return statement("Remove-Item", LiteralPath=file).tolerating(ErrorKind.ABSENT)


def _make(path: str, disk: Disk, *, kept: bool) -> Iterator[Pipeline]:
    """What makes the file. One of this name is there already only if an earlier attempt has made it.

    Or if a disk that was `kept` is there, which is not this one: then Windows says that it is.
    """
    if disk.is_given:
        return
    size = disk.size_gib * GIB_BYTES if disk.size_gib is not None else None
    if disk.parent is not None:
        making = statement("New-VHD", Path=path, ParentPath=disk.parent, Differencing=True)
    elif disk.fixed:
        making = statement("New-VHD", Path=path, SizeBytes=size, Fixed=True)
    else:
        making = statement("New-VHD", Path=path, SizeBytes=size, Dynamic=True)
    yield making if kept else making.tolerating(ErrorKind.EXISTS)
    if disk.parent is not None and size is not None:
        # A differencing disk is created with its parent's size (New-VHD). One that has the asked size already is
        # refused here; whether it has is read back.
        yield statement("Resize-VHD", Path=path, SizeBytes=size).tolerating(ErrorKind.INVALID)
