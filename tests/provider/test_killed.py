"""A provider that is killed after the first step, the second ...: the next one brings a full machine to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from hyperv_sim.state.disks import place
from nestedlab import handler

if TYPE_CHECKING:
    from tests.provider.conftest import Provider

    from nestedlab.lifecycle import Found
    from nestedlab.pipeline import Runner, Step

T = TypeVar("T")

IMAGE, GIVEN = r"C:\Images\ws.vhdx", r"C:\Images\given.vhdx"
FULL: dict[str, Any] = {
    "adapters": [{"name": "lan", "vlan": 12}, {"name": "wan", "mac": "00155D010203", "device_naming": True}],
    "data_disks": [{"parent": IMAGE, "size_gib": 50}, {"path": GIVEN}],
    "baseline": "clean",
    "tpm": True,
    "time_synchronization": False,
}
"""Two adapters, three disks and a baseline."""
CHANGED: dict[str, Any] = {
    **FULL,
    "adapters": [{"name": "wan", "trunk": "10-12"}, {"name": "third", "mac": "00155D010204"}],
    "data_disks": [*FULL["data_disks"], {"size_gib": 3}],
    "baseline": "second",
    "processors": 2,
    "tpm": False,
}
MOST_STEPS = 20


class Killed(BaseException):
    """The process is gone. What it has sent is done, and it never sees the answer."""


Kill = Callable[[int, Callable[[], T]], tuple[T, bool]]


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Kill[Any]:
    """Do an operation in a process that is killed after so many steps, and once more in the next; say if it was."""
    run = handler._run

    def twice(steps: int, operation: Callable[[], Any]) -> tuple[Any, bool]:
        left = steps

        def dying(step: Step, runner: Runner) -> Any:
            nonlocal left
            answer = run(step, runner)
            left -= 1
            if not left:
                raise Killed
            return answer

        with monkeypatch.context() as patch:
            patch.setattr(handler, "_run", dying)
            try:
                return operation(), False
            except Killed:
                pass
        return operation(), True

    return twice


@pytest.fixture
def before(provider: Provider) -> Any:
    """The host, furnished."""
    provider.parent.host.state.looks_to_merge = 0
    for path in (IMAGE, GIVEN):
        place(provider.parent.host.state.files, path)
    return _state(provider)


def test_killed_anywhere_in_a_create_and_a_delete(provider: Provider, kill: Kill[Any], before: Any) -> None:
    for steps in _steps():
        made, creating = kill(steps, lambda: provider.create("machine", **FULL))
        _is_as_asked(provider, made, FULL)
        _, deleting = kill(steps, lambda made=made: provider.delete("machine", made))  # type: ignore[misc]
        assert _state(provider) == before, steps
        if not (creating or deleting):
            return


def test_killed_anywhere_in_an_update(provider: Provider, kill: Kill[Any], before: Any) -> None:
    for steps in _steps():
        now = provider.create("machine", **FULL)
        now, updating = kill(steps, lambda now=now: provider.update("machine", now, **CHANGED))  # type: ignore[misc]
        _is_as_asked(provider, now, CHANGED)
        provider.delete("machine", now)
        assert _state(provider) == before, steps
        if not updating:
            return


def test_killed_anywhere_in_a_replacement(provider: Provider, kill: Kill[Any], before: Any) -> None:
    """Names on the host are fixed, so the old one goes before the new one comes."""
    anew = {**CHANGED, "os_disk": {"parent": IMAGE}}
    for steps in _steps():
        old = provider.create("machine", **FULL)
        _, deleting = kill(steps, lambda old=old: provider.delete("machine", old))  # type: ignore[misc]
        now, creating = kill(steps, lambda: provider.create("machine", **anew))
        assert now.id != old.id
        _is_as_asked(provider, now, anew)
        provider.delete("machine", now)
        assert _state(provider) == before, steps
        if not (deleting or creating):
            return


def _steps() -> Iterator[int]:
    yield from range(1, MOST_STEPS)
    raise AssertionError(f"an operation had more than {MOST_STEPS} steps")


def _is_as_asked(provider: Provider, made: Found, inputs: dict[str, Any]) -> None:
    found = provider.read("machine", made)
    assert found is not None
    asked = provider.desired("machine", **inputs)
    kind = provider.handler("machine").lifecycle.kind
    assert [one.name for one in kind.inputs() if not one.agrees(asked.get(one.name), found.values.get(one.name))] == []
    machine = provider.parent.machine("hv1")
    assert len(machine.checkpoints) == 1
    assert found.values["baseline_id"] == str(machine.checkpoints[0].id)


def _state(provider: Provider) -> Any:
    """The host without what a machine has written to a disk that it was given."""
    snapshot = provider.parent.snapshot()
    for file in snapshot["files"]["entries"].values():
        file["disk"] = file["disk"] and {**file["disk"], "written": ""}
    return snapshot
