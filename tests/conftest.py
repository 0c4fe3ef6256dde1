"""A parent host for tests of the provider: simulated, in this process, on loopback; each test has its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import administrator
import hypothesis
import pytest
from pypsrp.serializer import TaggedValue

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer
from hyperv_sim.state.contention import MOST, Contention
from nestedlab.connection import Connection, connection
from nestedlab.perform import Cancellation

if TYPE_CHECKING:
    from hyperv_sim.state.machines import Machine
    from hyperv_sim.state.switches import Switch

# No test measures time: a machine that does other things meanwhile is no reason to fail.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

PASSWORD = "Not-To-Be-Seen-4711"
"""Every simulated host's password, so that a test can look for it where it must not be."""

ByHand = Callable[..., list[Any]]
"""Runs a cmdlet with its parameters, and returns its output: `run("Get-VM", Name="hv1")`."""


@dataclass
class Parent:
    """A host, and the WinRM service before it."""

    host: SimulatedHost
    server: SimulatedServer

    @property
    def environment(self) -> dict[str, str]:
        """What the provider's process needs to reach the host."""
        settings = {"ADDRESS": self.server.url, "USERNAME": self.server.username, "PASSWORD": PASSWORD}
        if self.server.url.startswith("https:"):
            settings["CA_BUNDLE"] = self.server.ca_bundle
        return {f"NESTEDLAB_{name}": value for name, value in settings.items()}

    def connection(self, **settings: str) -> Connection:
        """The provider's connection, with settings in camelCase that differ from the environment's."""
        return connection({f"nestedlab:{name}": value for name, value in settings.items()}, self.environment)

    @contextmanager
    def at_prompt(self) -> Iterator[ByHand]:
        """Do what an administrator of the host does at a prompt: run cmdlets, one after the other, in one session.

        What a busy host refuses for a moment is done once more.
        """
        with administrator.at(self.server.url, self.server.username, PASSWORD) as admin:

            def run(cmdlet: str, **parameters: object) -> list[Any]:
                sent = {name: _sent(value) for name, value in parameters.items()}
                for _ in range(MOST if self.host.state.contention.seed is not None else 0):
                    with suppress(RuntimeError):
                        return admin.run(cmdlet, **sent)
                return admin.run(cmdlet, **sent)

            yield run

    def by_hand(self, cmdlet: str, **parameters: object) -> list[Any]:
        """Run one cmdlet at a prompt, in a session that ends with it."""
        with self.at_prompt() as run:
            return run(cmdlet, **parameters)

    def machine(self, name: str) -> Machine:
        """The state of the one machine of this name."""
        (found,) = [one for one in self.host.state.machines.values() if one.name == name]
        return found

    def switch(self, name: str) -> Switch:
        """The state of the one switch of this name."""
        (found,) = [one for one in self.host.state.switches.values() if one.name == name]
        return found

    @property
    def machines(self) -> list[str]:
        """The names of all machines."""
        return [one.name for one in self.host.state.machines.values()]

    def shells_are_given_back(self, within: float = 15.0) -> bool:
        """Whether no shell stays open. The provider's process closes its own as it ends, and the CLI does not wait."""
        end = time.monotonic() + within
        while self.server.open_shells and time.monotonic() < end:
            time.sleep(0.05)
        return self.server.open_shells == 0

    def snapshot(self) -> Any:
        """The host's state, to compare two moments."""
        return self.host.snapshot()


def _sent(value: object) -> object:
    # pypsrp sends every int as an Int32.
    return TaggedValue("I64", value) if isinstance(value, int) and value >= 2**31 else value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, the tests that start processes, so that no worker is left alone with one."""
    slow = [Path(__file__).with_name(name) for name in ("pulumi", "scripts")]
    items.sort(key=lambda one: not any(one.path.is_relative_to(folder) for folder in slow))


def _usual() -> dict[str, Any]:
    """What every host is, unless a test says otherwise: busy, if NESTEDLAB_BUSY has a seed (scripts/faults)."""
    seed = os.environ.get("NESTEDLAB_BUSY")
    return {"contention": Contention(int(seed))} if seed else {}


NewParent = Callable[..., Parent]
"""Starts a host: `new_parent(windows="2016", cpu="amd", tls=True)`. `parts` are of the simulated `Host`, such as
`{"external_switches": ("LAN",)}`; other settings are SimulatedServer's."""


class NoDelay(Cancellation):
    """Waits for nothing: a simulated host counts reads, not seconds."""

    def wait(self, seconds: float) -> None:
        pass


@pytest.fixture
def no_delay() -> Cancellation:
    """What has steps run without the delays before them."""
    return NoDelay()


@pytest.fixture
def new_parent() -> Iterator[NewParent]:
    """Start hosts, which end with the test."""
    with ExitStack() as cleanup:

        def new(
            windows: str = "2022", cpu: str = "intel", parts: Mapping[str, Any] | None = None, **settings: Any
        ) -> Parent:
            host = SimulatedHost(windows, cpu, **{**_usual(), **(parts or {})})
            server = cleanup.enter_context(SimulatedServer(host.shells, password=PASSWORD, **settings))
            return Parent(host, server)

        yield new


@pytest.fixture
def parent(new_parent: NewParent) -> Parent:
    """A host with Windows Server 2022 on an Intel processor."""
    return new_parent()
