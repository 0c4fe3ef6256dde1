"""The provider's process is killed with its first request, its second ...: the next operation reaches the inputs.

The process is Pulumi's own, `python -m pulumi.dynamic`, called over gRPC as the engine calls it. test_killed.py shows
through the CLI what the engine keeps of a broken operation; here it is done the same way, for every request.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from hyperv_sim.state.disks import place
from nestedlab.adapters.dynamic import NatSwitchProvider, NestedHyperVHostProvider

if TYPE_CHECKING:
    from pulumi.dynamic import ResourceProvider
    from tests.conftest import Parent

Properties = dict[str, Any]

HELD = 60
"""Seconds for which the host holds its answer back, at most: until the process that waits for it has been killed."""
MOST_REQUESTS = 60
EVERY = 1 if os.environ.get("NESTEDLAB_FAULTS") == "all" else 8
"""Of how many requests one is tried in each of the two tests; scripts/faults has all of them."""

IMAGE, GIVEN = r"C:\Images\ws.vhdx", r"C:\Images\given.vhdx"
ISOS = [r"C:\Images\one.iso", r"C:\Images\two.iso"]
SHARED = {"Name": "campus", "InternalIPInterfaceAddressPrefix": "172.20.0.0/16"}
"""An administrator's NAT."""

MACHINE = {
    "name": "hv1",
    "owner": "lab/dev/hv1",
    "stackId": "5ca1ab1e",
    "osDisk": {"parent": IMAGE},
    "adapters": [{"name": "lan", "vlan": 12}, {"name": "wan", "mac": "00155D010203"}],
    "dataDisks": [{"sizeGib": 5}, {"path": GIVEN}],
    "iso": ISOS[0],
    "tpm": True,
    "timeSynchronization": False,
}
CHANGED_MACHINE = {
    **MACHINE,
    "processors": 2,
    "adapters": [{"name": "wan", "trunk": "10-12"}, {"name": "third"}],
    "dataDisks": [{"sizeGib": 6}, {"path": GIVEN}, {"sizeGib": 3}],
    "iso": ISOS[1],
    "baseline": "clean",
    "tpm": False,
}
ANOTHER_BASELINE = {**CHANGED_MACHINE, "baseline": "second"}
RESET_MACHINE = {**ANOTHER_BASELINE, "reset": "1"}
SWITCH = {
    "name": "lab-net",
    "owner": "lab/dev/lab-net",
    "stackId": "5ca1ab1e",
    "prefix": "192.168.50.0/24",
    "forwards": [{"externalPort": 3389, "internalAddress": "192.168.50.5"}],
    "on": "here",
}
JOINED_SWITCH = {
    **SWITCH,
    "prefix": "172.20.5.0/24",
    "notes": "moved",
    "forwards": [{"externalPort": 53, "protocol": "UDP", "internalAddress": "172.20.5.5"}],
    "nat": "campus",
}
LIVES: dict[str, tuple[ResourceProvider, list[Properties]]] = {
    "machine": (
        NestedHyperVHostProvider(),
        [MACHINE, CHANGED_MACHINE, ANOTHER_BASELINE, RESET_MACHINE, {**RESET_MACHINE, "osDisk": {"sizeGib": 40}}],
    ),
    # A switch is replaced only if it moves to another host: here the same host under a second name.
    "switch": (NatSwitchProvider(), [SWITCH, JOINED_SWITCH, SWITCH, {**SWITCH, "on": "there"}]),
}
"""The inputs at first, after each update, and after a replacement."""


