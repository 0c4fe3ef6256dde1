"""The simulated host as a server or a test takes it: shells for endpoints, and hands on its state."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, cast

from hyperv_sim.powershell import rights
from hyperv_sim.powershell.role import read_role
from hyperv_sim.powershell.shell import HostShell
from hyperv_sim.records import Shell
from hyperv_sim.state.disks import MIB, format_of, place
from hyperv_sim.state.files import File
from hyperv_sim.state.groups import GROUPS
from hyperv_sim.state.machines import Manner
from hyperv_sim.state.snapshot import plain
from hyperv_sim.state.windows import WINDOWS
from hyperv_sim.state.world import Host

ENDPOINT = "Microsoft.PowerShell"


class SimulatedHost:
    """A host and its PSRP endpoints.

    `windows` is "2016", "2019", "2022" or "2025", `cpu` "intel" or "amd"; further arguments are those of `world.Host`.
    `state` is the host's state, for a test to look at and to change under `state.lock`.
    """

    def __init__(self, windows: str = "2022", cpu: str = "intel", **parts: Any) -> None:
        if windows not in WINDOWS:
            raise ValueError(f"windows must be one of {', '.join(WINDOWS)}, not {windows!r}")
        if cpu not in ("intel", "amd"):
            raise ValueError(f"cpu must be intel or amd, not {cpu!r}")
        if not {*parts.get("groups", ())} <= {*GROUPS}:
            raise ValueError(f"groups must be among {', '.join(GROUPS)}")
        self.state = Host(windows, cast(Literal["intel", "amd"], cpu), **parts)
        self._endpoints: dict[str, Callable[[], Shell]] = {}
        self.register(ENDPOINT, lambda: HostShell(self.state))

    def register(self, configuration_name: str, shell: Callable[[], Shell]) -> None:
        """Add a PSRP endpoint; `shell` makes the shell of each new runspace pool."""
        self._endpoints[configuration_name.lower()] = shell

    def restrict(self, configuration_name: str, role: str) -> None:
        """Add a restricted endpoint (JEA); `role` is the text of its role capability file. Raises ValueError."""
        shown = read_role(role)
        self.register(configuration_name, lambda: HostShell(self.state, shown))

    def shells(self, configuration_name: str) -> Shell | None:
        """A shell for a new runspace pool, or None if no endpoint has this name (in any case).

        Raises PermissionError if the user may not open a session.
        """
        if not rights.may_open_a_session(self.state.groups):
            raise PermissionError("the user's groups do not open a session")
        make = self._endpoints.get(configuration_name.lower())
        return make() if make else None

    def refuse(self, cmdlet: str, error_id: str, category: str) -> None:
        """From now on the cmdlet fails with this ErrorIdentifier and category."""
        self.state.hooks.refusals[cmdlet] = (error_id, category)

    def allow(self, cmdlet: str) -> None:
        """End what `refuse` began."""
        self.state.hooks.refusals.pop(cmdlet, None)

    def hide(self, cmdlet: str) -> None:
        """From now on sessions do not have the cmdlet, as if a role did not name it."""
        self.state.hooks.hidden.add(cmdlet.lower())

    def fail_statement(self, number: int, *, stops: bool = False) -> None:
        """Let one statement fail, the first from now if the number is 0: as if its command were unknown.

        If it `stops`, nothing of its batch runs after it, as with -ErrorAction Stop.
        """
        with self.state.lock:
            self.state.hooks.failing, self.state.hooks.stops = number, stops

    def revert_silently(self, noun: str, parameter: str) -> None:
        """From now on `Set-<noun> -<parameter>` succeeds and changes nothing."""
        self.state.hooks.reverts.add((noun, parameter))

    def keep(self, noun: str, parameter: str) -> None:
        """End what `revert_silently` began."""
        self.state.hooks.reverts.discard((noun, parameter))

    def guest(self, machine: str, manner: Manner) -> None:
        """From now on the guests of machines of this name take a request to shut down so. Raises ValueError."""
        with self.state.lock:
            found = [vm for vm in self.state.machines.values() if vm.name.lower() == machine.lower()]
            for vm in found:
                vm.guest.manner = manner
        if not found:
            raise ValueError(f"there is no machine {machine!r}")

    def place(self, path: str) -> None:
        """Put a file there with the folders above it, as an administrator copies an image; a virtual disk by its name.

        Raises ValueError if the path is not one of the host's drives'.
        """
        with self.state.lock:
            if not re.match(r"[A-Za-z]:\\[^\\]", path) or path[0].upper() not in self.state.files.drives:
                raise ValueError(f"{path!r} is not a full path on one of the host's drives")
            if format_of(path):
                place(self.state.files, path)
            else:
                self.state.files.put(File(path, size=MIB))

    def snapshot(self) -> object:
        """The state as plain data, to compare two moments; without what changes of itself (clocks, MAC addresses)."""
        with self.state.lock:
            return plain(self.state)


def new_shells(windows: str, cpu: str) -> Callable[[str], Shell | None]:
    """A new host's way to make shells, as the server takes it."""
    return SimulatedHost(windows, cpu).shells
