"""`hyperv-sim control`: makes a running host misbehave towards its clients."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, get_args

import click
import requests

from hyperv_sim.state.machines import Manner

SECONDS = 30
URL, TOKEN = "HYPERV_SIM_CONTROL", "HYPERV_SIM_CONTROL_TOKEN"


@dataclass(frozen=True, slots=True)
class Remote:
    """A running host's control port. The options are checked when it is asked: --help needs neither."""

    url: str | None
    token_env: str

    def ask(self, command: str, *arguments: str) -> Any:
        """Give the command's result. Raises ClickException with what the host said, or that it is not there."""
        token = os.environ.get(self.token_env)
        if not self.url:
            raise click.UsageError(f"Missing option '--url' (env var: '{URL}')")
        if not token:
            raise click.UsageError(f"the environment variable {self.token_env} is not set, or empty")
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands before loopback
            try:
                answer = session.post(
                    self.url,
                    json={"command": command, "arguments": arguments},
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=SECONDS,
                )
                content = answer.json()
            except requests.RequestException as error:
                raise click.ClickException(f"no simulated host answers at {self.url}: {error}") from error
        if not answer.ok:
            raise click.ClickException(str(content.get("error", answer.reason)))
        return content["result"]


@click.group()
@click.option("--url", envvar=URL, show_envvar=True, metavar="URL", help="`control` of the host's ready line. Needed.")
@click.option(
    "--token-env",
    default=TOKEN,
    show_default=True,
    metavar="NAME",
    help="The environment variable that holds `controlToken` of the ready line, or the token the host was given.",
)
@click.pass_context
def control(context: click.Context, url: str | None, token_env: str) -> None:
    """Make a running host misbehave that was started with `serve --control`, and read what it did and what is on it.

    \b
    Lose the answer of the second Command from now on:
        hyperv-sim control arm "drop-answer Command#2"
    Let nested virtualization be dropped in silence:
        hyperv-sim control revert VMProcessor ExposeVirtualizationExtensions
    """
    context.obj = Remote(url, token_env)


@control.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.pass_obj
def arm(remote: Remote, rules: tuple[str, ...]) -> None:
    """Misbehave by these rules from the next request on, in place of those before; without rules, behave.

    A rule is an effect and a moment. Moments count the requests of an action (Create, Command, Receive, Send, Signal,
    Delete, or `any`) from now on; `#*` is every one.

    \b
    drop-request Create#1       the connection breaks before the request is handled
    drop-answer any#7           the work is done, then the connection breaks
    delay=0.5 Receive#*         seconds of waiting before the request is handled
    stall=60 any#3              nothing is done or answered until the client goes, or so many seconds are over
    fault=2150859173 Create#2   a WSManFault of that number; nothing is done
    restart Command#3           all shells and connections are gone; the host's state stays
    """
    for rule in remote.ask("arm", *rules):
        click.echo(rule)


@control.command()
@click.pass_obj
def fired(remote: Remote) -> None:
    """Show the armed rules that took effect, in order."""
    for rule in remote.ask("fired"):
        click.echo(rule)


@control.command()
@click.argument("cmdlet")
@click.argument("error_id", metavar="ID")
@click.argument("category")
@click.pass_obj
def refuse(remote: Remote, cmdlet: str, error_id: str, category: str) -> None:
    """Let CMDLET fail with this ErrorIdentifier and category.

    \b
    As without the rights for it:
        hyperv-sim control refuse New-NetNat "Windows System Error 5" PermissionDenied
    """
    remote.ask("refuse", cmdlet, error_id, category)


@control.command()
@click.argument("cmdlet")
@click.pass_obj
def allow(remote: Remote, cmdlet: str) -> None:
    """End what `refuse` began."""
    remote.ask("allow", cmdlet)


@control.command()
@click.argument("noun")
@click.argument("parameter")
@click.pass_obj
def revert(remote: Remote, noun: str, parameter: str) -> None:
    """Let `Set-NOUN -PARAMETER` succeed and change nothing."""
    remote.ask("revert", noun, parameter)


@control.command()
@click.argument("noun")
@click.argument("parameter")
@click.pass_obj
def keep(remote: Remote, noun: str, parameter: str) -> None:
    """End what `revert` began."""
    remote.ask("keep", noun, parameter)


@control.command()
@click.argument("machine")
@click.argument("manner", type=click.Choice(get_args(Manner)))
@click.pass_obj
def guest(remote: Remote, machine: str, manner: str) -> None:
    """Set how the guest of MACHINE takes a request to shut down: at once, never, only by force, or with an error."""
    remote.ask("guest", machine, manner)


@control.command()
@click.argument("path")
@click.pass_obj
def place(remote: Remote, path: str) -> None:
    """Put a file at PATH on the host, with the folders above it.

    A name that ends in .vhd or .vhdx makes a virtual disk, any other a plain file, such as an .iso.
    """
    remote.ask("place", path)


@control.command()
@click.pass_obj
def restart(remote: Remote) -> None:
    """Restart the WinRM service: shells and connections are gone, machines and switches stay."""
    remote.ask("restart")


@control.command()
@click.pass_obj
def counts(remote: Remote) -> None:
    """Show, as JSON, how many requests were answered: HTTP in all, by WSMan action, and pipelines."""
    click.echo(json.dumps(remote.ask("counts")))


@control.command()
@click.pass_obj
def snapshot(remote: Remote) -> None:
    """Show what is on the host as JSON, without what changes of itself: the same before and after is no change."""
    click.echo(json.dumps(remote.ask("snapshot"), indent=1, sort_keys=True))
