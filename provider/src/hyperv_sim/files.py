"""The files of the host: paths and what they hold, no wire."""

from __future__ import annotations

import ntpath
from dataclasses import dataclass, field

from hyperv_sim.enumerations import VhdFormat, VhdType


@dataclass(slots=True, eq=False)
class VirtualDisk:
    """What a virtual disk's file holds; `size` in bytes, `parent_path` for a differencing disk."""

    size: int
    vhd_type: VhdType = VhdType.Dynamic
    vhd_format: VhdFormat = VhdFormat.VHDX
    parent_path: str = ""


@dataclass(slots=True, eq=False)
class File:
    """A file or a folder under its own spelling of its path."""

    path: str
    is_folder: bool = False
    disk: VirtualDisk | None = None


@dataclass(slots=True)
class Files:
    """All files, found by path in any case."""

    entries: dict[str, File] = field(default_factory=dict)

    def find(self, path: str) -> File | None:
        """The file or folder at this path, or None."""
        return self.entries.get(_key(path))

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
        for one in [one for one in self.entries if one == key or one.startswith(key + "\\")]:
            del self.entries[one]


def _key(path: str) -> str:
    return ntpath.normpath(path).lower().rstrip("\\")
