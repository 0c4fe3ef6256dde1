"""Random labs of two stacks on two hosts, under random faults: in the end each state is what the host has, and no more.

A seed is a whole schedule, the same each time. scripts/faults plays more of them. An operation is of one resource, as
with `--target`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from nestedlab.errors import NestedlabError

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent
    from tests.provider.conftest import NewProvider, Provider, Thing

SEEDS = range(int(os.environ.get("NESTEDLAB_SCHEDULES", "4")))
OPERATIONS = 16
"""Operations a schedule; after them everything is completed, compared and removed without faults."""

SECOND = "hv02"
"""What the stacks call the second of the two hosts."""

WIRE_FAULTS = ("drop-request", "drop-answer", "restart", "fault=2150858843")
MOST_REQUESTS, MOST_STATEMENTS = 12, 40

INPUTS: dict[str, list[dict[str, Any]]] = {
    "machine": [
        {},
        {"processors": 2},
        {"data_disks": [{"size_gib": 10}], "notes": "two\nlines"},
        {"running": False, "adapters": [{"name": "lan"}, {"name": "wan", "vlan": 7}]},
    ],
    "switch": [{}, {"notes": "hello"}, {"forwards": [{"external_port": 33890, "internal_address": "{net}.10"}]}],
}


@dataclass
class Wanted:
    """A resource of a stack's program: what it asks for, and what the state has of it."""

    kind: str
    usual: dict[str, Any]
    asked: dict[str, Any] = field(default_factory=dict)
    state: Thing | None = None

    def inputs(self) -> dict[str, Any]:
        return {**self.usual, **self.asked}


def stack(number: int) -> list[Wanted]:
    """The resources of a stack; both stacks want the machine `shared`, which only one of them can have."""
    net = f"10.{number}.0"
    usual = {"stack_id": f"{number:08x}", "on": None}
    names = {f"hv{number}": "machine", "shared": "machine", f"net{number}": "switch"}
    return [
        Wanted(kind, {**usual, "name": name, "owner": f"lab/{number}/{name}", **_of(kind, net)})
        for name, kind in names.items()
    ]


def _of(kind: str, net: str) -> dict[str, Any]:
    return {"prefix": f"{net}.0/24"} if kind == "switch" else {"os_disk": {"size_gib": 20}}


def change(wanted: Wanted, random: Random) -> None:
    asked = dict(random.choice(INPUTS[wanted.kind]))
    if "forwards" in asked:
        net = wanted.usual["prefix"].rpartition(".")[0]
        port = 33890 + int(wanted.usual["stack_id"], 16)
        asked["forwards"] = [{"external_port": port, "internal_address": f"{net}.10"}]
    wanted.asked = asked


def up(provider: Provider, wanted: Wanted) -> None:
    if wanted.state is None:
        wanted.state = provider.create(wanted.kind, **wanted.inputs())
    else:
        wanted.state = provider.update(wanted.kind, wanted.state, **wanted.inputs())


def refresh(provider: Provider, wanted: Wanted) -> None:
    if wanted.state is not None:
        wanted.state = provider.read(wanted.kind, wanted.state)


def destroy(provider: Provider, wanted: Wanted) -> None:
    if wanted.state is not None:
        provider.delete(wanted.kind, wanted.state)
        wanted.state = None


def replace_by_force(provider: Provider, wanted: Wanted) -> None:
    """As the engine does it with delete_before_replace=False: the new one is in the state before the old one goes."""
    old = wanted.state
    wanted.state = provider.create(wanted.kind, **wanted.inputs())
    if old is not None:
        provider.delete(wanted.kind, old)


def move(provider: Provider, wanted: Wanted) -> None:
    """As the engine does it if `on` changes: the old one goes first. Of one in no state nobody knows the host."""
    if wanted.state is not None:
        destroy(provider, wanted)
        wanted.usual["on"] = SECOND if wanted.usual["on"] is None else None
        up(provider, wanted)


def be_killed(provider: Provider, wanted: Wanted) -> None:
    """A run that is killed before the engine has written what was created or changed."""
    state = wanted.state
    try:
        up(provider, wanted)
    finally:
        wanted.state = state


OPERATION: list[Callable[[Provider, Wanted], None]] = [up, up, up, refresh, destroy, replace_by_force, move, be_killed]


