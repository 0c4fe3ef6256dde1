"""Checkpoints of machines: settings as they were, and chains of differencing disks that are merged later.

A checkpoint keeps the disks' files as they are; the machine writes to new ones on top of them, NAME_GUID.avhdx.
Once it is removed, a file that nobody needs by itself any more is merged with the one file on top of it.
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator, Sequence
from copy import copy
from typing import TypeVar
from uuid import uuid4

from hyperv_sim.state.disks import HEADERS, chain, differencing, open_for_writing
from hyperv_sim.state.enumerations import VMState
from hyperv_sim.state.files import File, Files
from hyperv_sim.state.machines import Checkpoint, Drive, Machine
from hyperv_sim.state.world import Host, Merge

T = TypeVar("T")

DIFFERENCES = ".avhdx"
SINGLE_PARTS = ("processor", "memory", "firmware", "security")
LISTED_PARTS = ("drives", "dvd_drives", "scsi_controllers", "integration_services", "adapters")
RESTORED = (
    *("notes", "automatic_start_action", "automatic_start_delay", "automatic_stop_action"),
    *("automatic_critical_error_action", "automatic_critical_error_minutes", "automatic_checkpoints"),
    *("checkpoint_type", "lock_on_disconnect", "guest_controlled_cache_types"),
    *("low_memory_mapped_io_space", "high_memory_mapped_io_space"),
    *SINGLE_PARTS,
    *LISTED_PARTS,
)
"""What of a machine comes back with a checkpoint. Its name and its folders stay."""


def _copied(source: Machine, machine: Machine) -> Machine:
    """A machine's settings with parts of their own, which belong to `machine`."""
    made = copy(source)
    made.checkpoints, made.parent_checkpoint = [], None
    for name in SINGLE_PARTS:
        part = getattr(source, name)
        setattr(made, name, part and _part(part, machine))
    for name in LISTED_PARTS:
        setattr(made, name, [_part(part, machine) for part in getattr(source, name)])
    for adapter in made.adapters:
        adapter.vlan = copy(adapter.vlan)
        adapter.vlan.adapter = adapter
    return made


def _part(part: T, machine: Machine) -> T:
    made = copy(part)
    made.machine = machine  # type: ignore[attr-defined]  # each part of a machine has it
    return made


def take(host: Host, machine: Machine, name: str, state: VMState) -> Checkpoint:
    """Make a checkpoint. Raises CmdletError if a disk's chain is broken, with nothing changed."""
    for drive in machine.drives:
        chain(host.files, drive.path, f"Checkpoint operation for '{machine.name}' failed.")
    checkpoint = Checkpoint(machine, name, _copied(machine, machine), state, machine.parent_checkpoint)
    machine.checkpoints.append(checkpoint)
    machine.parent_checkpoint = checkpoint
    host.files.put(File(checkpoint.file))
    _put_differences(host, machine)
    return checkpoint


def _put_differences(host: Host, machine: Machine) -> None:
    """New, empty differencing disks on the machine's disks, for it to write to from now on."""
    for drive in machine.drives:
        stem, _ = ntpath.splitext(drive.path)
        stem = re.sub(r"_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$", "", stem)
        path = f"{stem}_{str(uuid4()).upper()}{DIFFERENCES}"
        (parent, *_) = chain(host.files, drive.path, "")
        host.files.put(File(path, disk=differencing(parent), size=HEADERS))
        drive.path = path
        if machine.state is VMState.Running:
            open_for_writing(host.files, path)


def restore(host: Host, checkpoint: Checkpoint) -> None:
    """Bring settings and disks back. What was attached or set since is gone; files of disks added since stay.

    Raises CmdletError if a disk of the checkpoint is missing or its chain broken, with nothing changed.
    """
    machine = checkpoint.machine
    for drive in checkpoint.settings.drives:
        chain(host.files, drive.path, f"'{machine.name}' failed to apply checkpoint.")
    left = [drive.path for drive in machine.drives if is_differences(drive.path)]
    settings = _copied(checkpoint.settings, machine)
    for name in RESTORED:
        setattr(machine, name, getattr(settings, name))
    for adapter in machine.adapters:
        if adapter.switch and adapter.switch.id not in host.switches:
            adapter.switch = None
    machine.parent_checkpoint = checkpoint
    machine.state = checkpoint.state
    _put_differences(host, machine)
    _settle(host.files, machine, left)


