"""An endpoint that shows what docs/nestedlab.psrc shows will do for whole lives of both resources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from hyperv_sim.powershell.shell import HostShell
from hyperv_sim.records import Record, Scalar, Shell, Statement
from hyperv_sim.state import disks

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.provider.conftest import NewProvider

ROLE = Path(__file__).resolve().parents[2].joinpath("docs", "nestedlab.psrc").read_text(encoding="utf-8")
VISIBLE = {*re.findall(r"'(\w+-\w+)'", ROLE), "Select-Object"}
"""The role's commands, and what a session of type RestrictedRemoteServer shows besides that the provider uses."""
(OWN_FILES,) = re.findall(r"'Remove-Item'.*ValidatePattern = '(.+?)'", ROLE)
(LISTED_FILES,) = re.findall(r"ValidateSet = '(.+?)'", ROLE)


@dataclass
class Watched:
    """A shell that notes what the role would not have let through."""

    shell: Shell
    hidden: list[str] = field(default_factory=list)

    def invoke(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:
        for command in (command for statement in statements for command in statement):
            given = {parameter.name: parameter.value for parameter in command.parameters}
            texts = {str(name): str(value.value) for name, value in given.items() if isinstance(value, Scalar)}
            if command.name not in VISIBLE or not _lets_through(command.name, texts):
                self.hidden.append(f"{command.name} {' '.join(texts.values())}")
        return self.shell.invoke(statements, stop)


def _lets_through(command: str, parameters: dict[str, str]) -> bool:
    """Whether the role lets the parameters of a cmdlet through that it shows in part."""
    if command == "Remove-Item":
        return parameters.keys() >= {"LiteralPath"} and re.search(OWN_FILES, parameters["LiteralPath"]) is not None
    if command == "Get-ChildItem":
        return parameters.keys() <= {"LiteralPath", "Filter"} and parameters.get("Filter") == LISTED_FILES
    return True


def test_the_role_lets_all_through_that_a_lab_needs(parent: Parent, new_provider: NewProvider) -> None:
    watched = Watched(HostShell(parent.host.state))
    parent.host.register("nestedlab", lambda: watched)
    disks.place(parent.host.state.files, "D:\\Images\\ws2022.vhdx")
    before = parent.snapshot()
    provider = new_provider(parent, configurationName="nestedlab")

    forward = {"external_port": 33890, "internal_address": "192.168.50.10", "internal_port": 3389}
    net = provider.create("switch", forwards=[forward])
    spare = {"data_disks": [{"size_gib": 10}], "os_disk": {"parent": "D:\\Images\\ws2022.vhdx"}, "tpm": True}
    adapters = [{"name": "LAN", "switch": "lab-net"}, {"name": "Spare"}]
    machine = provider.create("machine", **spare, adapters=adapters, time_synchronization=False)
    machine = provider.update("machine", machine, **spare, adapters=adapters[:1], processors=2)
    machine = provider.update("machine", machine, os_disk=spare["os_disk"], adapters=adapters[:1], name="hv2")
    assert provider.read("machine", machine) is not None
    provider.delete("machine", machine)
    provider.delete("switch", provider.update("switch", net, prefix="192.168.51.0/24", name="net"))
    assert parent.snapshot() == before
    assert watched.hidden == []
