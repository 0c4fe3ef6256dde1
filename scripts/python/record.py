"""Records a stack and the host under it, for later versions of the code to be tested against.

Usage: .venv/bin/python scripts/python/record.py FOLDER, in a checkout of the commit that is recorded, with the program
as `__main__.py` in the folder; tests/cases/pulumi/states/README.md describes the result.
"""

import json
import tempfile
from pathlib import Path

import administrator
import click
import pulumi_cli
import recorded_host
from administrator import Administrator
from lab import Lab

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer

PASSPHRASE = "no secret: it seals a word about a simulated host"  # noqa: S105
SECRET_NOTES = "Sealed-In-The-State-4711"  # noqa: S105
FILES = ("D:\\Images\\ws2022.vhdx", "D:\\Images\\setup.iso", "D:\\Given\\stopped.vhdx")
STACK, STACK_CONFIGURATION = "stack.json", "Pulumi.dev.yaml"
HOST_BEFORE, HOST = "host-before.yaml", "host.yaml"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Bring the program of the folder up on a simulated host, and write stack and host into the folder."""
    host = SimulatedHost(external_switches=("LAN",))
    for path in FILES:
        host.place(path)
    (folder / HOST_BEFORE).write_text(recorded_host.written(host))
    with SimulatedServer(host.shells) as server, tempfile.TemporaryDirectory() as scratch:
        lab = _lab(Path(scratch), server, (folder / "__main__.py").read_text())
        with administrator.at(server.url, server.username, server.password) as admin:
            _live(lab, admin)
        (folder / STACK).write_text(_without_places(lab.run("stack", "export").text))
        (folder / STACK_CONFIGURATION).write_text((lab.folder / STACK_CONFIGURATION).read_text())
    (folder / HOST).write_text(recorded_host.written(host))


def _without_places(stack: str) -> str:
    """Leave out the source position of each resource: it is for people, and names folders of this machine."""
    recorded = json.loads(stack)
    for resource in recorded["deployment"]["resources"]:
        resource.pop("sourcePosition", None)
        resource.pop("stackTrace", None)
    return f"{json.dumps(recorded, indent=2)}\n"


def _lab(scratch: Path, server: SimulatedServer, program: str) -> Lab:
    environment = pulumi_cli.environment(scratch / "home", scratch / "state", PASSPHRASE)
    environment |= {
        "NESTEDLAB_ADDRESS": server.url,
        "NESTEDLAB_USERNAME": server.username,
        "NESTEDLAB_PASSWORD": server.password,
    }
    project = scratch / "project"
    project.mkdir()
    lab = Lab(project, environment)
    lab.write(program)
    lab.init()
    lab.config("notes", SECRET_NOTES, secret=True)
    return lab


def _live(lab: Lab, admin: Administrator) -> None:
    """Reset a machine; let another drift, and refresh."""
    lab.up()
    lab.config("reset", "monday")
    lab.up()
    admin.run("Stop-VM", Name="drifted-hv", TurnOff=True)
    admin.run("Set-VMProcessor", VMName="drifted-hv", Count=2)
    admin.run("Set-VMNetworkAdapter", VMName="drifted-hv", MacAddressSpoofing="On")
    lab.refresh()


if __name__ == "__main__":
    main()
