"""Whose a machine or switch is: of this stack, of another state of the same name, of nobody; and who stays of two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from nestedlab.errors import ConflictError, NestedlabError

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.provider.conftest import NewProvider, Provider

KINDS = ["machine", "switch"]
ELSEWHERE = {"stack_id": "0ddba11"}
"""A stack of the same project and name, whose state is in another backend."""


def objects(parent: Parent, kind: str) -> list[Any]:
    state = parent.host.state
    return [*(state.machines if kind == "machine" else state.switches).values()]


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_earlier_attempt_of_this_stack_has_made_is_taken_over(kind: str, provider: Provider) -> None:
    first = provider.create(kind)
    again = provider.create(kind)
    assert (again.id, first.values["creation"], again.values["creation"]) == (first.id, 1, 2)
    assert len(objects(provider.parent, kind)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_stack_in_another_backend_is_another(kind: str, provider: Provider) -> None:
    provider.create(kind)
    before = provider.parent.snapshot()
    with pytest.raises(ConflictError, match=r"is not of this stack.*nestedlab:adopt"):
        provider.create(kind, **ELSEWHERE)
    assert provider.parent.snapshot() == before


@pytest.mark.parametrize("kind", KINDS)
def test_with_adopt_it_is_taken_over_and_the_other_stack_leaves_it_alone(
    kind: str, provider: Provider, new_provider: NewProvider
) -> None:
    first = provider.create(kind)
    adopted = new_provider(provider.parent, adopt="true").create(kind, **ELSEWHERE)
    assert adopted.id == first.id
    provider.delete(kind, first)
    (warning,) = provider.warnings
    assert "another stack" in warning
    assert provider.read(kind, adopted) == adopted


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_first_version_has_made_belongs_to_the_state_that_has_its_id(kind: str, provider: Provider) -> None:
    first = provider.create(kind, stack_id=None)
    with pytest.raises(ConflictError, match="is not of this stack"):
        provider.create(kind)
    updated = provider.update(kind, first)
    assert (updated.id, updated.values["creation"]) == (first.id, 1)
    assert provider.read(kind, updated) == updated
    provider.delete(kind, updated)
    assert objects(provider.parent, kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_replacement_that_is_created_first_keeps_the_object(kind: str, provider: Provider) -> None:
    old = provider.create(kind)
    new = provider.create(kind)
    provider.delete(kind, old)
    (warning,) = provider.warnings
    assert "is kept" in warning
    assert provider.read(kind, new) == new
    provider.delete(kind, new)
    assert objects(provider.parent, kind) == []


def test_a_copy_with_its_notes_is_nobodys(provider: Provider) -> None:
    machine = provider.create("machine", running=False)
    notes = provider.parent.machine("hv1").notes
    provider.delete("machine", machine)
    provider.parent.by_hand("New-VM", Name="hv1", Generation=2, NoVHD=True)
    provider.parent.by_hand("Set-VM", Name="hv1", Notes=notes)
    with pytest.raises(ConflictError, match="it is a copy of one of lab/dev/hv1"):
        provider.create("machine")


@pytest.mark.parametrize("name", ["hv1", "HV1"])
def test_two_workers_of_one_process_make_one_machine(name: str, provider: Provider) -> None:
    asked = [{"owner": "lab/dev/a"}, {"owner": "lab/dev/b", "name": name}]
    with ThreadPoolExecutor() as pool:
        outcomes = [*pool.map(lambda inputs: attempt(provider, "machine", **inputs), asked)]
    assert sorted(isinstance(outcome, ConflictError) for outcome in outcomes) == [False, True]
    assert len(provider.parent.machines) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_stacks_at_one_moment_exactly_one_has_the_name(
    kind: str, parent: Parent, new_provider: NewProvider
) -> None:
    before = parent.snapshot()
    one, other = new_provider(parent), new_provider(parent)
    for _ in range(3):
        stacks: list[tuple[Provider, dict[str, Any]]] = [
            (one, {"owner": "lab/a/x", "stack_id": "aa"}),
            (other, {"owner": "lab/b/x", "stack_id": "bb"}),
        ]
        with ThreadPoolExecutor() as pool:
            outcomes = [*pool.map(lambda stack: attempt(stack[0], kind, **stack[1]), stacks)]
        (loser,) = [outcome for outcome in outcomes if isinstance(outcome, NestedlabError)]
        assert isinstance(loser, ConflictError), loser
        (winner,) = [outcome for outcome in outcomes if not isinstance(outcome, NestedlabError)]
        assert [thing.id for thing in objects(parent, kind)] == [winner.id]
        one.delete(kind, winner)
        assert parent.snapshot() == before


def attempt(provider: Provider, kind: str, **inputs: Any) -> Any:
    try:
        return provider.create(kind, **inputs)
    except NestedlabError as error:
        return error


ODD = ["\ufffe", "\ud800", "_x0041_", "_xZZZZ_", "a\x00b", "]]>&<"]
"""Text that XML cannot carry, or that looks like what PowerShell writes in its place."""


@pytest.mark.parametrize("kind", KINDS)
def test_odd_notes_of_an_own_object_are_drift_that_a_state_can_hold_and_an_update_heals(
    kind: str, provider: Provider
) -> None:
    made = provider.create(kind, notes="the lab's")
    (there,) = objects(provider.parent, kind)
    mark = there.notes
    for odd in ODD:
        there.notes = mark.replace("the lab's", odd)
        seen = provider.seen(kind, made)
        assert seen.values["notes"] not in ("", "the lab's"), odd
        assert seen.values["notes"].encode()
        assert provider.diff(kind, seen, notes="the lab's").has_changes, odd
        provider.update(kind, seen, notes="the lab's")
        assert there.notes == mark, odd
    there.notes = mark.replace("the lab's", ODD[0])
    provider.delete(kind, made)
    assert objects(provider.parent, kind) == []


def test_a_strangers_odd_name_and_notes_blind_nobody(provider: Provider) -> None:
    with provider.parent.at_prompt() as run:
        run("New-VM", Name="stranger", Generation=2, NoVHD=True)
        run("New-VMSwitch", Name="stranger", SwitchType="Private")
    strangers = {kind: objects(provider.parent, kind)[0] for kind in KINDS}
    for odd in ODD:
        for stranger in strangers.values():
            stranger.name, stranger.notes = f"x{odd}", odd
        for kind in KINDS:
            made = provider.create(kind)
            assert provider.read(kind, made) == made, odd
            provider.delete(kind, made)
        for kind, name in (("machine", "hv1"), ("switch", "lab-net")):
            strangers[kind].name = name
            with pytest.raises(ConflictError, match="it was not made by nestedlab"):
                provider.create(kind)
