"""The command `hyperv-sim`."""

from __future__ import annotations

import json
import os
import signal
from threading import Event

import click

from hyperv_sim.server import SimulatedServer, loopback
from hyperv_sim.windows import WINDOWS

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


def _password(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    password = os.environ.get(value)
    if not password:
        raise click.BadParameter(f"the environment variable {value} is not set, or empty")
    return password


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
    "--password-env",
    "password",
    metavar="NAME",
    callback=_password,
    help="Take the password from this environment variable. Without it one is made up and printed.",
)
@click.option("--latency-ms", type=click.FloatRange(min=0), default=0, help="Milliseconds to wait before each answer.")
def serve(  # noqa: PLR0913 - click gives each option as an argument
    *, listen: str, tls: bool, windows: str, cpu: str, username: str, password: str | None, latency_ms: float
) -> None:
    """Serve a new, empty host until interrupted.

    When ready it prints one line of JSON: url, username, password if it was made up, and caBundle with --tls. The
    host is gone when the command ends, on SIGINT or SIGTERM, with exit code 0.
    """
    from hyperv_sim.host import new_shells  # noqa: PLC0415 - a wrong option is told before the host's model is loaded

    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        server = SimulatedServer(
            new_shells(windows, cpu),
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
    with server:
        click.echo(json.dumps(_ready(server, tls=tls, is_made_up=password is None)))
        ended.wait()


def _ready(server: SimulatedServer, *, tls: bool, is_made_up: bool) -> dict[str, str]:
    line = {"url": server.url, "username": server.username}
    if is_made_up:
        line["password"] = server.password
    if tls:
        line["caBundle"] = server.ca_bundle
    return line
