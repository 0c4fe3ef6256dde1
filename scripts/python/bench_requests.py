"""Requests and pipelines of each operation, counted by the simulated host: the same on every machine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bench_times import stack_of
from pydantic import SecretStr
from rich.table import Table

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer
from nestedlab.connection import Connection
from nestedlab.declare import Resource
from nestedlab.lifecycle import check
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.plain import plain
from nestedlab.provider import Provider, Recorded
from nestedlab.psrp.sessions import Sessions

Cost = Callable[[Callable[[], object]], tuple[str, str]]
"""Performs an operation, and returns its HTTP requests and its pipelines."""

Measured = tuple[str, tuple[str, str]]
"""An operation's title and cost."""

FULL: dict[str, dict[str, Any]] = {
    "two adapters": {"adapters": [{"name": "lan"}, {"name": "storage"}]},
    "six adapters": {"adapters": [{"name": f"lan{number}"} for number in range(6)]},
    "two data disks": {"data_disks": [{"size_gib": 10}] * 2},
    "eight data disks": {"data_disks": [{"size_gib": 10}] * 8},
    "two adapters and three disks": {
        "adapters": [{"name": "lan"}, {"name": "storage"}],
        "data_disks": [{"size_gib": 10}] * 2,
    },
    "a baseline": {"baseline": "clean"},
}

FURTHER = {"data disk": ("two data disks", "eight data disks", 6), "adapter": ("two adapters", "six adapters", 4)}
"""What each part costs: measured between a machine with few and a machine with this number more."""

CLASS = """
import pulumi_nestedlab as lab

for number in range(4):
    lab.NatSwitch(f"net{number}", prefix=f"192.168.{50 + number}.0/24")
for number in range(32):
    lab.NestedHyperVHost(f"hv{number}", memory_mib=512, processors=1, os_disk=lab.Disk(size_gib=80))
"""


def requests_table() -> Table:
    """The requests and pipelines of each operation of each resource, once a session is open."""
    table = Table("operation", "HTTP requests", "pipelines", title="Requests, counted by the simulated host")
    with SimulatedServer(SimulatedHost().shells) as server:
        for title, cost in operations(server):
            table.add_row(title, *cost)
    return table


@dataclass(frozen=True)
class Measuring:
    """A resource, and a provider as in a process that has just started: nothing is prefetched yet."""

    kind: type[Resource]
    inputs: dict[str, Any]
    new_provider: Callable[[], Provider]

    def create(self) -> Recorded:
        """Create it."""
        return self.new_provider().create(self.kind, self.inputs)

    def read(self, made: Recorded) -> None:
        """Read it."""
        self.new_provider().read(self.kind, made.id, made.state)

    def update(self, made: Recorded, **changes: Any) -> None:
        """Change it."""
        self.new_provider().update(self.kind, made.id, made.state, {**self.inputs, **changes})

    def delete(self, made: Recorded) -> None:
        """Delete it."""
        self.new_provider().delete(self.kind, made.id, made.state)


def operations(server: SimulatedServer) -> Iterator[Measured]:
    """Each operation's title and cost, in an order in which each can be done."""
    sessions = Sessions(Connection(address=server.url, username=server.username, password=SecretStr(server.password)))
    cost = counting(server)

    def provider() -> Provider:
        return Provider({"nestedlab:address": server.url}, {}, lambda _: sessions, lambda *_: None)

    def measuring(kind: type[Resource], **inputs: Any) -> Measuring:
        checked, failures = check(kind, {"owner": f"bench/dev/{inputs['name']}", **inputs})
        if checked is None:
            raise ValueError(failures)
        return Measuring(kind, plain(checked), provider)

    switch = measuring(NatSwitch, name="net", prefix="192.168.50.0/24")
    machine = measuring(NestedHyperVHost, name="hv1", os_disk={"size_gib": 80})
    nowhere = Recorded(str(uuid4()), switch.inputs, switch.inputs)
    yield "open a session, and read a switch that is not there", cost(lambda: switch.read(nowhere))
    yield from of_resource(cost, switch, {"notes": "changed"}, {"prefix": "192.168.60.0/24", "gateway": "192.168.60.1"})
    yield from of_resource(cost, machine, {"notes": "changed"}, {"processors": 8})
    costs: dict[str, tuple[str, str]] = {}
    for title, parts in FULL.items():
        full = measuring(NestedHyperVHost, name="hv1", os_disk={"size_gib": 80}, **parts)
        made: list[Recorded] = []
        costs[f"{title}: create"] = cost(lambda: made.append(full.create()))  # noqa: B023
        costs[f"{title}: read"] = cost(lambda: full.read(made[0]))  # noqa: B023
        full.delete(made[0])
    sessions.close()
    yield from ((f"NestedHyperVHost with {title}", spent) for title, spent in costs.items())
    yield from further(costs)


def further(measured: Mapping[str, tuple[str, str]]) -> Iterator[Measured]:
    """What each further part of a machine costs, from what machines with few and with many took."""
    for part, (few, many, more) in FURTHER.items():
        for operation in ("create", "read"):
            both = zip(measured[f"{few}: {operation}"], measured[f"{many}: {operation}"], strict=True)
            http, pipelines = (f"{(int(after) - int(before)) / more:g}" for before, after in both)
            yield f"NestedHyperVHost: {operation}, for each further {part}", (http, pipelines)


def of_resource(cost: Cost, resource: Measuring, live: dict[str, Any], deep: dict[str, Any]) -> Iterator[Measured]:
    """The operations of a resource: `live` changes it while it runs, `deep` while it is off or replaced."""
    title = resource.kind.__name__
    recorded: list[Recorded] = []
    yield f"{title}: create", cost(lambda: recorded.append(resource.create()))
    made = recorded[0]
    yield f"{title}: read", cost(lambda: resource.read(made))
    yield f"{title}: update, nothing to do", cost(lambda: resource.update(made))
    yield f"{title}: update of {', '.join(live)}", cost(lambda: resource.update(made, **live))
    yield f"{title}: update of {', '.join(deep)}", cost(lambda: resource.update(made, **deep))
    yield f"{title}: delete", cost(lambda: resource.delete(made))
    yield f"{title}: read, gone", cost(lambda: resource.read(made))


def counting(server: SimulatedServer) -> Cost:
    """A function that counts the HTTP requests and the pipelines of an operation."""

    def cost(operation: Callable[[], object]) -> tuple[str, str]:
        before = server.requests.snapshot()
        operation()
        spent = server.requests.snapshot() - before
        return str(spent.http), str(spent.pipelines)

    return cost


def refresh_of_a_class() -> int:
    """The HTTP requests of a refresh of 32 hosts and 4 switches, those that open and close the session among them."""
    with SimulatedServer(SimulatedHost().shells) as server, stack_of(CLASS, server) as lab:
        lab.up()
        before = server.requests.snapshot()
        lab.refresh("--expect-no-changes")
        spent = server.requests.snapshot() - before
    return spent.http