@contextmanager
def disturbed(parent: Parent, random: Random, met: list[str]) -> Iterator[None]:
    """Have something go wrong in the next operation, or nothing; what did go wrong is added to `met`."""
    hooks, plan, name = parent.host.state.hooks, parent.server.arm(), ""
    match random.randrange(4):
        case 0:
            name = random.choice(WIRE_FAULTS)
            plan = parent.server.arm(f"{name} any#{random.randrange(1, MOST_REQUESTS)}")
        case 1:
            name = "statement"
            parent.host.fail_statement(random.randrange(MOST_STATEMENTS), stops=random.random() < 0.5)
    yield
    met += [name] if plan.fired or (name == "statement" and hooks.failing is None) else []
    parent.server.arm()
    parent.host.fail_statement(10**6)


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_schedule_each_state_is_what_the_host_has(
    seed: int, new_parent: NewParent, new_provider: NewProvider, record_property: Callable[[str, object], None]
) -> None:
    random = Random(seed)  # noqa: S311 - a schedule is to be the same each time
    parents = [new_parent(), new_parent()]
    before = [parent.snapshot() for parent in parents]
    hosts = json.dumps({SECOND: {"address": parents[1].server.url}})
    stacks = [(new_provider(parents[0], hosts=hosts), stack(number)) for number in (1, 2)]
    met: list[str] = []
    told: list[str] = []
    for _ in range(OPERATIONS):
        own, resources = random.choice(stacks)
        wanted = random.choice(resources)
        change(wanted, random)
        with ExitStack() as disturbances:
            for parent in parents:
                disturbances.enter_context(disturbed(parent, random, met))
            try:
                random.choice(OPERATION)(own, wanted)
            except NestedlabError as error:
                told += [str(error)] if wanted.state is None else []
    record_property("operations", OPERATIONS)
    record_property("faults", len(met))
    _come_to_rest(stacks, parents)
    for own, resources in stacks:
        for wanted in resources:
            destroy(own, wanted)
    told += [warning for own, _ in stacks for warning in own.warnings]
    for parent in parents:
        _remove_by_hand(parent, told)
    assert [parent.snapshot() for parent in parents] == before


def _is_told(path: str, told: list[str]) -> bool:
    return any(f"{path}{end}" in text for text in told for end in (")", ",", ". "))


def _remove_by_hand(parent: Parent, told: list[str]) -> None:
    """Remove the files that are recorded nowhere and that users were told of.

    An error does so if its resource is in no state, and the warning of a refresh after a destroy that was broken off.
    """
    files = parent.snapshot()["files"]["entries"].values()
    for path in [file["path"] for file in files if _is_told(file["path"], told)]:
        parent.by_hand("Remove-Item", LiteralPath=path)


def _come_to_rest(stacks: list[tuple[Provider, list[Wanted]]], parents: list[Parent]) -> None:
    """Refresh and complete both stacks; of the name that both want on a host, the second one is told whose it is."""
    owned: dict[str, Wanted] = {}
    for own, resources in stacks:
        for wanted in resources:
            refresh(own, wanted)
            _remove_nats_by_hand(parents, own.warnings)
            try:
                up(own, wanted)
            except NestedlabError as error:
                _is_the_others(wanted, error)
            if wanted.state is not None:
                owned[str(wanted.state.id)] = wanted
    hosts = [parent.host.state for parent in parents]
    there = {str(identity) for host in hosts for identity in (*host.machines, *host.switches)}
    assert there == owned.keys()
    for own, resources in stacks:
        for wanted in resources:
            assert wanted.state is not None or wanted.usual["name"] == "shared"
            if wanted.state is not None:
                assert own.read(wanted.kind, wanted.state) == wanted.state


def _remove_nats_by_hand(parents: list[Parent], warnings: list[str]) -> None:
    """Remove the NAT networks of switches that are gone, as a refresh says."""
    told = {name for text in warnings for name in re.findall(r"Remove-NetNat -Name '([^']+)'", text)}
    for parent in parents:
        for name in told & {nat.name for nat in parent.host.state.network.nats.networks}:
            parent.by_hand("Remove-NetNat", Name=name, Confirm=False)


def _is_the_others(wanted: Wanted, error: NestedlabError) -> None:
    assert (wanted.usual["name"], wanted.state) == ("shared", None), error
    assert "belongs to lab/" in str(error)