class Process:
    """A process of the provider, as the engine starts it."""

    def __init__(self, provider: ResourceProvider, parent: Parent) -> None:
        self._provider = serialize_provider(provider)
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.dynamic"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **parent.environment, "PULUMI_PROJECT": "lab"},
        )
        assert self._process.stdout is not None
        port = int(self._process.stdout.readline())
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        hosts = {name: {"address": parent.server.url} for name in ("here", "there")}
        self._ask("Configure", provider_pb2.ConfigureRequest(args=_struct({"nestedlab:hosts": json.dumps(hosts)})))

    def kill(self) -> None:
        """End it as a crash does, and a second time without harm."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._channel.close()

    def check(self, before: Properties, inputs: Properties) -> Properties:
        request = provider_pb2.CheckRequest(olds=self._sent(before), news=self._sent(inputs))
        answer = self._ask("Check", request)
        assert not answer.failures, answer.failures
        return _dict(answer.inputs)

    def diff(self, identity: str, outputs: Properties, inputs: Properties) -> Any:
        request = provider_pb2.DiffRequest(id=identity, olds=self._sent(outputs), news=self._sent(inputs))
        return self._ask("Diff", request)

    def create(self, inputs: Properties) -> tuple[str, Properties]:
        answer = self._ask("Create", provider_pb2.CreateRequest(properties=self._sent(inputs)))
        return answer.id, _dict(answer.properties)

    def read(self, identity: str, outputs: Properties) -> tuple[str, Properties]:
        answer = self._ask("Read", provider_pb2.ReadRequest(id=identity, properties=self._sent(outputs)))
        return answer.id, _dict(answer.properties)

    def update(self, identity: str, outputs: Properties, inputs: Properties) -> Properties:
        request = provider_pb2.UpdateRequest(id=identity, olds=self._sent(outputs), news=self._sent(inputs))
        return _dict(self._ask("Update", request).properties)

    def delete(self, identity: str, outputs: Properties) -> None:
        self._ask("Delete", provider_pb2.DeleteRequest(id=identity, properties=self._sent(outputs)))

    def _sent(self, properties: Properties) -> Struct:
        return _struct({**properties, "__provider": self._provider})

    def _ask(self, method: str, request: Any) -> Any:
        return getattr(self._stub, method)(request, timeout=2 * HELD)


def _struct(properties: Mapping[str, Any]) -> Struct:
    return ParseDict(dict(properties), Struct())


def _dict(properties: Struct) -> Properties:
    return {name: value for name, value in MessageToDict(properties).items() if name != "__provider"}


class Stack:
    """A stack of a single resource, and what the engine has recorded of it."""

    def __init__(self) -> None:
        self.identity = ""
        self.inputs: Properties = {}
        self.outputs: Properties = {}

    def bring(self, process: Process, program: Properties | None) -> None:
        """Make the calls of an `up` with a program's inputs, or of a `destroy` for None; what broke is not recorded."""
        if program is None:
            self._delete(process)
            return
        inputs = process.check(self.inputs, program)
        if self.identity:
            diff = process.diff(self.identity, self.outputs, inputs)
            if not diff.replaces:
                if diff.changes == provider_pb2.DiffResponse.DIFF_SOME:
                    self.outputs = process.update(self.identity, self.outputs, inputs)
                    self.inputs = inputs
                return
            self._delete(process)
            inputs = process.check({}, program)
        self.identity, self.outputs = process.create(inputs)
        self.inputs = inputs

    def _delete(self, process: Process) -> None:
        if self.identity:
            process.delete(self.identity, self.outputs)
        self.identity, self.inputs, self.outputs = "", {}, {}

    def is_at(self, process: Process, program: Properties) -> bool:
        """Whether the host has the program's inputs, so that there is nothing to do."""
        identity, outputs = process.read(self.identity, self.outputs)
        diff = process.diff(identity, outputs, process.check(self.inputs, program))
        return identity == self.identity and diff.changes == provider_pb2.DiffResponse.DIFF_NONE


@pytest.mark.parametrize("first", [1, 2], ids=["odd", "even"])  # two tests, for two workers
@pytest.mark.parametrize("kind", LIVES)
def test_killed_with_any_request_of_its_life_it_comes_to_what_is_asked(
    kind: str, first: int, parent: Parent, record_property: Callable[[str, object], None]
) -> None:
    _furnish(parent)
    before = _state(parent)
    kills = []
    for request in range(first, MOST_REQUESTS, 2 * EVERY):
        kills.append(_live(*LIVES[kind], parent, request))
        assert _state(parent) == before, request
        parent.server.restart()  # it has done with the shells of those that were killed
        if not kills[-1]:
            break
    # Each operation has several requests, and none has as many as the schedule allows.
    assert kills[0] == len(LIVES[kind][1]) + 1
    assert kills[-1] == 0
    record_property("kills", sum(kills))


def _live(provider: ResourceProvider, life: list[Properties], parent: Parent, request: int) -> int:
    """Create, update, replace and delete, each killed with so many requests and redone; returns the kills."""
    stack, processes = Stack(), [Process(provider, parent)]
    try:
        for program in (*life, None):
            if _killed_with(request, parent, processes[-1], stack, program):
                processes.append(Process(provider, parent))
                stack.bring(processes[-1], program)
            assert program is None or stack.is_at(processes[-1], program), (request, program)
            machines, switches = parent.host.state.machines, parent.host.state.switches
            assert len(machines) + len(switches) == (program is not None)
            assert all(len(machine.checkpoints) == ("baseline" in (program or ())) for machine in machines.values())
    finally:
        processes[-1].kill()
    return len(processes) - 1


def _killed_with(request: int, parent: Parent, process: Process, stack: Stack, program: Properties | None) -> bool:
    """Do an operation, and kill the process once it has made so many requests; returns whether it made so many."""
    with _stalled(parent, request) as fired, ThreadPoolExecutor(1) as engine:
        running = engine.submit(stack.bring, process, program)
        while not running.done() and not fired():
            time.sleep(0.005)
        if running.done():
            running.result()
            return False
        process.kill()
        assert isinstance(running.exception(), grpc.RpcError)
        return True


@contextmanager
def _stalled(parent: Parent, request: int) -> Iterator[Any]:
    plan = parent.server.arm(f"stall={HELD} any#{request}")
    yield lambda: plan.fired
    parent.server.arm()


def _furnish(parent: Parent) -> None:
    parent.host.state.reads_to_merge = 0
    for path in (IMAGE, GIVEN):
        place(parent.host.state.files, path)
    for path in ISOS:
        parent.host.place(path)
    parent.by_hand("New-NetNat", **SHARED)


def _state(parent: Parent) -> Any:
    """The host without what a machine has written to a disk that it was given."""
    snapshot = parent.snapshot()
    for file in snapshot["files"]["entries"].values():
        file["disk"] = file["disk"] and {**file["disk"], "written": ""}
    return snapshot