def remove(host: Host, machine: Machine, gone: Sequence[Checkpoint]) -> None:
    """Remove checkpoints; their disks are merged some looks later, and are locked until then."""
    for checkpoint in gone:
        machine.checkpoints.remove(checkpoint)
        host.files.remove(checkpoint.file)
    for left in machine.checkpoints:
        left.parent = _nearest(left.parent, gone)
    machine.parent_checkpoint = _nearest(machine.parent_checkpoint, gone)
    paths = [drive.path for checkpoint in gone for drive in checkpoint.settings.drives]
    merge = Merge(machine, paths, host.reads_to_merge)
    host.merges.append(merge)
    machine.is_merging = True
    for file in _locked(host.files, merge):
        file.is_busy = True
    if not host.reads_to_merge:
        look(host)


def _nearest(checkpoint: Checkpoint | None, gone: Sequence[Checkpoint]) -> Checkpoint | None:
    while checkpoint in gone and checkpoint:
        checkpoint = checkpoint.parent
    return checkpoint


def descendants(machine: Machine, checkpoint: Checkpoint) -> list[Checkpoint]:
    """A checkpoint and all that were made on top of it."""
    found = [checkpoint]
    for other in machine.checkpoints:
        if other.parent in found:
            found.append(other)
    return found


def is_differences(path: str) -> bool:
    """Whether a file's name is that of a checkpoint's differences."""
    return path.lower().endswith((DIFFERENCES, ".avhd"))


def look(host: Host) -> None:
    """Count a look at the host: a merge is done once enough have gone by."""
    for merge in list(host.merges):
        if merge.looks_left > 0:
            merge.looks_left -= 1
            continue
        host.merges.remove(merge)
        merge.machine.is_merging = any(other.machine is merge.machine for other in host.merges)
        for file in _locked(host.files, merge):
            file.is_busy = False
        _settle(host.files, merge.machine, merge.paths)


def _locked(files: Files, merge: Merge) -> Iterator[File]:
    for path in merge.paths:
        file = files.find(path)
        if file:
            yield file
            yield from _children(files, file)


def _children(files: Files, file: File) -> list[File]:
    others = [candidate for candidate in files.entries.values() if candidate.disk and candidate.disk.parent_path]
    return [candidate for candidate in others if candidate.disk and files.find(candidate.disk.parent_path) is file]


def _owners(machine: Machine) -> list[Drive]:
    kept = [drive for checkpoint in machine.checkpoints for drive in checkpoint.settings.drives]
    return [*machine.drives, *kept]


def _settle(files: Files, machine: Machine, paths: Sequence[str]) -> None:
    """Delete and merge until every file is needed: by a drive, a checkpoint or two children.

    Only a checkpoint's differences are ever deleted or merged, never a disk that someone made on another one.
    """
    left = [file for path in paths if (file := files.find(path))]
    while left:
        file = left.pop()
        children = _children(files, file)
        if any(files.find(drive.path) is file for drive in _owners(machine)):
            continue
        if not children and is_differences(file.path):
            files.remove(file.path)
            parent = files.find(file.disk.parent_path) if file.disk else None
            left.extend([parent] if parent else [])
        elif len(children) == 1 and is_differences(children[0].path):
            _merge(files, machine, children[0], file)
            left = [file, *(other for other in left if other is not children[0])]


def _merge(files: Files, machine: Machine, child: File, into: File) -> None:
    """Write a differencing disk's contents into its parent, and let the parent take its place."""
    if child.disk is None or into.disk is None:
        return
    into.disk.size, into.disk.written = child.disk.size, child.disk.written
    for grandchild in _children(files, child):
        if grandchild.disk:
            grandchild.disk.parent_path = into.path
    for drive in _owners(machine):
        if files.find(drive.path) is child:
            drive.path = into.path
    files.remove(child.path)
