"""The role for a JEA endpoint shows what the provider calls: the cmdlets that the plans' cases run."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import jea

from hyperv_sim.contract.proxy import Check
from hyperv_sim.powershell.role import read_role
from nestedlab.orphans import MADE_FILES
from nestedlab.ownership import made_name
from nestedlab.pipeline import Cmdlet
from nestedlab.requirements import SURVEY

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "nestedlab.psrc").read_text(encoding="utf-8")
ROLE = read_role(TEXT)
VERBS = "Add|Checkpoint|Connect|Disable|Disconnect|Enable|Get|New|Remove|Rename|Resize|Restore|Set|Start|Stop|Update"
CALL = re.compile(
    rf"(?:^\s*|\| )<?((?:{VERBS})-(?:VM|VHD|Net|Item)\w*)\b((?: -\w+(?::\S+| '[^'\n]*'| [^\s|'-]\S*)?)*)", re.MULTILINE
)


def calls_of_plans() -> list[tuple[str, set[str]]]:
    cases = (ROOT / "tests" / "cases" / "core").glob("*/**/*.yaml")
    steps = "\n".join(file.read_text(encoding="utf-8") for file in cases)
    return [(name, set(re.findall(r" -(\w+)", arguments))) for name, arguments in CALL.findall(steps)]


def checks(cmdlet: str) -> dict[str, Check]:
    return dict(ROLE.commands[cmdlet.lower()] or {})


def lets_through(call: Cmdlet) -> bool:
    shown = ROLE.commands.get(call.name.lower(), {})
    return shown is None or {name.lower() for name in call.parameters} <= shown.keys() | {"confirm"}


def test_the_role_is_up_to_date() -> None:
    assert jea.role() == TEXT


def test_every_call_of_every_plan_is_let_through() -> None:
    run = [Cmdlet(name, dict.fromkeys(parameters)) for name, parameters in calls_of_plans()]
    run += [cmdlet for pipeline in SURVEY.pipelines for cmdlet in pipeline.cmdlets]
    assert len({call.name for call in run}) > 30
    assert any(len(call.parameters) > 3 for call in run)
    assert [str(call) for call in run if not lets_through(call)] == []


def test_what_is_made_of_cim_classes_is_a_function() -> None:
    cmdlets, functions = TEXT.split("VisibleFunctions")
    for name in ("Get-NetNat", "New-NetIPAddress", "Add-NetNatStaticMapping"):
        assert f"Name = '{name}'" in functions
    for name in ("Get-VM", "Get-CimInstance", "New-VHD"):
        assert f"Name = '{name}'" in cmdlets


def test_only_files_that_were_made_can_be_made_resized_and_removed() -> None:
    made = f"C:\\Disks\\{made_name('hv1-os', uuid4())}.vhdx"
    for cmdlet, parameter in (("New-VHD", "path"), ("Resize-VHD", "path"), ("Remove-Item", "literalpath")):
        pattern = checks(cmdlet)[parameter].pattern
        assert re.fullmatch(pattern, made)
        assert not re.fullmatch(pattern, "C:\\Images\\ws2022.vhdx")
    assert checks("Get-ChildItem")["filter"].values == (MADE_FILES,)


def test_nothing_leads_to_another_host_or_to_a_physical_disk() -> None:
    shown = {parameter for parameters in ROLE.commands.values() for parameter in parameters or {}}
    assert not shown & {"computername", "cimsession", "credential", "disknumber", "sourcedisk", "confirm", "whatif"}
    assert [name for name, parameters in ROLE.commands.items() if parameters is None] == ["set-vmdvddrive"]
