"""The object VirtualHardDisk; Get-, New-, Resize-, Set-VHD. Their errors are of a module of their own."""

from __future__ import annotations

import ntpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.declared_types import describe_class
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.records import Scalar
from hyperv_sim.state.checkpoints import is_differences, look
from hyperv_sim.state.disks import (
    NEW,
    blank,
    chain,
    check_size,
    child_of,
    create,
    failure,
    format_of,
    is_in_use,
    running_on,
)
from hyperv_sim.state.enumerations import ControllerType, VhdFormat, VhdType
from hyperv_sim.state.files import File, VirtualDisk
from hyperv_sim.state.world import Host

MODULE = "Microsoft.Vhd.PowerShell.Cmdlets"


@dataclass(frozen=True, slots=True)
class VirtualHardDisk:
    """A virtual disk as the VHD cmdlets show it."""

    host: Host
    file: File
    disk: VirtualDisk


VALUES: Mapping[str, Callable[[VirtualHardDisk], object]] = {
    "ComputerName": lambda vhd: vhd.host.name,
    "Path": lambda vhd: vhd.file.path,
    "VhdFormat": lambda vhd: vhd.disk.vhd_format,
    "VhdType": lambda vhd: vhd.disk.vhd_type,
    "FileSize": lambda vhd: vhd.file.size,
    "Size": lambda vhd: vhd.disk.size,
    "LogicalSectorSize": lambda vhd: vhd.disk.logical_sector_size,
    "PhysicalSectorSize": lambda vhd: vhd.disk.physical_sector_size,
    "BlockSize": lambda vhd: vhd.disk.block_size,
    "ParentPath": lambda vhd: vhd.disk.parent_path,
    "DiskIdentifier": lambda vhd: str(vhd.disk.identifier).upper(),
    "Attached": lambda vhd: is_in_use(vhd.host, vhd.file),
}

describe_class(
    VirtualHardDisk,
    "Microsoft.Vhd.PowerShell.VirtualHardDisk",
    VALUES,
    constants={
        "MinimumSize": None,
        "FragmentationPercentage": 0,
        "Alignment": 1,
        "DiskNumber": None,
        "IsPMEMCompatible": False,
        "AddressAbstractionType": "None",
    },
    aliases={"Number": "DiskNumber"},
    since={"IsPMEMCompatible": "2019", "AddressAbstractionType": "2019"},
)


@cmdlet("Get-VHD", takes=("Path", "VMId"), error_class=f"{MODULE}.GetVHD")
def get_vhd(call: Call) -> Iterator[object]:
    """Get-VHD, by -Path or, all of a machine's, by -VMId."""
    look(call.host)
    for path in _paths(call):
        with call.going_on():
            failed = f"Getting the mounted storage instance for the path '{path}' failed."
            yield _shown(call, _opened(call, path, failed))


def _paths(call: Call) -> Iterator[str]:
    if "Path" in call.parameters:
        yield from call.parameters["Path"]
        return
    for identity in call.parameters["VMId"]:
        machine = call.host.machines.get(identity)
        if machine:
            yield from (drive.path for drive in sorted(machine.drives, key=lambda drive: drive.slot[1:]))
        else:
            message = f'Hyper-V was unable to find a virtual machine with id "{identity}".'
            call.fail(errors.hyper_v("ObjectNotFound", message, target=Scalar("Guid", identity)))


def _opened(call: Call, path: str, failed: str) -> File:
    """The disk's file, once it is sure that it can be read. [public logs for missing and busy disks]"""
    _check_absolute(call, path)
    file = call.host.files.find(path)
    if file and file.is_busy:
        raise errors.hyper_v("ObjectInUse", "The operation cannot be performed while the object is in use.")
    return chain(call.host.files, path, failed)[0]


def _check_absolute(call: Call, path: str) -> None:
    if not ntpath.isabs(path) or not ntpath.splitdrive(path)[0].endswith(":"):
        raise errors.not_simulated(f"{call.cmdlet.name} with a path that does not begin with a drive")


def _shown(call: Call, file: File) -> VirtualHardDisk:
    if file.disk is None:
        raise failure(f"'{file.path}'", 0x80070002)
    return VirtualHardDisk(call.host, file, file.disk)


SIZES = ("SizeBytes", "LogicalSectorSizeBytes", "PhysicalSectorSizeBytes")


