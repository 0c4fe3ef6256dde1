"""The files of the host: drives, paths in any case, and what files hold; no wire.

A file's `size` is what it takes of its drive. Paths are those of drives, such as `D:\\Images\\base.vhdx`.
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from hyperv_sim.state.enumerations import VhdFormat, VhdType

GIB = 2**30


@dataclass(slots=True, eq=False)
class VirtualDisk:
    """What a virtual disk's file holds; sizes in bytes, `parent_path` for a differencing disk.

    `written` is an id of the contents, which changes with every opening for writing; a differencing disk keeps that of
    its parent, and is broken once they differ. [MS-VHDX, DataWriteGuid and parent_linkage]
    """

    size: int
    vhd_type: VhdType = VhdType.Dynamic
    vhd_format: VhdFormat = VhdFormat.VHDX
    parent_path: str = ""
    block_size: int = 32 * 2**20
    logical_sector_size: int = 512
    physical_sector_size: int = 4096
    identifier: UUID = field(default_factory=uuid4)
    written: UUID = field(default_factory=uuid4)
    parent_written: UUID | None = None

    def touch(self) -> None:
        """The disk has been opened for writing: differencing disks on it are broken from now on."""
        self.written = uuid4()


@dataclass(slots=True, eq=False)
class File:
    """A file or a folder under its own spelling of its path. `is_busy`: something on the host has it open.

    `is_barred`: its rights keep the machines from it, as after it was copied or moved there.
    """

    path: str
    is_folder: bool = False
    disk: VirtualDisk | None = None
    size: int = 0
    is_read_only: bool = False
    is_busy: bool = False
    is_barred: bool = False


@dataclass(slots=True)
class Files:
    """All files, found by path in any case, and the capacity of each drive in bytes."""

    entries: dict[str, File] = field(default_factory=dict)
    drives: dict[str, int] = field(default_factory=lambda: {"C": 256 * GIB, "D": 2048 * GIB})

    def __post_init__(self) -> None:
        for letter in self.drives:
            self.put(File(f"{letter}:\\", is_folder=True))

    def find(self, path: str) -> File | None:
        """The file or folder at this path, or None."""
        return self.entries.get(_key(path))

    def folder(self, path: str) -> File | None:
        """The folder that a path is in, or None if there is no such folder."""
        above = self.find(ntpath.dirname(ntpath.normpath(path)))
        return above if above and above.is_folder else None

    def within(self, folder: File) -> Iterator[File]:
        """What lies right in a folder."""
        for file in list(self.entries.values()):
            if file is not folder and self.find(ntpath.dirname(file.path)) is folder:
                yield file

    def free(self, path: str) -> int:
        """The free bytes of the drive that a path is on; 0 if there is no such drive."""
        letter = ntpath.splitdrive(path)[0].upper().rstrip(":")
        taken = sum(file.size for file in self.entries.values() if file.path.upper().startswith(f"{letter}:"))
        return self.drives.get(letter, 0) - taken

    def put(self, file: File) -> File:
        """Add a file with the folders above it, or replace the one that is there."""
        above = ntpath.dirname(file.path)
        if above and above != file.path and not self.find(above):
            self.put(File(above, is_folder=True))
        self.entries[_key(file.path)] = file
        return file

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        key = _key(path)
        for entry in [entry for entry in self.entries if entry == key or entry.startswith(key + "\\")]:
            del self.entries[entry]


def _key(path: str) -> str:
    return ntpath.normpath(path).lower().rstrip("\\")
