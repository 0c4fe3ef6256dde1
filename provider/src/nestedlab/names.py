"""Names, paths and other texts as Windows takes and compares them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator, Field

from nestedlab.limits import FILE_NAMES, MODULE, REFERENCE, Source, ours

_WILDCARDS = re.compile(r"[*?\[\]]")
_CONTROL = re.compile(r"[\x00-\x1f]")
_NO_FILE = re.compile(r'[\\/:"<>|]')


def is_pattern(name: str) -> bool:
    """Whether a cmdlet takes a name for a pattern, which may mean many objects (about_Wildcards)."""
    return re.search(r"[*?\[]", name) is not None


def _one_line(name: str) -> str:
    if found := _CONTROL.search(name):
        raise ValueError(f"must not contain {found.group()!r}")
    return name


def _no_pattern(name: str) -> str:
    if found := _WILDCARDS.search(name):
        raise ValueError(f"must not contain {found.group()!r}: Windows takes it for a wildcard")
    return name


def _names_files(name: str) -> str:
    if name.endswith((" ", ".")):
        raise ValueError("must not end with a space or a dot, because the files of its disks have it in their names")
    if found := _NO_FILE.search(name):
        raise ValueError(f"must not contain {found.group()!r}, because the files of its disks have it in their names")
    return name


_NOT_EMPTY = Source(f"{MODULE}: no name is empty")
_ONE_LINE = ours("a name is shown on one line", "no control characters")
_NO_PATTERN = Source("PowerShell's sources (WildcardPattern)", "none of `* ? [ ]`")

Title = Annotated[str, Field(min_length=1), _NOT_EMPTY, AfterValidator(_one_line), _ONE_LINE]
"""A name by which nothing is looked for: that of a checkpoint, which is known by its id."""

Name = Annotated[Title, AfterValidator(_no_pattern), _NO_PATTERN]
"""A name by which cmdlets look for a switch or an adapter. What no file's name can have is free: Microsoft's own tools
expect it (microsoft/Get-NetView#19)."""

SwitchName = Annotated[str, AfterValidator(_one_line), _ONE_LINE, AfterValidator(_no_pattern), _NO_PATTERN]
"""The name of a switch, or "" for none."""

MachineName = Annotated[
    str,
    Field(min_length=1, max_length=100),
    Source(f"{MODULE}: no name is empty; microsoft/openvmm#1647 for the length"),
    AfterValidator(_one_line),
    _ONE_LINE,
    AfterValidator(_no_pattern),
    _NO_PATTERN,
    AfterValidator(_names_files),
    ours(
        f"the files of its disks have it in their names; {FILE_NAMES}",
        'none of `\\ / : " < > |`, no space or dot at the end',
    ),
]
"""The name of a machine. Hyper-V itself takes what no file's name can have (microsoft/openvmm#1647)."""


def _marker_holds(owner: str) -> str:
    if re.search(r"[\]\r\n]", owner):
        raise ValueError("must not contain ']' or a line break: it is kept as one line in brackets in the notes")
    return owner


Owner = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(_marker_holds),
    ours("it is kept as one line in brackets in the notes", "one line without `]`"),
]
"""An owner as the marker in the notes can hold it: one line without a closing bracket."""


def _full_path(path: str) -> str:
    if found := _CONTROL.search(path):
        raise ValueError(
            f"must not contain {found.group()!r}. To write a backslash in Python, put an r before the quotes: "
            r'r"D:\Images\ws2022.vhdx"'
        )
    if not PureWindowsPath(path).is_absolute():
        raise ValueError(r"must be a full path on the host, such as D:\Images\ws2022.vhdx")
    if found := re.search(r'[*?"<>|]', path):
        raise ValueError(f"must not contain {found.group()!r}")
    if ".." in PureWindowsPath(path).parts:
        raise ValueError("must not go up (..): the host shows where that leads, and not how")
    return path


WindowsPath = Annotated[
    str,
    AfterValidator(_full_path),
    Source(
        f"{FILE_NAMES}; {REFERENCE} of New-VHD: a relative path begins in the session's folder; our choice: no `..`",
        'a full path without control characters, `..` or any of `* ? " < > |`',
    ),
]
"""A full path on the host."""


def _is_vhdx(path: str) -> str:
    if PureWindowsPath(path).suffix.lower() != ".vhdx":
        raise ValueError("must be a .vhdx file: a Generation 2 machine starts from no other")
    return path


DiskPath = Annotated[
    WindowsPath,
    AfterValidator(_is_vhdx),
    Source("Microsoft's pages on Generation 2, which supports no other format; dsccommunity/HyperVDsc#4", ".vhdx"),
]
"""A full path of a virtual disk on the host."""


def _is_iso(path: str) -> str:
    if path and PureWindowsPath(_full_path(path)).suffix.lower() != ".iso":
        raise ValueError("must be an .iso file")
    return path


IsoPath = Annotated[
    str,
    AfterValidator(_is_iso),
    ours(
        "a JEA endpoint's role lets an image through by its extension", "a path as of a disk, ending in .iso, or empty"
    ),
]
"""A full path of an image of a DVD on the host, or "" for none."""


def _is_version(version: str) -> str:
    if not re.fullmatch(r"[0-9]+\.[0-9]+", version):
        raise ValueError("must be a version such as 9.0")
    return version


ConfigurationVersion = Annotated[
    str,
    AfterValidator(_is_version),
    Source("what Get-VMHostSupportedVersion shows (dsccommunity/HyperVDsc#55)", "a version such as 9.0"),
]
"""A configuration version of a machine, such as 9.0."""


# Half a character, and two that are none (XML 1.0, 2.2). Control characters are written in PowerShell's own way.
_NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


def unsendable(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where in a value there is a text that XML cannot carry to a host, with the first such character."""
    if isinstance(value, str) and (found := _NOT_IN_XML.search(value)):
        yield path, found.group()
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from unsendable(part, (*path, str(name)))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from unsendable(part, (*path, str(place)))


def same_path(left: str, right: str) -> bool:
    """Whether two paths name the same file: Windows ignores case and takes both slashes."""
    return PureWindowsPath(left) == PureWindowsPath(right)


def same_text(left: str, right: str) -> bool:
    """Whether two texts are the same but for the way their lines end."""
    return left.replace("\r\n", "\n") == right.replace("\r\n", "\n")


def same_name(left: str, right: str) -> bool:
    """Whether two names are the same to Hyper-V, which ignores case."""
    return left.casefold() == right.casefold()


def bare_mac(mac: str) -> str:
    """A MAC address as Hyper-V shows it: twelve hex digits."""
    return re.sub(r"[-:.\s]", "", mac).upper()


def same_mac(left: str, right: str) -> bool:
    """Whether two MAC addresses are the same, whatever stands between their digits."""
    return bare_mac(left) == bare_mac(right)
