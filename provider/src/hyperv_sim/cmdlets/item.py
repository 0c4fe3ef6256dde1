"""Files and folders as items; Get-, New-, Remove-Item, Get-ChildItem, Test-Path, in the file system only."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hyperv_sim import errors
from hyperv_sim.fidelity import POWERSHELL, UNKNOWN, WINDSOR, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.paths import IO_EXCEPTION, PROVIDER, check_drive, existing, given_paths
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.records import Scalar
from hyperv_sim.state.checkpoints import look
from hyperv_sim.state.disks import is_in_use
from hyperv_sim.state.files import File

SHARING_VIOLATION = -2147024864


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as .NET shows it."""

    file: File


@dataclass(frozen=True, slots=True)
class DirectoryInfo:
    """A folder as .NET shows it."""

    file: File


F = Property[FileInfo]
D = Property[DirectoryInfo]
FILE_SYSTEM_INFO = ("System.IO.FileSystemInfo", "System.MarshalByRefObject")

describe(
    FileInfo,
    "System.IO.FileInfo",
    [
        F("Name", "String", lambda info: ntpath.basename(info.file.path)),
        F("Length", "Int64", lambda info: info.file.size),
        F("DirectoryName", "String", lambda info: ntpath.dirname(info.file.path)),
        F("IsReadOnly", "Boolean", lambda info: info.file.is_read_only),
        F("Exists", "Boolean", lambda _: True),
        F("FullName", "String", lambda info: info.file.path),
        F("Extension", "String", lambda info: ntpath.splitext(info.file.path)[1]),
        F("PSPath", "String", lambda info: PROVIDER + info.file.path, is_script=True),
        F("PSIsContainer", "Boolean", lambda _: False, is_script=True),
    ],
    bases=FILE_SYSTEM_INFO,
    text=lambda info: info.file.path,
)
describe(
    DirectoryInfo,
    "System.IO.DirectoryInfo",
    [
        D("Name", "String", lambda info: ntpath.basename(info.file.path) or info.file.path),
        D("Exists", "Boolean", lambda _: True),
        D("FullName", "String", lambda info: info.file.path),
        D("Extension", "String", lambda info: ntpath.splitext(info.file.path)[1]),
        D("PSPath", "String", lambda info: PROVIDER + info.file.path, is_script=True),
        D("PSIsContainer", "Boolean", lambda _: True, is_script=True),
    ],
    bases=FILE_SYSTEM_INFO,
    text=lambda info: info.file.path,
)


def _info(file: File) -> FileInfo | DirectoryInfo:
    return DirectoryInfo(file) if file.is_folder else FileInfo(file)


@cmdlet("Get-Item", takes=("Path", "LiteralPath"))
def get_item(call: Call) -> Iterator[object]:
    """Get-Item: a file or a folder, by its full path."""
    for path in given_paths(call):
        with call.going_on():
            yield _info(existing(call, path))


@cmdlet("Get-ChildItem", takes=("Path", "LiteralPath", "Filter", "Directory", "File"))
def get_child_item(call: Call) -> Iterator[object]:
    """Get-ChildItem of one level: folders first, each by name."""
    ending = _ending(call.get("Filter", ""))
    if not {"Path", "LiteralPath"} & call.parameters.keys():
        raise errors.not_simulated("Get-ChildItem of the current folder")
    for path in given_paths(call):
        with call.going_on():
            file = existing(call, path)
            found = list(call.host.files.within(file)) if file.is_folder else [file]
            kinds = [kind for name, kind in (("Directory", True), ("File", False)) if call.get(name)]
            for item in sorted(found, key=lambda each: (not each.is_folder, each.path.lower())):
                if item.path.lower().endswith(ending) and (not kinds or kinds == [item.is_folder]):
                    yield _info(item)


def _ending(pattern: str) -> str:
    """How the names end that a -Filter lets through: only an extension is simulated, longer than MS-DOS' three."""
    if pattern and not re.fullmatch(r"\*\.\w{4,}", pattern):
        raise errors.not_simulated("Get-ChildItem -Filter with anything but an extension of four letters or more")
    return pattern.removeprefix("*").lower()


@cmdlet("Test-Path", takes=("Path", "LiteralPath", "PathType"))
def test_path(call: Call) -> Iterator[object]:
    """Test-Path -PathType Any, Container or Leaf; a drive that is missing is no error."""
    kind = call.get("PathType", "Any")
    for path in given_paths(call):
        file = call.host.files.find(path)
        yield Scalar("Boolean", file is not None and kind in ("Any", "Container" if file.is_folder else "Leaf"))


