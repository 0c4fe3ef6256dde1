"""The role for a JEA endpoint shows what the provider calls: the cmdlets that the plans' cases run."""

import re
from pathlib import Path
from uuid import uuid4

import jea

from nestedlab.ownership import made_name
from nestedlab.requirements import SURVEY

ROOT = Path(__file__).parents[2]
ROLE = (ROOT / "docs" / "nestedlab.psrc").read_text(encoding="utf-8")
VERBS = "Add|Checkpoint|Connect|Disable|Disconnect|Enable|Get|New|Remove|Rename|Resize|Restore|Set|Start|Stop|Update"


def shown(row: str) -> set[str]:
    (values,) = re.findall(rf"^    {row} += @\((.*?)^    \)", ROLE, re.MULTILINE | re.DOTALL)
    return set(re.findall(rf"'((?:{VERBS})-\w+)'", values))


def test_the_role_is_up_to_date() -> None:
    assert jea.role() == ROLE


def test_every_cmdlet_of_every_plan_is_shown() -> None:
    cases = (ROOT / "tests" / "cases" / "core").glob("*/**/*.yaml")
    steps = "\n".join(file.read_text(encoding="utf-8") for file in cases)
    run = set(re.findall(rf"(?:^\s*|\| )<?((?:{VERBS})-(?:VM|VHD|Net|Item)\w*)\b", steps, re.MULTILINE))
    run |= {cmdlet.name for pipeline in SURVEY.pipelines for cmdlet in pipeline.cmdlets}
    assert len(run) > 30
    assert run <= shown("VisibleCmdlets") | shown("VisibleFunctions")


def test_what_is_made_of_cim_classes_is_a_function() -> None:
    assert {"Get-NetNat", "New-NetIPAddress", "Add-NetNatStaticMapping"} <= shown("VisibleFunctions")
    assert {"Get-VM", "Get-CimInstance", "New-VHD"} <= shown("VisibleCmdlets")


def test_only_files_that_were_made_can_be_removed() -> None:
    (pattern,) = re.findall(r"'Remove-Item'.*ValidatePattern = '(.+?)'", ROLE)
    assert re.search(pattern, f"C:\\Disks\\{made_name('hv1-os', uuid4())}.vhdx")
    assert not re.search(pattern, "C:\\Images\\ws2022.vhdx")
