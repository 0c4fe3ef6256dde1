"""Parts of a resource, a list in a program: order and spelling do not matter, and what is seen settles."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestedlab.declare import Change, Part
from nestedlab.lifecycle import check, diff, normalised
from nestedlab.machine.adapters.table import Adapter, same_vlans, vlans
from nestedlab.machine.disks.table import DATA_DISKS_CHANGE, DataDisk
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.parts import parts_change, reconcile, same_parts
from nestedlab.plain import loaded, plain

LAN = Adapter(name="lan", switch="lab-net")
WAN = Adapter(name="wan")


def with_(part: Adapter, **differs: Any) -> Adapter:
    return part.model_copy(update=differs)


def disk(**values: Any) -> DataDisk:
    return loaded(DataDisk, values)


def machine(**lists: Any) -> NestedHyperVHost:
    """A machine of which only these lists are looked at."""
    return NestedHyperVHost.model_construct(**{**dict.fromkeys(NestedHyperVHost.model_fields), **lists})


def _vlan_lists() -> st.SearchStrategy[str]:
    spans = st.tuples(st.integers(1, 4094), st.integers(0, 5)).map(lambda span: (span[0], min(4094, sum(span))))
    return st.lists(spans, min_size=1, max_size=4).map(lambda all_: ",".join(f"{low}-{high}" for low, high in all_))


NAMES = ["lan", "wan", "dmz", "Netz ä"]
SWITCHES = ["", "lab-net", "other"]
MACS = ["", "00155D010203", "00155D0A0B0C"]
VLANS: list[dict[str, Any]] = [{}, {"vlan": 1}, {"vlan": 4094}, {"trunk": "10,20-22"}, {"trunk": "4000-4094,7,7-9"}]
PARENTS: list[dict[str, Any]] = [{}, {"parent": "D:\\a.vhdx"}]


def _adapters(random: Random) -> list[Adapter]:
    """Up to four adapters of different names."""
    choose = random.choice
    rest: dict[str, list[Any]] = {"switch": SWITCHES, "mac": MACS, "device_naming": [False, True]}
    return [
        loaded(Adapter, {"name": name, **{key: choose(ways) for key, ways in rest.items()}, **choose(VLANS)})
        for name in random.sample(NAMES, random.randint(0, 4))
    ]


def _data_disks(random: Random) -> list[DataDisk]:
    """Up to four data disks at different locations."""
    return [
        disk(location=location, size_gib=random.choice([1, 5, 9]), **random.choice(PARENTS))
        for location in random.sample([1, 2, 7, 62], random.randint(0, 4))
    ]


def _both(kind: type[Part], new: Callable[[Random], list[Any]]) -> st.SearchStrategy[Any]:
    # The lists are made beforehand, and an example is a choice of two: drawing each part by itself took ten times as
    # long, and Hypothesis allows a second for the first ten examples, which is little on a crowded machine (too_slow).
    random = Random(1)  # noqa: S311 - no secret
    lists = st.sampled_from(sorted((new(random) for _ in range(400)), key=len)).map(list)
    return st.tuples(st.just(kind), lists, lists, st.randoms(use_true_random=True))


BOTH = _both(Adapter, _adapters) | _both(DataDisk, _data_disks)


def _hyphenated(mac: str) -> str:
    return "-".join(mac[at : at + 2] for at in range(0, len(mac), 2)).lower()


def _backwards(trunk: str) -> str:
    return ",".join(map(str, sorted(vlans(trunk), reverse=True)))


def _slashed(path: str | None) -> str | None:
    return path.replace("\\", "/").upper() if path else path


SPELLINGS: dict[str, Callable[[Any], Any]] = {
    "name": str.upper, "switch": str.upper, "mac": _hyphenated, "trunk": _backwards, "parent": _slashed
}  # fmt: skip


def respelt(part: Any) -> Any:
    """The same part, as another author or the host would write it."""
    spelt = {name: SPELLINGS[name](getattr(part, name)) for name in SPELLINGS.keys() & type(part).model_fields.keys()}
    return part.model_copy(update=spelt)


@given(BOTH)
def test_nothing_is_to_be_done_for_what_is_there_in_any_order_and_spelling(case: Any) -> None:
    kind, asked, _, random = case
    found = [respelt(part) for part in asked]
    random.shuffle(found)
    assert not reconcile(asked, found)
    assert same_parts(asked, found)
    assert parts_change(kind).on(found, asked) is Change.LIVE


@given(BOTH)
def test_reconciling_says_all_that_is_to_be_done_and_no_more(case: Any) -> None:
    _, asked, found, random = case
    to_do = reconcile(asked, found)
    assert bool(to_do) is not same_parts(asked, found)
    there = {part.identity: part for part in found}
    for part in to_do.extra:
        del there[part.identity]
    for part in to_do.missing:
        assert part.identity not in there
        there[part.identity] = part
    for pair in to_do.different:
        changed = {row.name: getattr(pair.wanted, row.name) for row in pair.rows}
        there[pair.wanted.identity] = pair.there.model_copy(update=changed)
    assert not reconcile(asked, list(there.values()))
    random.shuffle(asked)
    random.shuffle(found)
    again = reconcile(asked, found)
    assert len(again.missing) == len(to_do.missing)
    assert len(again.extra) == len(to_do.extra)
    assert len(again.different) == len(to_do.different)


@given(BOTH)
def test_what_has_settled_once_stays_as_it_is(case: Any) -> None:
    kind, asked, found, random = case
    name = "adapters" if kind is Adapter else "data_disks"
    random.shuffle(found)
    there = machine(**{name: [respelt(part) for part in found]})
    once = normalised(machine(**{name: asked}), there)
    assert normalised(once, there) == once
    assert same_parts(found, getattr(once, name))


@given(BOTH)
def test_no_difference_settles_in_the_words_of_the_program(case: Any) -> None:
    kind, asked, _, random = case
    name = "adapters" if kind is Adapter else "data_disks"
    found = [respelt(part) for part in asked]
    random.shuffle(found)
    assert getattr(normalised(machine(**{name: asked}), machine(**{name: found})), name) == asked


@given(_vlan_lists())
def test_a_list_of_vlans_is_the_same_as_its_members(trunk: str) -> None:
    assert same_vlans(trunk, ",".join(map(str, vlans(trunk))))
    assert not same_vlans(trunk, "")


def test_parts_that_differ_settle_in_the_order_of_the_program() -> None:
    drifted, stranger = with_(WAN, name="WAN", vlan=7), Adapter(name="stray")
    now = normalised(machine(adapters=[WAN, LAN]), machine(adapters=[stranger, respelt(LAN), drifted]))
    assert now.adapters == [with_(WAN, vlan=7), LAN, stranger]


def test_two_of_one_key_are_both_to_be_seen() -> None:
    now = normalised(machine(adapters=[WAN, LAN]), machine(adapters=[LAN, WAN, with_(LAN, vlan=3)]))
    assert now.adapters == [WAN, LAN, with_(LAN, vlan=3)]


@pytest.mark.parametrize("shown", ["0", "0,5", "Private", "x"])
def test_a_list_of_vlans_that_no_program_can_ask_for_is_another_one(shown: str) -> None:
    assert not same_vlans("10,20", shown)
    assert not same_vlans("", shown)


def test_a_file_in_a_disks_place_settles_as_found() -> None:
    """What a disk is not to have, a parent or a path, is None in a program, and a drift where it is there."""
    asked, found = disk(location=1, size_gib=5), disk(location=1, path="D:\\a.vhdx")
    now = normalised(machine(data_disks=[asked]), machine(data_disks=[found]))
    assert [plain(seen) for seen in now.data_disks] == [plain(disk(location=1, path="D:\\a.vhdx"))]


def test_a_part_that_is_gone_settles_as_gone() -> None:
    assert normalised(machine(adapters=[WAN, LAN]), machine(adapters=[LAN])).adapters == [LAN]


@pytest.mark.parametrize(
    ("found", "asked", "change"),
    [
        ([LAN], [LAN, with_(WAN, mac="00155D010203")], Change.LIVE),
        ([LAN, WAN], [LAN], Change.LIVE),
        ([LAN], [with_(LAN, vlan=7)], Change.LIVE),
        ([LAN], [with_(LAN, mac="00155D010203")], Change.OFF),
        ([LAN], [with_(LAN, device_naming=True, vlan=7)], Change.OFF),
        (None, [LAN], Change.LIVE),
        ([LAN], None, Change.LIVE),
    ],
)
def test_parts_take_what_the_most_demanding_of_their_changes_takes(found: Any, asked: Any, change: Change) -> None:
    assert parts_change(Adapter).on(found, asked) is change


@pytest.mark.parametrize(
    ("found", "asked", "change"),
    [
        ([], [disk(location=1, size_gib=5)], Change.LIVE),
        ([disk(location=1, size_gib=5)], [], Change.LIVE),
        ([disk(location=1, size_gib=5)], [disk(location=1, size_gib=6)], Change.OFF),
        ([disk(location=1, path="D:\\a.vhdx")], [disk(location=1, path="D:\\b.vhdx")], Change.LIVE),
        ([disk(location=1, size_gib=5)], [disk(location=2, size_gib=6)], Change.LIVE),
    ],
)
def test_of_data_disks_only_growing_takes_the_machine_off(found: Any, asked: Any, change: Change) -> None:
    assert DATA_DISKS_CHANGE.on(found, asked) is change


def test_from_the_one_adapter_to_a_list_and_back_both_are_changes() -> None:
    asked = {"name": "hv1", "owner": "lab/dev/hv1", "os_disk": {"size_gib": 80}}
    short, _ = check(NestedHyperVHost, {**asked, "switch": "lab-net"})
    listed, _ = check(NestedHyperVHost, {**asked, "adapters": [{"name": "lan", "switch": "lab-net"}]})
    assert short is not None
    assert listed is not None
    assert {row.name for row in diff(short, listed)[0]} == {"adapters"}
    assert {row.name for row in diff(listed, short)[0]} == {"adapters", "switch", "mac_spoofing"}
    assert diff(short, listed)[1] == ()
