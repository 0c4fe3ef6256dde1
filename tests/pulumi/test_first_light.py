"""The lab of the README, as written, through its whole life."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pulumi_cli
from lab import Lab

if TYPE_CHECKING:
    from tests.conftest import Parent

PROGRAM = (pulumi_cli.CHECKOUT / "examples/quickstart/__main__.py").read_text()


def _reference(name: str) -> bytes:
    """A class by its path, as pickle's protocol 4 writes an instance without state; decision 0002."""
    module = b"nestedlab.adapters.dynamic"
    path = b"\x8c" + bytes([len(module)]) + module + b"\x94\x8c" + bytes([len(name)]) + name.encode() + b"\x94"
    body = path + b"\x93\x94)\x81\x94."
    return b"\x80\x04\x95" + len(body).to_bytes(8, "little") + body


def _graph(lab: Lab) -> dict[str, Any]:
    """What `nestedlab graph` tells of the stack."""
    command = [sys.executable, "-m", "nestedlab", "graph", "--stack", lab.stack, "--format", "json"]
    done = subprocess.run(command, cwd=lab.folder, env=lab.environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_the_lab_of_the_readme_lives_its_life(
    parent: Parent, lab_on: Callable[[Parent, str], Lab], tmp_path: Path
) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM)

    preview = lab.preview()
    assert preview.changes == {"create": 4}
    assert '    gateway: "192.168.50.1"' in preview.text
    assert "    hv1    : [unknown]" in preview.text
    assert parent.snapshot() == before

    up = lab.up()
    assert up.changes == {"create": 4}
    machine = parent.machine("hv1")
    assert lab.outputs() == {"gateway": "192.168.50.1", "hv1": str(machine.id)}
    assert parent.shells_are_given_back()

    lab.expect_no_changes()
    assert parent.shells_are_given_back()

    resources = lab.resources()
    for name, provider in {"hv1": b"NestedHyperVHostProvider", "lab-net": b"NatSwitchProvider"}.items():
        kept = resources[name]["outputs"]["__provider"]
        assert base64.b64decode(kept) == _reference(provider.decode())
        assert UUID(resources[name]["id"])
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"hv1" in stored
    assert parent.server.password.encode() not in stored
    (host,) = _graph(lab)["hosts"]
    assert [(switch["name"], switch["gateway"]) for switch in host["switches"]] == [("lab-net", "192.168.50.1")]
    assert [(one["name"], one["id"], one["powerState"]) for one in host["machines"]] == [
        ("hv1", str(machine.id), "Running")
    ]

    assert lab.destroy().changes == {"delete": 4}
    assert parent.snapshot() == before
    assert parent.shells_are_given_back()