@cmdlet(
    "New-VHD", takes=("Path", "ParentPath", "Dynamic", "Fixed", "Differencing", *SIZES), error_class=f"{MODULE}.NewVhd"
)
def new_vhd(call: Call) -> Iterator[object]:
    """New-VHD: a dynamic, fixed or differencing disk, in the format of the file's extension."""
    if any(call.get(kind) is False for kind in ("Dynamic", "Fixed", "Differencing")):
        raise errors.not_simulated("New-VHD with a kind of disk that is switched off")
    for path in call.parameters["Path"]:
        with call.going_on():
            _check_absolute(call, path)
            yield _shown(call, create(call.host.files, path, _new_disk(call, path)))


def _new_disk(call: Call, path: str) -> VirtualDisk:
    if "ParentPath" in call.parameters:
        return _new_child(call, path)
    disk = blank(path, call.parameters["SizeBytes"], VhdType.Fixed if call.get("Fixed") else VhdType.Dynamic)
    if disk.vhd_format is VhdFormat.VHD and any(name in call.parameters for name in SIZES[1:]):
        raise errors.not_simulated("New-VHD with sector sizes for the format VHD")
    disk.logical_sector_size = call.get("LogicalSectorSizeBytes", disk.logical_sector_size)
    disk.physical_sector_size = call.get("PhysicalSectorSizeBytes", disk.physical_sector_size)
    return disk


def _new_child(call: Call, path: str) -> VirtualDisk:
    """Size and sectors come from the parent, and the formats must match. [Microsoft's reference; windsor]"""
    if any(name in call.parameters for name in SIZES):
        raise errors.not_simulated("New-VHD -ParentPath with sizes of its own")
    parent_path = call.parameters["ParentPath"]
    _check_absolute(call, parent_path)
    disk = child_of(call.host.files, parent_path)
    if call.host.contention.refuses(call.cmdlet.name, path.lower()):
        raise failure(f"{NEW} The system failed to open '{parent_path}'", 0x80070020)
    if disk.vhd_format is not format_of(path):
        raise errors.hyper_v("InvalidParameter", f"The format of the parent '{parent_path}' differs from '{path}'.")
    return disk


@cmdlet("Resize-VHD", takes=("Path", "SizeBytes", "Passthru"), error_class=f"{MODULE}.ResizeVhd")
def resize_vhd(call: Call) -> Iterator[object]:
    """Resize-VHD: to a larger size; in use only a VHDX on SCSI, and no other machine's parent. It breaks children."""
    for path in call.parameters["Path"]:
        with call.going_on():
            failed = "Failed to resize the virtual hard disk."
            shown = _shown(call, _opened(call, path, failed))
            if not _grows_online(call, shown):
                _check_unused(call, shown.file, failed)
            _resize(call, shown, call.parameters["SizeBytes"], failed)
            if call.get("Passthru"):
                yield shown


def _grows_online(call: Call, shown: VirtualHardDisk) -> bool:
    """Whether a disk in use grows all the same: a VHDX, no differencing one, of machines that have it on SCSI."""
    if shown.file.is_busy or shown.disk.vhd_format is not VhdFormat.VHDX or shown.disk.parent_path:
        return False
    return all(
        any(
            drive.slot[0] is ControllerType.SCSI and call.host.files.find(drive.path) is shown.file
            for drive in machine.drives
        )
        for machine in running_on(call.host, shown.file)
    )


def _check_unused(call: Call, file: File, failed: str) -> None:
    """Whether a running machine's disk can be changed depends on more than is known here: it is refused."""
    if is_in_use(call.host, file):
        raise errors.hyper_v("ObjectInUse", f"{failed} The operation cannot be performed while the object is in use.")


def _resize(call: Call, shown: VirtualHardDisk, size: int, failed: str) -> None:
    disk, file = shown.disk, shown.file
    if is_differences(file.path):
        raise errors.not_simulated("Resize-VHD of a checkpoint's differences")
    check_size(disk, size, failed)
    if size <= disk.size:
        raise errors.hyper_v("InvalidParameter", f"{failed} The size {size} is not larger than {disk.size}.")
    more = size - disk.size if disk.vhd_type is VhdType.Fixed else 0
    if more > call.host.files.free(file.path):
        raise failure(f"{failed} '{file.path}'", 0x80070070)
    if not call.host.hooks.forgets("Resize-VHD", "SizeBytes"):
        disk.size, file.size = size, file.size + more
        disk.touch()


