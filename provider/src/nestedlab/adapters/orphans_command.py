"""The command `nestedlab orphans`: what a stack has on its hosts besides what its state knows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click

from nestedlab.adapters.orphan_report import plain, show, show_list
from nestedlab.adapters.orphan_survey import Result, asked
from nestedlab.adapters.orphan_survey import remove as remove_orphans
from nestedlab.adapters.stack import PulumiStack, project_folder, with_earlier
from nestedlab.connection import connection, hosts
from nestedlab.errors import NestedlabError
from nestedlab.orphans import StackRecord, judge

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


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
            now = pulumi.record()
            remove_orphans(result, configuration, now.has)
    except NestedlabError as error:
        _fail(error, as_json=as_json)
    if as_json:
        click.echo(json.dumps(plain(result), indent=2))
    else:
        show(result, remove=remove)
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
        found = asked([record], to)
        if isinstance(found, str):
            result.errors.append(found)
        else:
            result.add(to.host, judge(record, found, on))
    return result


def _confirmed(result: Result) -> bool:
    show_list(result, result.own, "Will be removed")
    return click.confirm(
        f"Remove them, with all that is on their disks? Be sure that nothing works on {result.stack} now.", err=True
    )
