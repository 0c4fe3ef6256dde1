"""The command `nestedlab orphans`: what a stack has on its hosts besides what its state knows."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import click
from rich.console import Console
from rich.text import Text

from nestedlab.adapters.stack import PulumiStack, project_folder, with_earlier
from nestedlab.connection import Connection, connection, hosts
from nestedlab.errors import NestedlabError
from nestedlab.orphans import Orphan, Orphans, StackRecord, judge, survey
from nestedlab.perform import perform
from nestedlab.provider import Provider
from nestedlab.psrp.sessions import sessions_with

FOUND = 3
"""The exit code if something of the stack is left on a host."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass
class Result:
    """What the command has found, removed, and could not do."""

    stack: str
    own: list[Orphan] = field(default_factory=list)
    doubtful: list[Orphan] = field(default_factory=list)
    loose_disks: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    removed: list[Orphan] = field(default_factory=list)
    hosts: dict[UUID, str] = field(default_factory=dict)
    """The host of each object, by its id."""

    @property
    def left(self) -> list[Orphan]:
        """The stack's own that are still there."""
        return [orphan for orphan in self.own if orphan not in self.removed]

    @property
    def code(self) -> int:
        """The exit code."""
        if self.errors:
            return 1
        return FOUND if self.left or self.doubtful else 0

    def add(self, host: str, found: Orphans) -> None:
        """Take what a host has; an object is counted once, if two names lead to one host."""
        seen = {(orphan.what, orphan.entry.id, orphan.name) for orphan in (*self.own, *self.doubtful)}
        for orphans, known in ((found.own, self.own), (found.doubtful, self.doubtful)):
            known += [orphan for orphan in orphans if (orphan.what, orphan.entry.id, orphan.name) not in seen]
            self.hosts = {**{orphan.entry.id: host for orphan in orphans}, **self.hosts}
        self.loose_disks += [(host, path) for path in found.loose_disks]
        self.notes += [f"{host}: {note}" for note in found.notes]


@click.command()
@click.option("--stack", "-s", default="", metavar="NAME", help="The stack. By default the one that is selected.")
@click.option("--cwd", "-C", default=".", type=_FOLDER, help="The project's folder. By default the current one.")
@click.option("--remove", is_flag=True, help="Remove what is the stack's, after asking.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@click.option(
    "--earlier-state",
    "earlier",
    multiple=True,
    type=_FILE,
    help="A file with an earlier state of this stack: what `pulumi stack export` wrote then (of Pulumi Cloud also now: "
    "`pulumi stack export --version N`), or a .checkpoint.json of .pulumi/history in a backend of files. Its identity, "
    "disks and NAT networks are the stack's too. Can be repeated.",
)
@click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="ID",
    help="An identity that this stack had, as a warning of `pulumi destroy` or this list shows it. Can be repeated.",
)
def orphans(  # noqa: PLR0913 - click gives each option as an argument
    *,
    stack: str,
    cwd: Path,
    remove: bool,
    yes: bool,
    as_json: bool,
    earlier: tuple[Path, ...],
    identities: tuple[str, ...],
) -> None:
    """List what the stack has on its hosts and its state does not know, and remove it with --remove.

    Such objects are left by an `up` that was killed, if `destroy` comes next, and by a `destroy` that was killed, if
    `refresh` comes next. Run it while no other command works on the stack: what an `up` is creating looks the same.

    Hosts, settings and secrets are those of the stack's configuration, read with the Pulumi CLI. A machine or switch is
    the stack's if its notes carry the stack's identity. One that carries the stack's name and an identity that the
    state does not know is listed and never removed: it may be of another state, or of this one before a destroy; name
    its identity with --identity if you know that it is yours. A disk or NAT network is the stack's if an
    --earlier-state has it; other disks of machines that are gone are listed and never removed.

    Exit codes: 0 if nothing of the stack is left, 1 after an error, 2 for a wrong option, 3 if something was found
    (and, with --remove, is still there).
    """
    _refuse_silence(remove=remove, yes=yes, as_json=as_json)
    folder, files = cwd, [file.resolve() for file in earlier]
    try:
        folder = project_folder(cwd)
        pulumi = PulumiStack(folder, stack)
        record = _known(pulumi.record(), files, identities)
        configuration = pulumi.configuration()
        os.chdir(folder)  # from where the paths in the configuration are seen, as in Pulumi's own processes
        result = _surveyed(record, configuration)
        if remove and result.own and (yes or _confirmed(result)):
            _remove(result, configuration, pulumi)
    except NestedlabError as error:
        _fail(error, as_json=as_json)
    if as_json:
        click.echo(json.dumps(_plain(result), indent=2))
    else:
        _show(result, remove=remove)
    sys.exit(result.code)


def _refuse_silence(*, remove: bool, yes: bool, as_json: bool) -> None:
    if remove and not yes and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("--remove asks before it removes, and nobody can answer here: add --yes.")
    if yes and not remove:
        raise click.UsageError("--yes answers what --remove asks: add --remove.")


