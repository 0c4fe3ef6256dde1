"""A stack's state, as the CLI exports it and as a backend of files keeps it: identities, ids and disks in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nestedlab.adapters.stack import project_folder, with_earlier
from nestedlab.errors import ConfigurationError
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.orphans import StackRecord

RECORD = StackRecord("lab", "dev")
HV1 = "1f0c2b9e-4d7a-4f00-8000-000000000001"
DYNAMIC = "pulumi-python:dynamic/nestedlab"


def resource(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:dev::lab::{DYNAMIC}:{kind}::{name}", "type": f"{DYNAMIC}:{kind}", **more}


IDENTITY = resource("StackIdentity", "nestedlab", id="5ca1ab1e", outputs={"identity": "5ca1ab1e", "stack": "lab/dev"})
MACHINE = resource("NestedHyperVHost", "hv1", id=HV1, inputs={"stackId": "0ld"}, outputs={"madeDisks": ["D:\\a.vhdx"]})
SEALED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def read(file: Path, content: object) -> StackRecord:
    file.write_text(json.dumps(content))
    return with_earlier(RECORD, [file])


@pytest.mark.parametrize(
    "around",
    [
        lambda state: {"version": 3, "deployment": state},  # pulumi stack export
        lambda state: {"version": 3, "checkpoint": {"stack": "organization/lab/dev", "latest": state}},
    ],
)
def test_identities_ids_and_disks_are_read(around: Any, tmp_path: Path) -> None:
    record = read(tmp_path / "state.json", around({"resources": [IDENTITY, MACHINE]}))
    assert record.identities == {"5ca1ab1e", "0ld"}
    (entry,) = record.earlier
    assert (entry.kind, str(entry.id)) == (NestedHyperVHost, HV1)
    assert entry.files("made_disks") == ["D:\\a.vhdx"]


def test_a_pending_create_tells_the_identity(tmp_path: Path) -> None:
    pending = {"resource": resource("NestedHyperVHost", "hv1", inputs={"stackId": "5ca1ab1e"}), "type": "creating"}
    record = read(tmp_path / "state.json", {"deployment": {"pending_operations": [pending]}})
    assert record.identities == {"5ca1ab1e"}
    assert record.earlier == ()


def test_what_is_sealed_has_no_value(tmp_path: Path) -> None:
    sealed = {**MACHINE, "outputs": {"madeDisks": SEALED, "name": "hv1"}}
    (entry,) = read(tmp_path / "state.json", {"deployment": {"resources": [sealed]}}).earlier
    assert entry.values == {"name": "hv1"}


def test_another_stacks_state_is_refused(tmp_path: Path) -> None:
    theirs = {**IDENTITY, "urn": IDENTITY["urn"].replace("dev", "prod")}
    with pytest.raises(ConfigurationError, match=r"lab/prod, not of lab/dev"):
        read(tmp_path / "state.json", {"deployment": {"resources": [theirs]}})


@pytest.mark.parametrize("content", [[], {}, {"checkpoint": None}, "text"])
def test_what_is_no_state_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no state of a stack"):
        read(tmp_path / "state.json", content)


def test_the_projects_folder_is_looked_for_upwards(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "inner").mkdir()
    assert project_folder(tmp_path / "inner") == tmp_path
