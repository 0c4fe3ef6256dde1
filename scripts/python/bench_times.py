"""Wall time of whole commands of the Pulumi CLI, next to as many resources that do nothing."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pulumi_cli
from bench_code import PRESENT, Code
from bench_figures import Figures
from lab import Lab

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer

IDLE = "idle"
"""The name of what times are compared to: resources that do nothing."""

NOTHING = """
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class Nothing(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props):
        return CreateResult("nothing", props)


class Idle(Resource):
    def __init__(self, name):
        super().__init__(Nothing(), name, {"name": name})
"""

DOES_NOTHING = """
from nothing import Idle

for number in range({count}):
    Idle(f"hv{{number}}")
"""

MACHINES = """
import pulumi_nestedlab as lab

for number in range({count}):
    lab.NestedHyperVHost(f"hv{{number}}", memory_mib=512, processors=1, os_disk=lab.Disk(size_gib=80))
"""


def life(program: str, code: Code = PRESENT, delay_ms: int = 0) -> Figures:
    """The seconds of each command of a stack's life, on a host of its own, which waits so long before each answer."""
    with (
        SimulatedServer(SimulatedHost().shells, latency_ms=delay_ms) as server,
        stack_of(program, server, code) as lab,
    ):
        operations = {"up": lab.up, "preview": lab.preview, "refresh": lab.refresh, "destroy": lab.destroy}
        return {name: _taken(operation) for name, operation in operations.items()}


@contextmanager
def stack_of(program: str, server: SimulatedServer, code: Code = PRESENT) -> Iterator[Lab]:
    """A stack of a program that imports this code, for a host."""
    with tempfile.TemporaryDirectory() as folder:
        environment = pulumi_cli.environment(Path(folder, "home"), Path(folder, "state"), passphrase="bench")  # noqa: S106
        environment |= {
            **code.environment,
            "NESTEDLAB_ADDRESS": server.url,
            "NESTEDLAB_USERNAME": server.username,
            "NESTEDLAB_PASSWORD": server.password,
        }
        project = Path(folder, "project")
        project.mkdir()
        (project / "nothing.py").write_text(NOTHING)
        lab = Lab(project, environment)
        lab.write(program)
        lab.init()
        yield lab


def _taken(operation: Callable[[], object]) -> float:
    started = time.monotonic()
    operation()
    return time.monotonic() - started
