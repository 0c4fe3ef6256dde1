"""The quickstart: the lab of the root Pulumi.yaml through its whole life, on a simulated host, step by step."""

import fcntl
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import administrator
import click
import interrupted
import pulumi_cli
import simulated_host
from lab import Lab, UnexpectedExitError
from rich.console import Console
from simulated_host import SimulatedHost
from tour import Tour

STACK = "simulated"
PASSPHRASE = "quickstart"  # noqa: S105 - it seals a state that ends with the simulated host
STATE = ("host.json", "host.json.new", "state", "pulumi")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--keep", is_flag=True, help="Leave the lab and its simulated host running, and show how to go on.")
@click.option("--stop", is_flag=True, help="Only end what --keep left.")
@click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=pulumi_cli.CHECKOUT,
    hidden=True,  # for tests: another copy of the project, with another run's state
)
def main(*, keep: bool, stop: bool, project: Path) -> None:
    """Show a nested Hyper-V lab going up, drifting, healing and coming down, on a simulated host.

    Needs no Windows machine, and writes nothing outside the checkout.
    """
    console = Console(highlight=False, soft_wrap=True)
    folder = project.resolve() / ".quickstart"
    folder.mkdir(exist_ok=True)
    with alone(folder):
        if simulated_host.noted(folder):
            console.print("Ending the simulated host that an earlier run left.", style="dim")
        clear(folder)
        if not stop:
            try:
                run(folder, console, keep=keep)
            except (RuntimeError, UnexpectedExitError) as failure:
                raise click.ClickException(str(failure)) from failure


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder against a second run; the kernel lets it go when the process ends, however it ends."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException("another scripts/quickstart is at work in this checkout; wait for it") from None
        yield


def run(folder: Path, console: Console, *, keep: bool) -> None:
    """Go through the steps; then end the host and forget the stack, unless all went well and it is to be kept."""
    started = time.monotonic()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    password = simulated_host.new_password()
    kept = False
    try:
        console.print("\n[bold]1  Start a simulated Hyper-V host (Windows Server 2022) on this machine[/]")
        host = simulated_host.start(folder, password)
        console.print(f"   it listens on {host.url}")
        lab = Lab(folder.parent, environment(folder, host, password), STACK)
        with administrator.at(host.url, simulated_host.USERNAME, password) as admin:
            tour = Tour(lab, admin, console)
            tour.go(until_destroyed=not keep)
        kept = keep
    finally:
        if not kept:
            clear(folder)
    console.print(f"\nDone in {time.monotonic() - started:.0f} seconds.")
    if kept:
        console.print(how_to_go_on(lab))


def environment(folder: Path, host: SimulatedHost, password: str) -> dict[str, str]:
    """Return the environment of the stack's commands: this host, whatever the user has set for another host."""
    variables = pulumi_cli.environment(folder / "pulumi", folder / "state", PASSPHRASE)
    others = {name: value for name, value in variables.items() if not name.startswith("NESTEDLAB_")}
    return {
        **others,
        "NESTEDLAB_ADDRESS": host.url,
        "NESTEDLAB_USERNAME": simulated_host.USERNAME,
        "NESTEDLAB_PASSWORD": password,
    }


def clear(folder: Path) -> None:
    """End the noted host and forget the stack: the host was in memory, so there is nothing left to destroy."""
    host = simulated_host.noted(folder)
    interrupted.end_operations(folder / "state")
    interrupted.end_children(but=host.pid if host else None)
    if host:
        host.stop()
    for name in STATE:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    (folder.parent / f"Pulumi.{STACK}.yaml").unlink(missing_ok=True)


def how_to_go_on(lab: Lab) -> str:
    """Return what to type to work on with a kept lab."""
    changed = {name: value for name, value in lab.environment.items() if os.environ.get(name) != value}
    exports = [f"  export {name}={shlex.quote(value)}" for name, value in sorted(changed.items()) if name != "PATH"]
    return "\n".join(
        [
            "\nThe lab and its host are still there. To go on, in a shell in this folder:\n",
            "  source .venv/bin/activate",
            *exports,
            f"  pulumi stack select {lab.stack}",
            "  pulumi preview          # change examples/quickstart/__main__.py first, if you like",
            "\nTo end both:\n",
            "  scripts/quickstart --stop",
        ]
    )


if __name__ == "__main__":
    main(prog_name="scripts/quickstart")
