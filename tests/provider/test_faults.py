"""Every request of every operation fails once, in every way: the operation, or a retry, still completes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from nestedlab.errors import NestedlabError

if TYPE_CHECKING:
    from tests.provider.conftest import Provider, Thing


EFFECTS = ("drop-request", "drop-answer", "restart", "fault=2150858843")  # this fault: the shell is unknown
CHANGED: dict[str, dict[str, Any]] = {
    "machine": {"processors": 2, "notes": "changed", "switch": "other"},
    "switch": {
        "prefix": "192.168.51.0/24",
        "notes": "changed",
        "forwards": [{"external_port": 3389, "internal_address": "192.168.51.5"}],
    },
}
MOST_REQUESTS = 40

Record = Callable[[str, object], None]

pytestmark = [pytest.mark.parametrize("effect", EFFECTS), pytest.mark.parametrize("kind", ["machine", "switch"])]


def test_a_create_and_a_delete_live_through_a_fault_at_any_request(
    kind: str, effect: str, provider: Provider, record_property: Record
) -> None:
    parent = provider.parent
    before = parent.snapshot()
    for fault in _faults(effect):
        provider.sessions.close()  # those that open a session are tried here; the other operations go on in one
        made, creating = _twice(provider, fault, partial(provider.create, kind))
        _is_as_asked(provider, kind, made)
        _, deleting = _twice(provider, fault, partial(provider.delete, kind, made))
        assert parent.snapshot() == before, fault
        record_property("faults", creating + deleting)
        if not (creating or deleting):
            return


def test_an_update_lives_through_a_fault_at_any_request(
    kind: str, effect: str, provider: Provider, record_property: Record
) -> None:
    parent = provider.parent
    parent.by_hand("New-VMSwitch", Name="other", SwitchType="Private")
    before = parent.snapshot()
    now = made = provider.create(kind)
    for number, fault in enumerate(_faults(effect)):
        # To the changed inputs and back again, in turn.
        inputs = {} if number % 2 else CHANGED[kind]
        now, met = _twice(provider, fault, partial(provider.update, kind, made, **inputs))
        _is_as_asked(provider, kind, now, **inputs)
        assert now.id == made.id
        record_property("faults", int(met))
        if not met:
            break
    provider.delete(kind, now)
    assert parent.snapshot() == before


def _faults(effect: str) -> Iterator[str]:
    """The fault at the first request, at the second ...; more than an operation has would be endless."""
    yield from (f"{effect} any#{number}" for number in range(1, MOST_REQUESTS))
    raise AssertionError(f"an operation still met a fault at request {MOST_REQUESTS - 1}")


def _twice(provider: Provider, fault: str, operation: Callable[[], Any]) -> tuple[Any, bool]:
    """Do it, and once more if it failed; returns the result, and whether the fault was met."""
    server = provider.parent.server
    plan = server.arm(fault)
    try:
        return operation(), bool(plan.fired)
    except NestedlabError:
        return operation(), bool(plan.fired)
    finally:
        server.arm()


def _is_as_asked(provider: Provider, kind: str, made: Thing, **inputs: Any) -> None:
    state = provider.seen(kind, made)
    checked = provider.desired(kind, **inputs)
    assert {name: state.values[name] for name in checked} == checked
    host = provider.parent.host.state
    assert len(host.machines) == (kind == "machine")
    names = [switch.name for switch in host.switches.values() if switch.name != "other"]
    assert names == ["lab-net"] * (kind == "switch")
    assert len(host.network.nats.networks) == (kind == "switch")
