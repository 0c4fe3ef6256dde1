"""Paths as PowerShell's FileSystem provider takes them, and its errors."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator

from hyperv_sim import errors
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.targets import WILDCARDS
from hyperv_sim.records import Scalar
from hyperv_sim.state.files import File

PROVIDER = "Microsoft.PowerShell.Core\\FileSystem::"
SESSION_STATE = (
    "System.Management.Automation.SessionStateException",
    "System.Management.Automation.RuntimeException",
    "System.SystemException",
    "System.Exception",
    "System.Object",
)
IO_EXCEPTION = ("System.IO.IOException", "System.SystemException", "System.Exception", "System.Object")


def given_paths(call: Call) -> Iterator[str]:
    """The paths of -LiteralPath or -Path. Only full paths of drives, without wildcards, are simulated."""
    given = call.parameters["LiteralPath" if "LiteralPath" in call.parameters else "Path"]
    for path in given:
        plain = path.removeprefix(PROVIDER)
        if "LiteralPath" not in call.parameters and any(mark in plain for mark in WILDCARDS):
            raise errors.not_simulated(f"{call.cmdlet.name} -Path with wildcards")
        if not re.match(r"[A-Za-z]:[\\/]", plain):
            raise errors.not_simulated(f"{call.cmdlet.name} with a path that does not begin with a drive")
        yield ntpath.normpath(plain)


def existing(call: Call, path: str) -> File:
    """The file or folder at this path. Raises CmdletError as PowerShell does if there is none."""
    check_drive(call, path)
    file = call.host.files.find(path)
    if file is None:
        raise errors.CmdletError(
            "PathNotFound",
            "ObjectNotFound",
            f"Cannot find path '{path}' because it does not exist.",
            exception_types=("System.Management.Automation.ItemNotFoundException", *SESSION_STATE),
            target=Scalar("String", path),
        )
    return file


def check_drive(call: Call, path: str) -> None:
    """Raise CmdletError if there is no such drive."""
    letter = path[0]
    if letter.upper() not in call.host.files.drives:
        raise errors.CmdletError(
            "DriveNotFound",
            "ObjectNotFound",
            f"Cannot find drive. A drive with the name '{letter}' does not exist.",
            exception_types=("System.Management.Automation.DriveNotFoundException", *SESSION_STATE),
            target=Scalar("String", letter),
        )