@cmdlet("New-Item", takes=("Path", "Name", "ItemType", "Force"))
def new_item(call: Call) -> Iterator[object]:
    """New-Item -ItemType Directory, with the folders above it."""
    if str(call.get("ItemType", "")).lower() != "directory":
        raise errors.not_simulated("New-Item of anything but -ItemType Directory")
    for folder in given_paths(call):
        path = ntpath.join(folder, call.parameters["Name"]) if "Name" in call.parameters else folder
        with call.going_on():
            check_drive(call, path)
            _check_free(call, path)
            found = call.host.files.find(path)
            yield _info(found or call.host.files.put(File(path, is_folder=True)))


def _check_free(call: Call, path: str) -> None:
    """With -Force a folder that is there is taken as it is. [FileSystemProvider of PowerShell's public sources]"""
    for above in (path, *_above(path)):
        found = call.host.files.find(above)
        if found and not found.is_folder:
            raise errors.not_simulated(f"New-Item where '{above}' is a file")
    if call.host.files.find(path) and not call.get("Force"):
        message = f"An item with the specified name {path} already exists."
        target = Scalar("String", path)
        raise errors.CmdletError(
            "DirectoryExist", "ResourceExists", message, exception_types=IO_EXCEPTION, target=target
        )


def _above(path: str) -> Iterator[str]:
    while ntpath.dirname(path) != path:
        path = ntpath.dirname(path)
        yield path


@cmdlet("Remove-Item", takes=("Path", "LiteralPath", "Recurse", "Force"))
def remove_item(call: Call) -> Iterator[object]:
    """Remove-Item: files, empty folders, and full ones with -Recurse. A disk's parent can be removed like any file."""
    look(call.host)
    for path in given_paths(call):
        with call.going_on():
            file = existing(call, path)
            if ntpath.dirname(path) == path:
                raise errors.not_simulated("Remove-Item of a drive")
            if file.is_folder and not call.get("Recurse") and any(call.host.files.within(file)):
                raise errors.TerminatingError("InvalidOperation", "InvalidOperation", errors.NON_INTERACTIVE)
            _remove(call, file)
    yield from ()


def _remove(call: Call, file: File) -> None:
    """Remove all that can be removed; what cannot is an error each, and keeps the folders above it."""
    for child in list(call.host.files.within(file)) if file.is_folder else ():
        with call.going_on():
            _remove(call, child)
    if is_in_use(call.host, file) or (file.is_folder and any(call.host.files.within(file))):
        raise _io_error(file)
    if file.is_read_only and not call.get("Force"):
        raise _not_removed(file, "RemoveFileSystemItemUnAuthorizedAccess", "PermissionDenied", "Access is denied.")
    call.host.files.remove(file.path)


def _io_error(file: File) -> errors.CmdletError:
    """[the id: PowerShell's public sources; the HResult: windsor]"""
    if file.is_folder:
        return _not_removed(file, "RemoveFileSystemItemIOError", "WriteError", "The directory is not empty.")
    why = f"The process cannot access the file '{file.path}' because it is being used by another process."
    error = _not_removed(file, "RemoveFileSystemItemIOError", "WriteError", why)
    error.hresult = SHARING_VIOLATION
    return error


def _not_removed(file: File, identifier: str, category: str, why: str) -> errors.CmdletError:
    target = Scalar("String", file.path)
    message = f"Cannot remove item {file.path}: {why}"
    return errors.CmdletError(identifier, category, message, exception_types=IO_EXCEPTION, target=target)


fact("Remove-Item", "full paths of drives, without wildcards; so too the other item cmdlets", "not simulated")
fact(
    "Remove-Item",
    "a file in use: `RemoveFileSystemItemIOError`, WriteError, HResult -2147024864; a missing one: `PathNotFound`",
    f"{POWERSHELL}; {WINDSOR}",
)
fact("Remove-Item", "a full folder without -Recurse would ask, and is an error", f"{POWERSHELL}; id {UNKNOWN}")
fact("Remove-Item", "a parent whose children are not running can be removed, and breaks them", "lability#289")
fact("Get-Item", "a file or a folder; a missing one is `PathNotFound`, a missing drive `DriveNotFound`", POWERSHELL)
fact("Get-ChildItem", "-Filter of an extension, such as `*.vhdx`, in any case of letters", POWERSHELL)
fact("Get-ChildItem", "of one level, folders first, each by name; of a file, the file itself", POWERSHELL)
fact("Test-Path", "what is missing, and a drive that is, is $false and no error", POWERSHELL)
fact(
    "New-Item",
    "a folder with those above it; one that is there is `DirectoryExist`, and with -Force no error",
    POWERSHELL,
)
fact("New-Item", "files and links are refused", "not simulated")
