"""What scripts/bench measures keeps to what the project promises, and each of its programs works."""

import bench

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer

PROMISED = {
    "NatSwitch: create": 10,
    "NatSwitch: read": 2,
    "NestedHyperVHost: create": 10,
    "NestedHyperVHost: read": 2,
    "NestedHyperVHost with two adapters and three disks: create": 10,
    "NestedHyperVHost with two adapters and three disks: read": 2,
    "NestedHyperVHost: create, for each further data disk": 0,
    "NestedHyperVHost: read, for each further data disk": 0,
    "NestedHyperVHost: create, for each further adapter": 0,
    "NestedHyperVHost: read, for each further adapter": 0,
}
"""HTTP requests at most, once a session is open."""


def test_operations_take_no_more_requests_than_promised() -> None:
    with SimulatedServer(SimulatedHost().shells) as server:
        measured = {title: float(http) for title, (http, _) in bench.operations(server)}
    assert [title for title, most in PROMISED.items() if measured[title] > most] == []


def test_the_cost_of_a_further_part_is_the_difference_shared_out() -> None:
    few, many = ("8", "4"), ("20", "7")
    measured = {f"{title}: {operation}": few for title in bench.FULL for operation in ("create", "read")}
    found = dict(bench.further(measured | {"eight data disks: create": many, "six adapters: read": many}))
    assert found["NestedHyperVHost: create, for each further data disk"] == ("2", "0.5")
    assert found["NestedHyperVHost: read, for each further adapter"] == ("3", "0.75")
    assert found["NestedHyperVHost: create, for each further adapter"] == ("0", "0")


def test_a_refresh_of_a_class_takes_no_more_requests_than_promised() -> None:
    assert bench.refresh_of_a_class() <= 20


def test_what_times_are_set_beside_goes_up_and_comes_down() -> None:
    assert len(bench.life(bench.DOES_NOTHING.format(count=1))) == 4
