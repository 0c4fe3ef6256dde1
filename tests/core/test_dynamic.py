"""The dynamic front translates between Pulumi's SDK and a handler."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from pulumi.runtime import rpc

from nestedlab.adapters import dynamic, plain_errors
from nestedlab.adapters.dynamic import NatSwitchProvider, NestedHyperVHostProvider
from nestedlab.declare import Properties
from nestedlab.errors import ConfigurationError, RefusedError
from nestedlab.lifecycle import Found
from nestedlab.pipeline import Facts

IT = "5d5ee4c5-15f1-4a09-a1a0-6ac3c2e2a0e1"
ASKED = {
    "name": "hv1",
    "memoryMib": 8192.0,
    "osDisk": {"sizeGib": 80.0},
    "owner": "lab/dev/hv1",
    "__provider": "pickle",
}
VALUES: dict[str, Any] = {
    "name": "HV1",
    "processors": 4,
    "memory_mib": 4096,
    "os_disk": {"size_gib": 80, "fixed": False, "keep": False},
    "switch": "",
    "mac_spoofing": False,
    "running": True,
    "notes": "",
    "path": "C:\\VMs\\hv1",
    "generation": 2,
    "dynamic_memory": False,
    "expose_virtualization_extensions": True,
    "owner": "lab/dev/hv1",
    "vm_id": IT,
    "version": "10.0",
    "os_disk_path": "C:\\Disks\\hv1.vhdx",
}


@dataclass
class FakeHandler:
    """A handler that finds what it is told to."""

    values: Properties | None
    called: list[Any] = field(default_factory=list)

    def create(self, desired: Properties) -> Found:
        self.called.append(("create", desired))
        return self._found()

    def read(self, identity: UUID, known: Properties) -> Found | None:
        self.called.append(("read", str(identity), known))
        return None if self.values is None else self._found()

    def update(self, identity: UUID, desired: Properties, known: Properties) -> Found:
        self.called.append(("update", str(identity), desired, known))
        return self._found()

    def delete(self, identity: UUID, known: Properties) -> None:
        self.called.append(("delete", str(identity), known))

    def _found(self) -> Found:
        assert self.values is not None
        return Found(UUID(IT), self.values, Facts())


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> NestedHyperVHostProvider:
    monkeypatch.setattr(dynamic, "_configuration", {"nestedlab:address": "hv01"})
    # No test of the translation may look for a host of that name.
    monkeypatch.setattr(NestedHyperVHostProvider, "_foresee", lambda *_, **__: None)
    return NestedHyperVHostProvider()


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> FakeHandler:
    fake = FakeHandler(VALUES)
    monkeypatch.setattr(dynamic._Provider, "_handler", lambda *_: fake)
    return fake


def checked(provider: NestedHyperVHostProvider, news: dict[str, Any]) -> dict[str, Any]:
    result = provider.check({}, news)
    assert result.failures == []
    return result.inputs


def test_inputs_come_back_with_their_defaults_and_without_the_sdks_own(provider: NestedHyperVHostProvider) -> None:
    inputs = checked(provider, ASKED)
    assert "__provider" not in inputs
    assert (inputs["processors"], inputs["memoryMib"]) == (4, 8192)
    assert inputs["osDisk"] == {"sizeGib": 80, "fixed": False, "keep": False}
    assert checked(provider, inputs) == inputs


def test_what_is_not_known_yet_stays_so(provider: NestedHyperVHostProvider) -> None:
    disk = {"parent": rpc.UNKNOWN}
    inputs = checked(provider, {**ASKED, "switch": rpc.UNKNOWN, "osDisk": disk})
    assert (inputs["switch"], inputs["osDisk"], inputs["processors"]) == (rpc.UNKNOWN, disk, 4)


def test_all_failures_come_at_once_by_property(provider: NestedHyperVHostProvider) -> None:
    failures = provider.check({}, {**ASKED, "memoryMib": 3.0, "osDisk": {"sizeGb": 80.0}, "colour": "blue"}).failures
    assert {one.property for one in failures} == {"memoryMib", "osDisk.sizeGb", "colour"}


def test_a_check_without_an_address_says_how_to_set_it(
    provider: NestedHyperVHostProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamic, "_configuration", {})
    monkeypatch.delenv("NESTEDLAB_ADDRESS", raising=False)
    with pytest.raises(ConfigurationError, match="pulumi config set nestedlab:address"):
        provider.check({}, ASKED)


@pytest.mark.parametrize(
    ("unknown", "replaces"), [("processors", []), ("name", []), ("dataDisks", []), ("path", ["path"])]
)
def test_of_what_has_no_value_yet_nothing_is_told_and_nothing_forbidden(
    provider: NestedHyperVHostProvider, monkeypatch: pytest.MonkeyPatch, unknown: str, replaces: list[str]
) -> None:
    told: list[str] = []
    monkeypatch.setattr("nestedlab.adapters.engine_log.warn", lambda _, text: told.append(text))
    asked = {**ASKED, "path": "D:\\VMs", "dataDisks": [{"sizeGib": 5.0}], "onPowerOff": "fail"}
    state = {**checked(provider, asked), "vmId": IT}
    result = provider.diff(IT, state, {**checked(provider, asked), unknown: rpc.UNKNOWN})
    assert (result.changes, result.replaces, told) == (True, replaces, [])
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
    provider: NestedHyperVHostProvider, olds: dict[str, Any], news: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    state = {**checked(provider, ASKED), "vmId": IT, **olds}
    result = provider.diff(IT, state, {**checked(provider, ASKED), **news})
    assert (result.changes, result.replaces, result.delete_before_replace) == (changes, replaces, True)


def test_outputs_are_what_was_found_in_the_spelling_asked_for(
    provider: NestedHyperVHostProvider, handler: FakeHandler
) -> None:
    inputs = checked(provider, ASKED)
    created, updated = provider.create(inputs), provider.update(IT, {}, inputs)
    assert created.id == IT
    assert created.outs == updated.outs
    assert created.outs is not None
    assert (created.outs["name"], created.outs["memoryMib"], created.outs["vmId"]) == ("hv1", 4096, IT)
    assert "path" not in created.outs
    assert [one[0] for one in handler.called] == ["create", "update"]
    assert handler.called[0][1]["os_disk"] == {"size_gib": 80, "fixed": False, "keep": False}


def test_a_refresh_answers_inputs_too(provider: NestedHyperVHostProvider, handler: FakeHandler) -> None:
    state = {**checked(provider, ASKED), "vmId": IT, "version": "9.0", "__provider": "pickle"}
    result: Any = provider.read(IT, state)
    assert result.id == IT
    assert (result.outs["memoryMib"], result.outs["version"]) == (4096, "10.0")
    assert result.inputs["memoryMib"] == 4096
    assert {"vmId", "version", "osDiskPath", "__provider"}.isdisjoint(result.inputs)


def test_what_is_gone_has_a_blank_id(provider: NestedHyperVHostProvider, handler: FakeHandler) -> None:
    handler.values = None
    assert provider.read(IT, ASKED).id == ""


def test_a_delete_knows_the_state(provider: NestedHyperVHostProvider, handler: FakeHandler) -> None:
    provider.delete(IT, {"name": "hv1", "osDiskPath": "C:\\x.vhdx", "__provider": "pickle"})
    assert handler.called == [("delete", IT, {"name": "hv1", "os_disk_path": "C:\\x.vhdx"})]


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
