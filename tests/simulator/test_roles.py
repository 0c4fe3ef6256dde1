"""What is no role capability, or one that a session would not open with."""

from __future__ import annotations

import pytest

from hyperv_sim.contract.proxy import Check
from hyperv_sim.powershell.role import read_role


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "ends too early"),
        ("'Get-VM'", "one table"),
        ("@{ VisibleCmdlets = 'Get-VM' } 'more'", "one table"),
        ("@{ VisibleCmdlets = @( 'Get-VM'", "list has no end"),
        ("@{ VisibleCmdlets = 'Get-VM'", "table has no end"),
        ("@{ VisibleCmdlets }", "no value"),
        ("@{ VisibleCmdlets = Get-VM }", "no PowerShell data"),
        ('@{ VisibleCmdlets = "$name" }', "no PowerShell data"),
        ("@{ VisibleCmdlets = '*-VM' }", "plainly"),
        (r"@{ VisibleCmdlets = 'Hyper-V\Get-VM' }", "plainly"),
        ("@{ VisibleCmdlets = @{ Name = 'Get-VM' } }", "Name and Parameters"),
        ("@{ VisibleCmdlets = @{ Name = 'Get-VM'; Parameters = 'Id' } }", "lists a parameter as"),
        ("@{ VisibleCmdlets = @{ Parameters = @() } }", "plainly"),
    ],
)
def test_what_is_no_role_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_role(text)


def test_several_patterns_are_one_and_texts_keep_their_quotes() -> None:
    role = read_role(
        "@{ 'VisibleCmdlets' = @{ Name = 'Get-VM'; Parameters = @{ Name = 'Name'; ValidatePattern = 'a''b', 'c' } }\r\n"
        "VisibleProviders = \"FileSystem\"; ModulesToImport = @('Hyper-V'\n'NetNat')   # two\n}"
    )
    assert role.commands["get-vm"] == {"name": Check(pattern="a'b|c")}
    assert (role.shows_files, role.modules) == (True, frozenset({"hyper-v", "netnat"}))
