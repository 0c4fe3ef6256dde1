"""Virtual disks on the host's drives: making them, their chains of parents, and who uses them.

Errors are raised as Hyper-V's cmdlets word them: many things share one id, and the HRESULT at the end of the message
tells them apart. [microsoft/MSLab#386 and other public logs; texts of the codes: winerror.h]
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator

from hyperv_sim import errors
from hyperv_sim.state.enumerations import VhdFormat, VhdType, VMState
from hyperv_sim.state.files import GIB, File, Files, VirtualDisk
from hyperv_sim.state.machines import Machine
from hyperv_sim.state.world import Host

MIB = 2**20
FORMATS = {".vhd": VhdFormat.VHD, ".vhdx": VhdFormat.VHDX}
SMALLEST = 3 * MIB
LARGEST = {VhdFormat.VHD: 2040 * GIB, VhdFormat.VHDX: 64 * 1024 * GIB}
BLOCK_AND_SECTOR = {VhdFormat.VHD: (2 * MIB, 512), VhdFormat.VHDX: (32 * MIB, 4096)}
"""The size of a block and of a physical sector that New-VHD chooses."""
HEADERS = 4 * MIB
"""What a file takes besides its blocks: that of an empty dynamic VHDX. The other formats' is not known."""

TEXTS = {
    0x80070002: "The system cannot find the file specified.",
    0x80070003: "The system cannot find the path specified.",
    0x80070020: "The process cannot access the file because it is being used by another process.",
    0x80070050: "The file exists.",
    0x80070070: "There is not enough space on the disk.",
    0x8007007B: "The filename, directory name, or volume label syntax is incorrect.",
    0xC03A000D: "The chain of virtual hard disks is broken. The system cannot locate the parent virtual hard disk for "
    "the differencing disk.",
    0xC03A000E: "The chain of virtual hard disks is corrupted. There is a mismatch in the identifiers of the parent "
    "virtual hard disk and differencing disk.",
}
NEW = "Failed to create the virtual hard disk."


def failure(failed: str, code: int) -> errors.CmdletError:
    """OperationFailed with an HRESULT. `failed` is the sentence before it, without its end."""
    return errors.hyper_v("OperationFailed", f"{failed}: {TEXTS[code]} (0x{code:08X}).")


def format_of(path: str) -> VhdFormat | None:
    """The format that a file's name stands for; None for any other name, checkpoints' .avhdx too."""
    return FORMATS.get(ntpath.splitext(path)[1].lower())


def check_size(disk: VirtualDisk, size: int, failed: str) -> None:
    """Raise InvalidParameter for a size out of bounds or no multiple of the sector. [reference; PowerShell#25761]"""
    if not SMALLEST <= size <= LARGEST[disk.vhd_format] or size % disk.logical_sector_size:
        raise errors.hyper_v("InvalidParameter", f"{failed} The size {size} is not valid.")


def blank(path: str, size: int, vhd_type: VhdType = VhdType.Dynamic) -> VirtualDisk:
    """A new disk in the format of the file's name. Raises InvalidParameter if that is no disk's."""
    vhd_format = format_of(path)
    if vhd_format is None:
        raise errors.hyper_v("InvalidParameter", f"{NEW} '{path}' must end in {' or '.join(FORMATS)}.")
    block, sector = BLOCK_AND_SECTOR[vhd_format]
    if vhd_type is VhdType.Fixed:
        block = 0
    return VirtualDisk(size, vhd_type, vhd_format, block_size=block, physical_sector_size=sector)


def create(files: Files, path: str, disk: VirtualDisk) -> File:
    """Write a new virtual disk. Raises CmdletError if the path or its drive does not take it."""
    path = ntpath.normpath(path)
    check_size(disk, disk.size, NEW)
    failed = f"{NEW} The system failed to create '{path}'"
    if re.search(r'[<>"|?*\x00-\x1f]', path) or ":" in path[2:]:
        raise failure(failed, 0x8007007B)
    if files.folder(path) is None:
        raise failure(failed, 0x80070003)
    if files.find(path):
        raise failure(failed, 0x80070050)
    size = HEADERS + (disk.size if disk.vhd_type is VhdType.Fixed else 0)
    if size > files.free(path):
        raise failure(failed, 0x80070070)
    return files.put(File(path, disk=disk, size=size))


def child_of(files: Files, path: str) -> VirtualDisk:
    """A new differencing disk on the parent at this path. Raises InvalidParameter if it cannot be one. [windsor]"""
    parent = files.find(path)
    if parent is None or parent.disk is None or format_of(path) is None:
        raise errors.hyper_v("InvalidParameter", f"{NEW} The parent '{path}' is missing or no virtual hard disk.")
    chain(files, path, NEW)
    return differencing(parent)


def differencing(parent: File) -> VirtualDisk:
    """An empty differencing disk: as its parent, and with its parent's contents until it is opened for writing."""
    if parent.disk is None:
        raise ValueError(f"{parent.path} is no virtual disk")
    return VirtualDisk(
        parent.disk.size,
        VhdType.Differencing,
        parent.disk.vhd_format,
        parent.path,
        parent.disk.block_size or BLOCK_AND_SECTOR[parent.disk.vhd_format][0],
        parent.disk.logical_sector_size,
        parent.disk.physical_sector_size,
        written=parent.disk.written,
        parent_written=parent.disk.written,
    )


def chain(files: Files, path: str, failed: str) -> list[File]:
    """A virtual disk's file and those of all its parents. Raises CmdletError if the chain is broken.

    A parent that is missing breaks it, and one that was opened for writing since. [lability#289, simh#352]
    """
    file = files.find(path)
    if file is None or file.disk is None:
        raise failure(f"{failed} '{path}'", 0x80070002)
    found = [file]
    while found[-1].disk and found[-1].disk.parent_path:
        parent = files.find(found[-1].disk.parent_path)
        if parent is None or parent.disk is None:
            raise failure(f"{failed} '{found[-1].path}'", 0xC03A000D)
        if parent.disk.written != found[-1].disk.parent_written:
            raise failure(f"{failed} '{found[-1].path}'", 0xC03A000E)
        found.append(parent)
    return found


def open_for_writing(files: Files, path: str) -> None:
    """What a machine's start does to its disk: the disk's own children are broken by it."""
    file = files.find(path)
    if file and file.disk:
        file.disk.touch()


def is_in_use(host: Host, file: File) -> bool:
    """Whether something has the file open: a machine that is neither off nor saved has its disks and their parents."""
    return file.is_busy or any(running_on(host, file))


def running_on(host: Host, file: File) -> Iterator[Machine]:
    """The machines that are neither off nor saved and have the file among their disks or the disks' parents."""
    for machine in host.machines.values():
        if machine.state not in (VMState.Off, VMState.Saved) and any(
            file in _reached(host.files, path) for path in machine.attachments
        ):
            yield machine


def _reached(files: Files, path: str) -> list[File]:
    found: list[File] = []
    file = files.find(path)
    while file and file not in found:
        found.append(file)
        file = files.find(file.disk.parent_path) if file.disk and file.disk.parent_path else None
    return found


def place(files: Files, path: str, size: int = 40 * GIB, **parts: object) -> File:
    """Put a virtual disk on the host with the folders above it, as an administrator copies an image there."""
    disk = VirtualDisk(size, vhd_format=format_of(path) or VhdFormat.VHDX, **parts)  # type: ignore[arg-type]
    return files.put(File(path, disk=disk, size=HEADERS))
