"""A process with a simulated host: it prints where it listens, then its seconds of CPU so far for each line of input.

All are JSON. Usage: bench_host.py CHECKOUT. It ends with its input.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

from bench_child import cpu_seconds, must_be_of, say


def main(checkout: Path) -> None:
    """Serve until there is no more input."""
    host, server = import_module("hyperv_sim.host"), import_module("hyperv_sim.server")
    must_be_of(host, checkout)
    with server.SimulatedServer(host.SimulatedHost().shells, password=os.environ["NESTEDLAB_PASSWORD"]) as service:
        say({"NESTEDLAB_ADDRESS": service.url, "NESTEDLAB_USERNAME": service.username})
        for _ in sys.stdin:
            say(cpu_seconds())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
