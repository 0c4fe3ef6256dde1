"""The dynamic front translates between Pulumi's SDK and a handler."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn
from uuid import UUID

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.runtime import rpc

from nestedlab.adapters import log_file, plain_errors, urns
from nestedlab.adapters.dynamic import NatSwitchProvider, NestedHyperVHostProvider
from nestedlab.adapters.dynamic_front import DynamicFront
from nestedlab.declare import Properties, Resource
from nestedlab.errors import ConfigurationError, RefusedError, UnreachableError
from nestedlab.lifecycle import HalfMade
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.pipeline import Runner
from nestedlab.provider import Provider, Recorded

IT = "5d5ee4c5-15f1-4a09-a1a0-6ac3c2e2a0e1"
ASKED = {
    "name": "hv1",
    "memoryMib": 8192.0,
    "osDisk": {"sizeGib": 80.0},
    "owner": "lab/dev/hv1",
    "__provider": "pickle",
}
SHOWN: dict[str, Any] = {
    "name": "hv1",
    "memory_mib": 4096,
    "os_disk": {"size_gib": 80, "fixed": False, "keep": False},
    "owner": "lab/dev/hv1",
}
STATE: dict[str, Any] = {**SHOWN, "vm_id": IT, "version": "10.0"}


@dataclass
class RecordingProvider(Provider):
    """A provider that answers what it is told to, and keeps what it was asked."""

    shown: Recorded | None = field(default_factory=lambda: Recorded(IT, SHOWN, STATE))
    calls: list[Any] = field(default_factory=list)
    half_made: HalfMade | None = None

    def create(self, kind: type[Resource], values: Properties) -> Recorded:
        self.calls.append(("create", kind, values))
        if self.half_made is not None:
            raise self.half_made
        return self._recorded()

    def undo(self, kind: type[Resource], half_made: HalfMade) -> NoReturn:
        self.calls.append(("undo", kind, half_made))
        raise half_made.error

    def read(self, kind: type[Resource], identity: str, state: Properties) -> Recorded | None:
        self.calls.append(("read", kind, identity, state))
        return self.shown

    def update(self, kind: type[Resource], identity: str, state: Properties, values: Properties) -> Recorded:
        self.calls.append(("update", kind, identity, state, values))
        return self._recorded()

    def delete(self, kind: type[Resource], identity: str, state: Properties) -> None:
        self.calls.append(("delete", kind, identity, state))

    def _recorded(self) -> Recorded:
        assert self.shown is not None
        return self.shown


@pytest.fixture
def recording() -> RecordingProvider:
    return RecordingProvider()


@pytest.fixture
def front(recording: RecordingProvider) -> DynamicFront:
    return DynamicFront(NestedHyperVHost, recording)


class Unreachable:
    """Sessions with a host that does not answer."""

    @contextmanager
    def borrow(self) -> Iterator[Runner]:
        raise UnreachableError("hv01 does not answer")
        yield

    def lock(self, _: str) -> threading.Lock:
        return threading.Lock()


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def provider(warnings: list[str]) -> DynamicFront:
    """The front before a real provider, whose host does not answer."""
    core = Provider(
        {"nestedlab:address": "hv01"}, {}, lambda _: Unreachable(), lambda _kind, _owner, text: warnings.append(text)
    )
    return DynamicFront(NestedHyperVHost, core)


def checked(provider: DynamicFront, news: dict[str, Any]) -> dict[str, Any]:
    result = provider.check({}, news)
    assert result.failures == []
    return result.inputs


def test_inputs_come_back_with_their_defaults_and_without_the_sdks_own(provider: DynamicFront) -> None:
    inputs = checked(provider, ASKED)
    assert "__provider" not in inputs
    assert (inputs["processors"], inputs["memoryMib"]) == (4, 8192)
    assert inputs["osDisk"] == {"sizeGib": 80, "fixed": False, "keep": False}
    assert checked(provider, inputs) == inputs


def test_what_is_not_known_yet_stays_so(provider: DynamicFront) -> None:
    disk = {"parent": rpc.UNKNOWN}
    inputs = checked(provider, {**ASKED, "switch": rpc.UNKNOWN, "osDisk": disk})
    assert (inputs["switch"], inputs["osDisk"], inputs["processors"]) == (rpc.UNKNOWN, disk, 4)


def test_all_failures_come_at_once_by_property(provider: DynamicFront) -> None:
    failures = provider.check({}, {**ASKED, "memoryMib": 3.0, "osDisk": {"sizeGb": 80.0}, "colour": "blue"}).failures
    assert {one.property for one in failures} == {"memoryMib", "osDisk.sizeGb", "colour"}


@pytest.mark.parametrize(
    ("unknown", "replaces"), [("processors", []), ("name", []), ("dataDisks", []), ("path", ["path"])]
)
def test_of_what_has_no_value_yet_nothing_is_told_and_nothing_forbidden(
    provider: DynamicFront, warnings: list[str], unknown: str, replaces: list[str]
) -> None:
    asked = {**ASKED, "path": "D:\\VMs", "dataDisks": [{"sizeGib": 5.0}], "onPowerOff": "fail"}
    state = {**checked(provider, asked), "vmId": IT}
    inputs = checked(provider, asked)
    warnings.clear()
    result = provider.diff(IT, state, {**inputs, unknown: rpc.UNKNOWN})
    assert (result.changes, result.replaces, warnings) == (True, replaces, [])
    with pytest.raises(RefusedError, match="machine 'hv1': the running machine will be shut down"):
        provider.diff(IT, state, {**checked(provider, asked), "memoryMib": 4096.0, unknown: rpc.UNKNOWN})


@pytest.mark.parametrize(
    ("olds", "news", "changes", "replaces"),
    [
        ({}, {}, False, []),
        ({"__provider": "old"}, {"__provider": "new"}, False, []),
        ({}, {"name": "hv1"}, False, []),
        ({}, {"processors": 2.0}, True, []),
        ({}, {"osDisk": {"parent": "D:\\a.vhdx"}}, True, ["osDisk"]),
        ({"path": "D:\\a"}, {"path": "E:\\a"}, True, ["path"]),
        ({"generation": 1.0}, {}, True, ["generation"]),
        ({"vmId": "other"}, {}, False, []),
        ({}, {"switch": rpc.UNKNOWN}, True, []),
    ],
)
def test_a_diff_always_answers_and_never_speaks_of_the_sdks_own(
    provider: DynamicFront, olds: dict[str, Any], news: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    state = {**checked(provider, ASKED), "vmId": IT, **olds}
    result = provider.diff(IT, state, {**checked(provider, ASKED), **news})
    assert (result.changes, result.replaces, result.delete_before_replace) == (changes, replaces, True)


def test_outputs_are_what_is_on_the_host(front: DynamicFront, recording: RecordingProvider) -> None:
    created, updated = front.create(ASKED), front.update(IT, {}, ASKED)
    assert created.id == IT
    assert created.outs == updated.outs
    assert created.outs == {
        "name": "hv1",
        "memoryMib": 4096,
        "osDisk": {"sizeGib": 80, "fixed": False, "keep": False},
        "owner": "lab/dev/hv1",
        "vmId": IT,
        "version": "10.0",
    }
    assert recording.calls[0] == (
        "create",
        NestedHyperVHost,
        {"name": "hv1", "memory_mib": 8192, "os_disk": {"size_gib": 80}, "owner": "lab/dev/hv1"},
    )


def test_what_is_secret_goes_with_the_state_by_name_and_is_not_logged(
    front: DynamicFront, provider: DynamicFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "_hidden", ())
    notes = "key's 4711\nD:\\secret"
    names: dict[str, Any] = {"__secretInputs": ["notes"]}
    asked = {**ASKED, **names, "notes": notes}
    assert checked(provider, asked)["__secretInputs"] == ["notes"]
    created, updated, read = front.create(asked), front.update(IT, {}, asked), front.read(IT, asked)
    assert created.outs is not None
    assert updated.outs is not None
    assert created.outs["__secretInputs"] == updated.outs["__secretInputs"] == ["notes"]
    assert read.outs is not None
    assert read.inputs is not None
    assert (read.outs["__secretInputs"], read.inputs["__secretInputs"]) == (["notes"], ["notes"])
    assert "__secretInputs" not in checked(provider, ASKED)
    written = log_file._Formatter("%(message)s").format(
        logging.makeLogRecord({"msg": "Set-VM -Notes 'key''s 4711\nD:\\secret [lab]'; 'D:\\\\secret' of hv1"})
    )
    assert written == "Set-VM -Notes '[secret]\n[secret] [lab]'; '[secret]' of hv1"


def test_a_log_is_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "nestedlab.log"
    write = "from nestedlab.adapters import log_file; import logging; log_file.start({!r}); logging.warning('x')"
    subprocess.run([sys.executable, "-c", f"import os; os.umask(0); {write.format(str(path))}"], check=True)
    assert (path.read_text().split()[-1], path.stat().st_mode & 0o777) == ("x", 0o600)


def test_a_half_made_object_is_rolled_back(front: DynamicFront, recording: RecordingProvider) -> None:
    """The protocol of dynamic providers has no word for one: what raises is taken for not there."""
    made: Any = SimpleNamespace(id=UUID(IT))
    recording.half_made = HalfMade(RefusedError("no"), made)
    with pytest.raises(RefusedError, match="no"):
        front.create(ASKED)
    assert [call[0] for call in recording.calls] == ["create", "undo"]


def test_a_refresh_answers_inputs_too(front: DynamicFront) -> None:
    result: Any = front.read(IT, {**ASKED, "vmId": IT, "version": "9.0"})
    assert result.id == IT
    assert (result.outs["memoryMib"], result.outs["version"]) == (4096, "10.0")
    assert result.inputs["memoryMib"] == 4096
    assert {"vmId", "version", "osDiskPath", "__provider"}.isdisjoint(result.inputs)


def test_what_is_gone_has_a_blank_id(front: DynamicFront, recording: RecordingProvider) -> None:
    recording.shown = None
    assert front.read(IT, ASKED).id == ""


def test_a_delete_knows_the_state(front: DynamicFront, recording: RecordingProvider) -> None:
    front.delete(IT, {"name": "hv1", "osDiskPath": "C:\\x.vhdx", "__provider": "pickle"})
    state = {"name": "hv1", "os_disk_path": "C:\\x.vhdx"}
    assert recording.calls == [("delete", NestedHyperVHost, IT, state)]


def test_the_provider_classes_hand_over_to_the_front_of_their_configuration() -> None:
    provider = NatSwitchProvider()
    provider.configure(ConfigureRequest(Config({"nestedlab:connectTimeout": "0"}, "lab")))
    with pytest.raises(ConfigurationError, match="connectTimeout"):
        provider.check({}, {"name": "net", "prefix": "192.168.50.0/24", "owner": "lab/dev/net"})


@pytest.mark.parametrize(
    ("parent", "owner", "urn"),
    [
        (None, "lab/dev/hv1", "urn:pulumi:dev::lab::pulumi-python:dynamic/nestedlab:NatSwitch::hv1"),
        (
            "urn:pulumi:dev::lab::course:Seat$course:Table::seat",
            "lab/dev/course:Seat$course:Table::hv1",
            "urn:pulumi:dev::lab::course:Seat$course:Table$pulumi-python:dynamic/nestedlab:NatSwitch::hv1",
        ),
    ],
)
def test_an_owner_and_a_urn_say_the_same(parent: str | None, owner: str, urn: str) -> None:
    assert urns.owner("lab", "dev", parent, "hv1") == owner
    assert urns.urn("NatSwitch", owner) == urn


@pytest.mark.parametrize("kind", [NestedHyperVHostProvider, NatSwitchProvider])
def test_the_path_that_stands_in_every_state_has_not_moved(kind: type) -> None:
    """Decision 0002: a stack's state refers to these by name, and they have no state of their own."""
    assert kind.__module__ == "nestedlab.adapters.dynamic"
    assert kind.__name__ in {"NestedHyperVHostProvider", "NatSwitchProvider"}
    assert vars(kind()) == {}


def test_our_errors_are_told_without_a_traceback_and_others_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    process: Any = ModuleType("__main__")
    process.__spec__ = SimpleNamespace(name="pulumi.dynamic.__main__")
    process.traceback = traceback
    monkeypatch.setitem(sys.modules, "__main__", process)
    plain_errors.install()

    def told(error: Exception) -> str:
        try:
            raise error
        except type(error):
            return str(process.traceback.format_exc())

    assert told(RefusedError("hv01: machine 'hv1': no")) == "hv01: machine 'hv1': no"
    assert told(KeyError("mistake")).startswith("Traceback (most recent call last)")
    assert process.traceback.format_exception is traceback.format_exception


def test_no_other_process_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    process: Any = ModuleType("__main__")
    process.__spec__ = SimpleNamespace(name="pytest.__main__")
    process.traceback = traceback
    monkeypatch.setitem(sys.modules, "__main__", process)
    plain_errors.install()
    assert process.traceback is traceback
