"""What is told in a preview, once an operation: against a runner that counts how often it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml

from nestedlab.errors import AccessError, Interrupted, NestedlabError, NotFoundError, RefusedError, UnreachableError
from nestedlab.lifecycle import Plan, check
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.pipeline import ErrorRecord, Facts, PSObject, Step, statement
from nestedlab.plain import loaded
from nestedlab.preflight import NAT_SWITCHES, Preflight
from nestedlab.requirements import SURVEY

USUAL = yaml.safe_load(Path(__file__).parents[1].joinpath("cases/core/hosts/parent.yaml").read_text(encoding="utf-8"))
AMD_2019 = {
    "Win32_OperatingSystem": {"BuildNumber": "17763", "Caption": "Windows Server 2019"},
    "Win32_Processor": {"Manufacturer": "AuthenticAMD"},
}
MIGRATES = {"VMHost": {"VirtualMachineMigrationEnabled": True}}


@dataclass
class Parent:
    """A parent host that answers the same each time, and where a runner for it comes from."""

    answer: Facts | NestedlabError
    asked: int = 0
    switches: Facts = field(default_factory=Facts)
    host = "hv01"

    @contextmanager
    def borrow(self) -> Iterator[Parent]:
        yield self

    def run(self, step: Step) -> Facts:
        if step is NAT_SWITCHES:
            return self.switches
        assert step is SURVEY
        self.asked += 1
        if isinstance(self.answer, NestedlabError):
            raise self.answer
        return self.answer


def parent(**differs: dict[str, Any]) -> Parent:
    return Parent(Facts(tuple(PSObject(kind, {**shown, **differs.get(kind, {})}) for kind, shown in USUAL.items())))


def machine(name: str = "hv1", **inputs: Any) -> dict[str, Any]:
    usual = {"name": name, "owner": f"lab/dev/{name}", "memory_mib": 8192, "os_disk": {"size_gib": 80}}
    return {**usual, "mac_spoofing": None if inputs.get("adapters") else True, **inputs}


def told(preflight: Preflight, inputs: dict[str, Any], *unknown: str, exists: bool = False) -> list[str]:
    return preflight.check(checked(inputs, *unknown), checked(inputs) if exists else None)


SUBJECTS = {
    "live migration is enabled": "migration",
    "a parent with an AMD processor": "processor",
    "the stack's machines need": "memory",
    "the stack's new disks": "disk",
    "machines inside this nested host will have no network": "network",
}
"""What a warning is about, by the words that it begins with."""


def subjects(warnings: list[str]) -> list[str]:
    return [next(name for words, name in SUBJECTS.items() if text.startswith(words)) for text in warnings]


def checked(inputs: dict[str, Any], *unknown: str) -> NestedHyperVHost:
    table, failures = check(NestedHyperVHost, inputs, unknown)
    assert table is not None, failures
    return table


def nat_switch(name: str, *unknown: str, prefix: str = "192.168.50.0/24") -> NatSwitch:
    table, failures = check(NatSwitch, {"name": name, "prefix": prefix, "owner": f"lab/dev/{name}"}, unknown)
    assert table is not None, failures
    return table


def test_a_host_is_asked_once_whatever_the_number_of_machines() -> None:
    host = parent(**MIGRATES)
    preflight = Preflight(host)
    assert host.asked == 0
    warnings = [warning for name in ("hv1", "hv2", "hv3") for warning in told(preflight, machine(name))]
    assert host.asked == 1
    assert subjects(warnings) == ["migration"]


@pytest.mark.parametrize(("error", "asked"), [(UnreachableError, 1), (AccessError, 1), (Interrupted, 2)])
def test_a_host_that_cannot_be_asked_is_one_warning(error: type[NestedlabError], asked: int) -> None:
    host = Parent(error("hv01 port 5986 refused the connection"))
    preflight = Preflight(host)
    (warning,) = [warning for name in ("hv1", "hv2", "hv3") for warning in told(preflight, machine(name))]
    assert host.asked == asked
    assert "its Windows, processor, memory and disk space are not checked" in warning
    assert "hv01 port 5986 refused the connection" in warning


def test_what_the_host_does_not_tell_is_one_warning() -> None:
    """An account that may open a session need not be allowed all that is asked."""
    refused = ErrorRecord("AccessDenied", "PermissionDenied", "Access denied", "Get-CimInstance")
    preflight = Preflight(Parent(Facts((), (refused, refused))))
    (warning,) = [warning for name in ("hv1", "hv2") for warning in told(preflight, machine(name))]
    assert "did not show all that is checked here" in warning
    assert "(Get-CimInstance: Access denied)" in warning


def test_a_missing_network_is_said_once_of_each_machine() -> None:
    preflight = Preflight(parent())
    alone = [machine(name, mac_spoofing=False) for name in ("hv1", "hv2", "hv1")]
    assert [len(told(preflight, inputs)) for inputs in alone] == [1, 1, 0]


def test_a_switch_without_a_name_yet_is_no_network() -> None:
    preflight = Preflight(parent())
    assert preflight.check(nat_switch("net", "name"), None) == []
    assert len(told(preflight, machine(mac_spoofing=False))) == 1


def test_a_host_that_rules_nested_hosts_out_refuses_each_machine_that_is_to_be_made() -> None:
    preflight = Preflight(parent(**AMD_2019))
    for name in ("hv1", "hv2"):
        with pytest.raises(RefusedError, match=r"cannot run nested hosts: a parent with an AMD .* Windows Server 2022"):
            told(preflight, machine(name))


def test_a_machine_that_is_there_is_not_refused_but_warned_of() -> None:
    preflight = Preflight(parent(**AMD_2019))
    warnings = told(preflight, machine("hv1"), exists=True) + told(preflight, machine("hv2"), exists=True)
    assert subjects(warnings) == ["processor"]
    with pytest.raises(RefusedError):
        told(preflight, machine("hv3"))


def test_a_machine_of_a_version_that_its_host_does_not_make_is_refused_and_the_others_are_not() -> None:
    preflight = Preflight(parent())
    with pytest.raises(RefusedError, match=r"makes no machines of version 12\.0; there are 10\.0"):
        told(preflight, machine("hv1", configuration_version="12.0"))
    assert told(preflight, machine("hv2", configuration_version="10.0")) == []


def test_what_all_machines_ask_for_is_added_up_and_said_once() -> None:
    preflight = Preflight(parent())
    assert told(preflight, machine("hv1", memory_mib=40960)) == []
    (memory,) = told(preflight, machine("hv2", memory_mib=40960))
    assert memory.startswith("the stack's machines need at least 80.0 GiB of memory")
    assert told(preflight, machine("hv3", memory_mib=40960)) == []


def test_a_machine_that_is_checked_twice_counts_once() -> None:
    """The engine checks what is replaced a second time."""
    preflight = Preflight(parent())
    assert [told(preflight, machine("hv1", memory_mib=40960), exists=exists) for exists in (True, False)] == [[], []]


@pytest.mark.parametrize(
    ("inputs", "exists", "warned"),
    [
        ({"memory_mib": 90000}, False, ["memory"]),
        ({"memory_mib": 90000, "running": False}, False, []),
        ({"os_disk": {"size_gib": 500}}, False, ["disk"]),
        ({"os_disk": {"size_gib": 500}}, True, []),
        ({"os_disk": {"path": "D:\\a.vhdx"}}, False, []),
        (
            {
                "os_disk": {"parent": "D:\\a.vhdx"},
                "data_disks": [{"location": 1, "size_gib": 300}, {"location": 2, "size_gib": 300}],
            },
            False,
            ["disk"],
        ),
        ({"os_disk": {"parent": "D:\\a.vhdx"}, "data_disks": [{"location": 1, "path": "D:\\b.vhdx"}]}, False, []),
    ],
)
def test_a_machine_takes_memory_while_it_runs_and_space_for_disks_that_are_made(
    inputs: dict[str, Any], exists: bool, warned: list[str]
) -> None:
    assert subjects(told(Preflight(parent()), machine(**inputs), exists=exists)) == warned


@pytest.mark.parametrize(
    ("before", "grows"),
    [
        ({"os_disk": {"size_gib": 100}}, False),
        ({"os_disk": {"size_gib": 99}}, True),
        ({"os_disk": {"size_gib": 500}, "data_disks": [{"location": 1, "path": "D:\\a.vhdx"}]}, False),
        ({"os_disk": {"path": "D:\\a.vhdx"}}, True),
    ],
)
def test_a_machine_that_is_there_takes_what_its_disks_grow_by(before: dict[str, Any], grows: bool) -> None:
    warnings = Preflight(parent()).check(checked(machine(os_disk={"size_gib": 500})), checked(machine(**before)))
    assert subjects(warnings) == (["disk"] if grows else [])


def test_each_drive_has_a_warning_of_its_own_and_a_further_host_its_name() -> None:
    elsewhere = machine("hv3", os_disk={"size_gib": 500}, path="d:/VMs", on="hv02")
    preflight = Preflight(parent(VMHost={"VirtualHardDiskPath": "C:\\Disks"}))
    assert told(preflight, machine("hv2", os_disk={"size_gib": 500})) == []  # C: is not shown
    (warning,) = told(preflight, elsewhere)
    assert warning.startswith("hv02: the stack's new disks")
    assert "may take 500 GiB or more; D: of the parent host has 400 GiB free" in warning
    assert told(preflight, {**elsewhere, "name": "hv4", "owner": "lab/dev/hv4"}) == []


@pytest.mark.parametrize("kind", [NestedHyperVHost, NatSwitch])
def test_two_resources_of_a_program_cannot_have_one_name_in_any_case(kind: Any) -> None:
    inputs = {"prefix": "192.168.50.0/24"} if kind is NatSwitch else {"os_disk": {"size_gib": 1}}
    one, other = (loaded(kind, {**inputs, "name": name, "owner": f"lab/dev/{name}"}) for name in ("Lab-1", "lab-1"))
    preflight = Preflight(parent())
    preflight.check(one, None)
    preflight.check(one, one)
    with pytest.raises(RefusedError, match=r"name: lab/dev/Lab-1 is a .* of the name 'lab-1' too"):
        preflight.check(other, None)


@pytest.mark.parametrize(
    ("inputs", "unknown", "warned"),
    [
        ({"switch": "", "mac_spoofing": False}, (), True),
        ({"switch": "External", "mac_spoofing": False}, (), True),
        ({"switch": "External", "mac_spoofing": True}, (), False),
        ({"switch": "LAB-net", "mac_spoofing": False}, (), False),
        ({"mac_spoofing": False}, ("switch",), False),
        ({"switch": "External"}, ("mac_spoofing",), False),
        ({"mac_spoofing": None}, ("adapters",), False),
        (
            {"mac_spoofing": None, "adapters": [{"name": "a", "switch": "External"}, {"name": "b", "switch": ""}]},
            (),
            True,
        ),
        (
            {
                "mac_spoofing": None,
                "adapters": [{"name": "a", "switch": "External"}, {"name": "b", "switch": "lab-net"}],
            },
            (),
            False,
        ),
        ({"mac_spoofing": None, "adapters": [{"name": "a", "switch": "External", "mac_spoofing": True}]}, (), False),
    ],
)
def test_a_nested_host_whose_machines_will_have_no_network_is_warned_of(
    inputs: dict[str, Any], unknown: tuple[str, ...], warned: bool
) -> None:
    preflight = Preflight(parent())
    preflight.check(nat_switch("lab-net"), None)
    assert subjects(told(preflight, machine(**inputs), *unknown)) == (["network"] if warned else [])


def test_a_program_of_switches_alone_is_told_once_that_its_host_is_silent() -> None:
    host = Parent(UnreachableError("no answer"))
    preflight = Preflight(host)
    told_of = [preflight.check(nat_switch(name, prefix=prefix), None) for name, prefix in SWITCHES.items()]
    assert [len(warnings) for warnings in told_of] == [1, 0]
    assert preflight.obstacle(lambda: pytest.fail("a silent host is not asked again")) is None
    assert host.asked == 1


SWITCHES = {"one": "10.1.0.0/24", "two": "10.2.0.0/24"}


@dataclass
class Busy:
    """A host that lacks something until somebody makes it."""

    has_it: bool = False
    asked: int = 0
    host = "hv01"

    @contextmanager
    def borrow(self) -> Iterator[Busy]:
        yield self

    def run(self, step: Step) -> Facts:
        if step is SURVEY:
            return Facts()
        self.asked += 1
        return Facts((PSObject("Thing", {}),) if self.has_it else ())


def needs_it() -> Plan[None]:
    facts = yield Step("look for it", (statement("Get-Thing"),))
    if facts.first("Thing") is None:
        raise NotFoundError("it is not there")


def test_what_is_missing_is_looked_for_again_only_once_the_host_was_changed() -> None:
    host = Busy()
    preflight = Preflight(host)
    preflight.check(nat_switch("one"), None)
    assert [str(preflight.obstacle(needs_it)) for _ in range(3)] == ["it is not there"] * 3
    assert host.asked == 1
    host.has_it = True
    preflight.note_change()
    assert [preflight.obstacle(needs_it) for _ in range(3)] == [None] * 3
    assert host.asked == 2


def test_what_is_to_be_deleted_for_it_has_the_host_asked_anew() -> None:
    host = Busy(has_it=True)
    preflight = Preflight(host)
    preflight.check(nat_switch("one"), None)
    assert preflight.obstacle(needs_it) is None
    host.has_it = False
    assert preflight.obstacle(needs_it) is None
    assert isinstance(preflight.obstacle(needs_it, anew=True), NotFoundError)


def test_the_switches_of_a_program_are_known_while_a_host_is_waited_for() -> None:
    asked, answers = Event(), Event()

    class Slow(Busy):
        def run(self, _: Step) -> Facts:
            asked.set()
            assert answers.wait(10)
            return Facts()

    preflight = Preflight(Slow())
    with ThreadPoolExecutor() as pool:
        checking = pool.submit(preflight.check, nat_switch("one"), None)
        assert asked.wait(10)
        try:
            assert preflight.nat_switches == {"one"}
            assert not checking.done()
        finally:
            answers.set()