def _fail(error: NestedlabError, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"errors": [str(error)]}, indent=2))
    else:
        click.echo(f"Error: {error}", err=True)
    sys.exit(1)


def _known(record: StackRecord, files: Sequence[Path], identities: Sequence[str]) -> StackRecord:
    known = with_earlier(record, files)
    return replace(known, identities=known.identities | {*identities})


def _surveyed(record: StackRecord, configuration: Mapping[str, Any]) -> Result:
    result = Result(record.name)
    connections = {on: connection(configuration, os.environ, on) for on in hosts(configuration, os.environ)}
    for on, to in connections.items():
        found = _asked(record, on, to)
        if isinstance(found, Orphans):
            result.add(to.host, found)
        else:
            result.errors.append(found)
    return result


def _asked(record: StackRecord, on: str | None, to: Connection) -> Orphans | str:
    """What a host has; why that is not known, in words, if it is away."""
    try:
        with sessions_with(to).borrow() as runner:
            return judge(record, perform(survey(record), runner, time.sleep), on)
    except (NestedlabError, TimeoutError) as error:
        return f"{to.host}: {error}"


def _confirmed(result: Result) -> bool:
    _list(result, result.own, "Will be removed")
    return click.confirm(
        f"Remove them, with all that is on their disks? Be sure that nothing works on {result.stack} now.", err=True
    )


def _remove(result: Result, configuration: Mapping[str, Any], pulumi: PulumiStack) -> None:
    """Remove what is the stack's, unless its state has got it meanwhile. Machines first: switches are for them."""
    now = pulumi.record()
    provider = Provider(configuration, os.environ, sessions_with, lambda _kind, _owner, text: result.notes.append(text))
    for orphan in sorted(
        result.own, key=lambda orphan: orphan.what not in ("machine", "disks of a machine that is gone")
    ):
        entry = orphan.entry
        if now.has(entry.id):
            result.notes.append(f"{orphan.what} {orphan.name!r} is in the stack's state by now, and stays.")
            continue
        before = len(result.notes)
        try:
            provider.delete(entry.kind, str(entry.id), entry.values)
        except (NestedlabError, TimeoutError) as error:
            result.errors.append(str(error))
        else:
            result.removed += [orphan] if len(result.notes) == before else []


def _show(result: Result, *, remove: bool) -> None:
    _list(result, result.removed, "Removed")
    _list(result, result.left, "Left on the hosts: this stack's, and in no state")
    _list(result, result.doubtful, "May be this stack's: its name, and an identity that its state does not know")
    if result.loose_disks:
        _console().print(
            Text("Disks of machines that are gone, of this stack or another, or kept: not removed", style="bold")
        )
        for host, path in result.loose_disks:
            click.echo(f"  {host}: {path}")
    for note in result.notes:
        click.echo(f"Note: {note}")
    for error in result.errors:
        click.echo(f"Error: {error}", err=True)
    click.echo("\n".join(_remedies(result, remove=remove)))


def _remedies(result: Result, *, remove: bool) -> Iterator[str]:
    if result.left and not remove:
        yield "Run it again with --remove to remove them. If the program still has them, `pulumi up` completes them."
    if result.doubtful:
        yield (
            "If you know that what carries an identity is this stack's, because `pulumi destroy` warned of it or "
            "nobody else has a stack of this name, name it with --identity."
        )
    if not (result.left or result.doubtful or result.errors):
        yield f"Nothing of {result.stack} is left on its hosts that its state does not know."


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False)


def _list(result: Result, found: Sequence[Orphan], title: str) -> None:
    """Show them a line each, with ids and paths that can be copied."""
    if not found:
        return
    console = _console()
    console.print(Text(title, style="bold"))
    for orphan in found:
        host = result.hosts[orphan.entry.id]
        console.print(Text(f"  {orphan.what} {orphan.name!r} ({orphan.entry.id}) on {host}"))
        console.print(Text(f"    owner {orphan.owner}, identity {orphan.identity or 'none'}", style="dim"))
        for path in orphan.files:
            console.print(Text(f"    disk {path}", style="dim"))


def _row(result: Result, orphan: Orphan) -> dict[str, Any]:
    return {
        "what": orphan.what,
        "name": orphan.name,
        "id": str(orphan.entry.id),
        "owner": orphan.owner,
        "identity": orphan.identity,
        "host": result.hosts[orphan.entry.id],
        "disks": list(orphan.files),
    }


def _plain(result: Result) -> dict[str, Any]:
    return {
        "stack": result.stack,
        "orphans": [_row(result, orphan) for orphan in result.left],
        "removed": [_row(result, orphan) for orphan in result.removed],
        "doubtful": [_row(result, orphan) for orphan in result.doubtful],
        "looseDisks": [{"host": host, "path": path} for host, path in result.loose_disks],
        "notes": result.notes,
        "errors": result.errors,
    }
