"""How orphans are shown: to people, and to other programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from nestedlab.adapters.orphan_survey import Result
from nestedlab.orphans import Orphan


def show(result: Result, *, remove: bool) -> None:
    """Show what was found, and what to do about it."""
    show_list(result, result.removed, "Removed")
    show_list(result, result.left, "Left on the hosts: this stack's, and in no state")
    show_list(result, result.doubtful, "May be this stack's: its name, and an identity that its state does not know")
    show_rest("this stack", result.loose_disks, result.notes, result.errors)
    click.echo("\n".join(_remedies(result, remove=remove)))


def show_rest(whose: str, loose_disks: Sequence[tuple[str, str]], notes: Sequence[str], errors: Sequence[str]) -> None:
    """Show what is nobody's for sure: disks with the host that has each, notes, and errors."""
    if loose_disks:
        text = f"Disks of machines that are gone, of {whose} or another, or kept: not removed"
        _console().print(Text(text, style="bold"))
    for host, path in loose_disks:
        click.echo(f"  {host}: {path}")
    for note in notes:
        click.echo(f"Note: {note}")
    for error in errors:
        click.echo(f"Error: {error}", err=True)


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


def show_list(result: Result, found: Sequence[Orphan], title: str) -> None:
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


def plain(result: Result) -> dict[str, Any]:
    """What was found, for other programs."""
    return {
        "stack": result.stack,
        "orphans": [_row(result, orphan) for orphan in result.left],
        "removed": [_row(result, orphan) for orphan in result.removed],
        "doubtful": [_row(result, orphan) for orphan in result.doubtful],
        "looseDisks": [{"host": host, "path": path} for host, path in result.loose_disks],
        "notes": result.notes,
        "errors": result.errors,
    }
