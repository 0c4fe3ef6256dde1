"""A batch that a terminating error cuts off, at each statement of each operation: nothing lost, nothing taken for gone.

A real server then tells an end, runs the rest all the same, and lets other pipelines come between.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from nestedlab.errors import NestedlabError, RefusedError

if TYPE_CHECKING:
    from tests.provider.conftest import Provider, Thing

PARTS: dict[str, dict[str, Any]] = {
    "machine": {
        "data_disks": [{"size_gib": 10}],
        "adapters": [{"name": "lan", "vlan": 5}, {"name": "wan"}],
        "baseline": "fresh",
    },
    "switch": {"forwards": [{"external_port": 33890, "internal_address": "192.168.50.10", "internal_port": 3389}]},
}
CHANGED: dict[str, dict[str, Any]] = {
    "machine": {
        "processors": 4,
        "data_disks": [{"size_gib": 10}, {"size_gib": 10}],
    },
    "switch": {"forwards": [{"external_port": 33891, "internal_address": "192.168.50.10", "internal_port": 3389}]},
}
KINDS = list(PARTS)
EVERY = 1 if os.environ.get("NESTEDLAB_FAULTS") == "all" else 6
"""Of how many statements one is disturbed; scripts/faults has all of them."""

Tried = Callable[[int, bool], range]

ENDS = pytest.mark.parametrize("stops", [False, True], ids=["a terminating error", "-ErrorAction Stop"])


def statements_of(provider: Provider, operation: Callable[[], object]) -> int:
    """How many statements an operation sends that nothing disturbs."""
    hooks = provider.parent.host.state.hooks
    before = hooks.statements
    operation()
    return hooks.statements - before


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Tried:
    """The statements to disturb, of so many: others for either kind of error."""

    def chosen(count: int, stops: bool) -> range:
        numbers = range(EVERY // 2 if stops else 0, count, EVERY)
        record_property("statements", len(numbers))
        return numbers

    return chosen


def disturbed(provider: Provider, number: int, operation: Callable[[], Any], *, stops: bool) -> Any:
    """What the operation returns, or its error, if a statement of it fails once."""
    provider.parent.host.fail_statement(number, stops=stops)
    try:
        return operation()
    except NestedlabError as error:
        return error


@ENDS
@pytest.mark.parametrize("kind", KINDS)
def test_a_create_is_done_or_undone_and_the_next_one_ends_it(
    provider: Provider, tried: Tried, kind: str, *, stops: bool
) -> None:
    before, made = provider.parent.snapshot(), []
    count = statements_of(provider, lambda: made.append(provider.create(kind, **PARTS[kind])))
    provider.delete(kind, made[0])
    for number in tried(count, stops):
        outcome = disturbed(provider, number, lambda: provider.create(kind, **PARTS[kind]), stops=stops)
        provider.parent.host.fail_statement(10**6)
        if isinstance(outcome, NestedlabError):
            outcome = provider.create(kind, **PARTS[kind])
        provider.delete(kind, outcome)
        assert provider.parent.snapshot() == before, f"statement {number}"


@pytest.fixture
def made(provider: Provider) -> dict[str, Thing]:
    """One of each kind, with all their parts."""
    return {kind: provider.create(kind, **PARTS[kind]) for kind in KINDS}


@ENDS
@pytest.mark.parametrize("kind", KINDS)
def test_a_read_shows_all_that_is_there(
    provider: Provider, made: dict[str, Thing], tried: Tried, kind: str, *, stops: bool
) -> None:
    thing = made[kind]
    for number in tried(statements_of(provider, lambda: provider.read(kind, thing)), stops):
        outcome = disturbed(provider, number, lambda: provider.read(kind, thing), stops=stops)
        assert isinstance(outcome, NestedlabError) or outcome == thing, f"statement {number}"


@ENDS
@pytest.mark.parametrize("kind", KINDS)
def test_an_update_that_fails_is_completed_by_the_next_one(
    provider: Provider, made: dict[str, Thing], tried: Tried, kind: str, *, stops: bool
) -> None:
    thing, changed = made[kind], {**PARTS[kind], **CHANGED[kind]}

    def there_and_back(begin: Thing) -> Thing:
        return provider.update(kind, provider.update(kind, begin, **changed), **PARTS[kind])

    count = statements_of(provider, lambda: there_and_back(thing))
    before = provider.parent.snapshot()
    for number in tried(count, stops):
        disturbed(provider, number, lambda: there_and_back(thing), stops=stops)
        provider.parent.host.fail_statement(10**6)
        provider.update(kind, thing, **PARTS[kind])
        assert provider.seen(kind, thing).values == thing.values, f"statement {number}"
    assert files(before) == files(provider.parent.snapshot())


@ENDS
@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_that_fails_is_completed_by_the_next_one(
    provider: Provider, tried: Tried, kind: str, *, stops: bool
) -> None:
    before = provider.parent.snapshot()
    thing = provider.create(kind, **PARTS[kind])
    count = statements_of(provider, lambda: provider.delete(kind, thing))
    for number in tried(count, stops):
        thing = provider.create(kind, **PARTS[kind])
        disturbed(provider, number, partial(provider.delete, kind, thing), stops=stops)
        provider.parent.host.fail_statement(10**6)
        provider.delete(kind, thing)
        assert provider.parent.snapshot() == before, f"statement {number}"


def files(snapshot: Any) -> Any:
    return snapshot["files"] if isinstance(snapshot, dict) else snapshot.files


@pytest.mark.parametrize("hidden", ["Get-VMHost", "Get-VMHostSupportedVersion", "Get-VM"])
def test_a_check_still_hears_what_the_role_shows_behind_a_hidden_cmdlet(provider: Provider, hidden: str) -> None:
    provider.parent.host.hide(hidden)
    provider.parent.host.state.has_virtualization = False
    with pytest.raises(RefusedError, match=r"hypervisor|VT-x|Hyper-V role"):
        provider.validated("machine")


@pytest.mark.parametrize(
    ("kind", "hidden"),
    [
        ("machine", "Get-VM"),
        ("machine", "Get-VMProcessor"),
        ("machine", "New-VHD"),
        ("switch", "Get-VMSwitch"),
        ("switch", "Get-NetNat"),
        ("switch", "New-NetNat"),
    ],
)
def test_an_endpoint_that_hides_a_cmdlet_is_told_of_and_nothing_is_left(
    provider: Provider, kind: str, hidden: str
) -> None:
    before = provider.parent.snapshot()
    provider.parent.host.hide(hidden)
    with pytest.raises(RefusedError, match=hidden):
        provider.create(kind, **PARTS[kind])
    assert provider.parent.snapshot() == before


def test_an_undo_that_cannot_see_the_drives_says_what_is_left(provider: Provider) -> None:
    provider.parent.host.hide("Get-VMHardDiskDrive")
    with pytest.raises(RefusedError, match="still on the host"):
        provider.create("machine")
    assert provider.parent.machines == ["hv1"]
