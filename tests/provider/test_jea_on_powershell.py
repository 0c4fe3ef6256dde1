"""The role of docs/ on a real PowerShell, if there is one: it lets all calls of a lab's life through."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from tests.provider import stand_ins
from tests.provider.test_jea import ROLE, prepared, restricted, whole_life

from hyperv_sim.contract import load
from hyperv_sim.powershell.role import read_role
from hyperv_sim.records import Scalar

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.provider.conftest import NewProvider

    from hyperv_sim.records import Statement, Value

POWERSHELL = shutil.which("pwsh")
SCRIPT = Path(__file__).with_name("role_on_powershell.ps1")
PATIENCE_SECONDS = 120
REFUSED = {
    "NamedParameterNotFound,Get-VM": [{"name": "Get-VM", "parameters": {"ComputerName": "other"}}],
    "ParameterArgumentValidationError,Remove-Item": [
        {"name": "Remove-Item", "parameters": {"LiteralPath": r"D:\Images\ws2022.vhdx"}}
    ],
    "CommandNotFoundException": [{"name": "Get-Process", "parameters": {}}],
}


def _sent(value: Value) -> object:
    if not isinstance(value, Scalar):
        assert value is None
        return None
    return str(value.value) if isinstance(value.value, UUID) else value.value


def _kinds(statements: list[Statement]) -> list[Any]:
    """One call of each kind: of the same commands with the same parameters."""
    kinds: dict[str, Any] = {}
    for statement in statements:
        call = [
            {"name": command.name, "parameters": {each.name or "": _sent(each.value) for each in command.parameters}}
            for command in statement
        ]
        kinds.setdefault(json.dumps([[each["name"], sorted(each["parameters"])] for each in call]), call)
    return list(kinds.values())


def _errors(folder: Path, calls: list[Any]) -> list[list[str]]:
    """The ids of the errors of each call, in a session with the role."""
    assert POWERSHELL
    listed = read_role(ROLE).commands.keys()
    windows = [cmdlet for name, cmdlet in load("2022").items() if name.lower() in listed]
    cmdlets = [cmdlet for cmdlet in windows if not cmdlet.module.startswith("Microsoft.PowerShell.")]
    files = {name: folder / name for name in ("StandIns.cs", "StandIns.dll", "modules", "role.pssc", "calls.json")}
    files["StandIns.cs"].write_text(stand_ins.source(cmdlets), encoding="utf-8")
    stand_ins.write_modules(files["modules"], cmdlets, files["StandIns.dll"])
    head = "@{\n    SchemaVersion = '2.0.0.0'\n    SessionType = 'RestrictedRemoteServer'\n"
    files["role.pssc"].write_text(ROLE.replace("@{\n", head, 1), encoding="utf-8")
    files["calls.json"].write_text(json.dumps(calls), encoding="utf-8")
    command = [POWERSHELL, "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(SCRIPT), *map(str, files.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    answers: list[list[str]] = json.loads(done.stdout)
    return answers


@pytest.mark.skipif(POWERSHELL is None, reason="there is no pwsh on the path")
def test_a_real_powershell_lets_all_calls_through(parent: Parent, new_provider: NewProvider, tmp_path: Path) -> None:
    prepared(parent)
    provider, shell = restricted(parent, new_provider)
    whole_life(provider)
    calls = _kinds(shell.statements)
    answers = _errors(tmp_path, [*calls, *REFUSED.values()])
    refused = dict(zip(REFUSED, answers[len(calls) :], strict=True))
    assert refused == {identifier: [identifier] for identifier in REFUSED}
    told = [(call, errors) for call, errors in zip(calls, answers, strict=False) if errors]
    # There is no drive D: the file's name has passed the role, and the cmdlet itself has looked for it.
    assert {error.split(",")[0] for _, errors in told for error in errors} == {"DriveNotFound"}, told
