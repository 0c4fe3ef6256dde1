"""The class's own lab on a parent that takes one NAT network: the NAT that all students' switches join."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from nestedlab.adapters.urns import type_of
from nestedlab.classroom.project import Project
from nestedlab.classroom.shared_nat import SharedNat

_PROGRAM = '''"""The NAT network that all students of a class share on a host whose Windows takes only one."""

import pulumi
import pulumi_nestedlab as lab

config = pulumi.Config()
nat = lab.NatSwitch(
    "nat", name=config.require("switch"), prefix=config.require("prefix"), nat_prefix=config.require("natPrefix")
)
pulumi.export("natName", nat.nat_name)
'''


def project_name(course: str) -> str:
    """The project of a class's own stacks."""
    return f"{course}-nat"


def write_program(folder: Path, course: str, lab: Project) -> None:
    """Write the program, to be run by the Python that runs the lab program."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"virtualenv": str(lab.virtual_environment.absolute())} if lab.virtual_environment else {}
    runtime = {"name": "python", "options": environment} if environment else "python"
    project = yaml.safe_dump({"name": project_name(course), "runtime": runtime}, sort_keys=False)
    (folder / "Pulumi.yaml").write_text(project, encoding="utf-8")
    (folder / "__main__.py").write_text(_PROGRAM, encoding="utf-8")


def program_settings(shared: SharedNat) -> dict[str, str]:
    """What the program reads."""
    return {"switch": shared.switch, "prefix": str(shared.prefix), "natPrefix": str(shared.nat_prefix)}


def nat_name(deployment: Mapping[str, Any]) -> str | None:
    """What Windows calls the NAT network, by the stack's state; None if it is not there yet."""
    switches = (resource for resource in deployment.get("resources") or () if resource["type"] == type_of("NatSwitch"))
    return next((str(switch["outputs"]["natName"]) for switch in switches if switch.get("outputs")), None)