@cmdlet("Set-VHD", takes=("Path", "ParentPath", "IgnoreIdMismatch", "Passthru"), error_class=f"{MODULE}.SetVhd")
def set_vhd(call: Call) -> Iterator[object]:
    """Set-VHD -ParentPath: joins a differencing disk to its parent again, if that was moved or written to."""
    if "ParentPath" not in call.parameters:
        raise errors.not_simulated("Set-VHD without -ParentPath")
    failed = "Failed to set new parent for the virtual disk."
    path, parent_path = call.parameters["Path"], call.parameters["ParentPath"]
    _check_absolute(call, parent_path)
    file = call.host.files.find(path)
    if file is None or file.disk is None:
        raise failure(f"{failed} '{path}'", 0x80070002)
    _check_unused(call, file, failed)
    if file.disk.vhd_type is not VhdType.Differencing:
        raise errors.hyper_v("InvalidParameter", f"{failed} '{path}' has no parent.")
    joined = child_of(call.host.files, parent_path)
    if joined.parent_written != file.disk.parent_written and not call.get("IgnoreIdMismatch"):
        raise failure(f"{failed} '{path}'", 0xC03A000E)
    file.disk.parent_path, file.disk.parent_written = joined.parent_path, joined.parent_written
    if call.get("Passthru"):
        yield _shown(call, file)


fact(
    "New-VHD",
    "`OperationFailed` with an HRESULT: exists (0x80070050), no folder (0x80070003), no space (0x80070070)",
    "microsoft/MSLab#386 for the first; the others inferred",
)
fact(
    "New-VHD",
    "3 MiB to 64 TiB (VHD: 2040 GiB) in whole sectors, else `InvalidParameter`",
    f"{REFERENCE}; PowerShell/PowerShell#25761",
)
fact("New-VHD", "a parent that is missing, no disk, or of another format: `InvalidParameter`", WINDSOR)
fact("New-VHD", "an .avhdx is no parent and no new disk; VHD sets and block sizes are refused", "kitchen-hyperv#25")
fact("New-VHD", "a differencing disk has its parent's size, blocks and sectors; a fixed one no blocks", REFERENCE)
fact("New-VHD", "the size of a file is 4 MiB, and a fixed disk's size on top", f"{UNKNOWN} but for a dynamic VHDX")
fact(
    "Get-VHD",
    "missing, broken chain: `OperationFailed`; busy: `ObjectInUse`; attached: in use by a machine",
    f"public logs; the chain inferred; {WINDSOR}",
)
fact(
    "New-VHD",
    "a name that no file can have: `OperationFailed` with 0x8007007B",
    "Microsoft's page on naming files; inferred",
)
fact("Get-VHD", "a -VMId of no machine: `ObjectNotFound`", "inferred from Get-VM -Id")
fact(
    "Resize-VHD",
    "VHD and VHDX to a larger size; a VHDX on SCSI while the machine runs, else `ObjectInUse`",
    f"{REFERENCE}; the id, and that a VHD and a differencing disk do not grow then, {UNKNOWN}, stricter",
)
fact(
    "Resize-VHD",
    "to a smaller size: `InvalidParameter`, for no disk here has a minimum size",
    f"{REFERENCE}; id {UNKNOWN}",
)
fact(
    "Resize-VHD",
    "a parent that is resized, started or changed breaks its children (0xC03A000E) until Set-VHD -IgnoreIdMismatch",
    "lability#289, simh#352; [MS-VHDX]",
)
fact(
    "Set-VHD",
    "a parent that was written to is joined with -IgnoreIdMismatch only (0xC03A000E)",
    f"{REFERENCE} for the switch; lability#289, simh#352 for the need",
)
fact(
    "Set-VHD",
    "not while a machine runs on it (`ObjectInUse`); a disk without a parent is `InvalidParameter`",
    f"{REFERENCE} for the first; ids {UNKNOWN}",
)
fact(
    "Get-VHD",
    "no minimum size, no fragments, alignment 1 of a new disk; AddressAbstractionType, IsPMEMCompatible from 2019 on",
    "listings in public notes and in Azure Stack's documentation",
)
fact("Set-VHD", "anything but -ParentPath is refused", "not simulated")
fact(
    "New-VHD",
    "-ParentPath on a busy host (--busy): refused for a moment, 0x80070020, with the id of its other I/O failures",
    "openvmm#1600 for the fact; id and number inferred",
)
