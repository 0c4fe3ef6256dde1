"""docs/requirements.md says of each requirement what the code does, in the code's words."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import nestedlab
from nestedlab import requirements
from nestedlab.requirements import SURVEY

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
ROWS = {line.split("|")[1].strip(): line for line in PAGE.splitlines() if re.match(r"\| (S\d+|[a-z]+) \|", line)}
ROWS.pop("id")
TESTS = sorted(set(re.findall(r"\[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\)", PAGE)))
MESSAGES = sorted(set(re.findall(r'"([^"]+)"', PAGE)))


@cache
def texts() -> list[str]:
    """Every text of the provider's code, with … for what is filled in."""
    found = []
    for file in Path(nestedlab.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [one.value if isinstance(one, ast.Constant) else "…" for one in node.values]
                found.append("".join(str(one) for one in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


def test_every_requirement_has_a_row() -> None:
    assert {f"S{number}" for number in range(1, 20)} | {"memory", "disk", "processors", "drive"} == ROWS.keys()


def test_every_requirement_that_the_code_names_has_a_row() -> None:
    named = set()
    for text in texts():
        named |= set(re.findall(r"\bS\d+\b", text))
    source = ast.parse(Path(requirements.__file__).read_text(encoding="utf-8"))
    calls = [one for one in ast.walk(source) if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "Finding"]
    named |= {one.args[0].value for one in calls if isinstance(one.args[0], ast.Constant)}
    assert {"S1", "S2", "S12", "memory", "disk"} <= named
    assert named <= ROWS.keys()


@pytest.mark.parametrize(("name", "file"), TESTS)
def test_every_test_that_is_named_exists(name: str, file: str) -> None:
    assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_is_one_of_the_codes(message: str) -> None:
    said = re.compile(".*".join(re.escape(part) for part in message.split("…")))
    assert [one for one in texts() if said.search(one)]


def test_security_of_the_parent_is_never_asked_for() -> None:
    asked = {str(one.cmdlets[0]) for one in SURVEY.pipelines}
    assert not [one for one in asked if "DeviceGuard" in one or "Security" in one]
    assert {one.cmdlets[0].name for one in SURVEY.pipelines} == {
        "Get-CimInstance",
        "Get-VM",
        "Get-VMHost",
        "Get-VMHostSupportedVersion",
    }
