"""The command `hyperv-sim`."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import TYPE_CHECKING

import click

from hyperv_sim.remote_control import control
from hyperv_sim.server import SimulatedServer, loopback
from hyperv_sim.state.contention import Contention
from hyperv_sim.state.groups import GROUPS
from hyperv_sim.state.windows import WINDOWS

if TYPE_CHECKING:
    from hyperv_sim.host import SimulatedHost

PROCESSORS = ("intel", "amd")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nestedlab", message="%(version)s")
def main() -> None:
    """A simulated Hyper-V host: PowerShell remoting as Windows speaks it, machines and switches in memory."""


def _is_loopback(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        loopback(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return value


def _secret(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    secret = os.environ.get(value)
    if not secret:
        raise click.BadParameter(f"the environment variable {value} is not set, or empty")
    return secret


main.add_command(control)


@main.command()
@click.option(
    "--listen",
    default="127.0.0.1:0",
    show_default=True,
    metavar="HOST:PORT",
    callback=_is_loopback,
    help="Where to listen; a loopback address only. Port 0 takes a free one.",
)
@click.option("--tls", is_flag=True, help="Serve HTTPS, with a certificate for localhost made at the start.")
@click.option(
    "--windows", type=click.Choice(tuple(WINDOWS)), default="2022", show_default=True, help="The host's Windows Server."
)
@click.option("--cpu", type=click.Choice(PROCESSORS), default="intel", show_default=True, help="The host's processor.")
@click.option("--username", default="Administrator", show_default=True, help="The one user that may log on.")
@click.option(
    "--group",
    "groups",
    type=click.Choice(GROUPS),
    multiple=True,
    default=GROUPS[:1],
    show_default=True,
    help="A group of the host that the user is in. Can be repeated.",
)
@click.option(
    "--password-env",
    "password",
    metavar="NAME",
    callback=_secret,
    help="Take the password from this environment variable. Without it one is made up and printed.",
)
@click.option("--latency-ms", type=click.FloatRange(min=0), default=0, help="Milliseconds to wait before each answer.")
@click.option(
    "--external-switch",
    "external_switches",
    multiple=True,
    metavar="NAME",
    help="An external virtual switch that is there already, on a network adapter of its own. Can be repeated.",
)
@click.option(
    "--busy",
    type=int,
    metavar="SEED",
    help="Refuse for a moment, as a host does that others work on: new addresses, disks on one image, removals.",
)
@click.option("--control", "with_control", is_flag=True, help="Open a port for `hyperv-sim control`, on loopback.")
@click.option(
    "--control-token-env",
    "control_token",
    metavar="NAME",
    callback=_secret,
    help="Open it, and take its token from this environment variable. Without it one is made up and printed.",
)
def serve(  # noqa: PLR0913 - click gives each option as an argument
    *,
    listen: str,
    tls: bool,
    windows: str,
    cpu: str,
    username: str,
    groups: tuple[str, ...],
    password: str | None,
    latency_ms: float,
    external_switches: tuple[str, ...],
    busy: int | None,
    with_control: bool,
    control_token: str | None,
) -> None:
    """Serve a new, empty host until interrupted.

    When ready it prints one line of JSON: url, username, password if it was made up, and caBundle with --tls; with
    --control also control and controlToken, for `hyperv-sim control`. The host is gone when the command ends, on SIGINT
    or SIGTERM, with exit code 0.
    """
    from hyperv_sim.host import SimulatedHost  # noqa: PLC0415 - a wrong option is reported before the model is loaded

    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        host = SimulatedHost(
            windows, cpu, external_switches=external_switches, groups=groups, contention=Contention(busy)
        )
        server = SimulatedServer(
            host.shells,
            listen=listen,
            tls=tls,
            username=username,
            password=password,
            latency_ms=latency_ms,
            windows_build=f"10.0.{WINDOWS[windows].build}.1",
        )
        server.start()
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    ready = _ready(server, tls=tls, is_made_up=password is None)
    with server, ExitStack() as more:
        if with_control or control_token:
            ready |= more.enter_context(_controlled(server, host, control_token))
        click.echo(json.dumps(ready))
        ended.wait()


@contextmanager
def _controlled(server: SimulatedServer, host: SimulatedHost, token: str | None) -> Iterator[dict[str, str]]:
    """Open the control port, and give what the ready line says of it."""
    from hyperv_sim.control import Control, ControlPort  # noqa: PLC0415 - only if it is asked for

    with ControlPort(Control(server, host), token) as port:
        yield {"control": port.url} | ({} if token else {"controlToken": port.token})


def _ready(server: SimulatedServer, *, tls: bool, is_made_up: bool) -> dict[str, str]:
    line = {"url": server.url, "username": server.username}
    if is_made_up:
        line["password"] = server.password
    if tls:
        line["caBundle"] = server.ca_bundle
    return line
