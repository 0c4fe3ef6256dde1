"""Tables: drawn on a terminal, and in aligned columns, whole, everywhere else."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Show a table; columns that are empty in every row are left out."""
    kept = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    head = [columns[place] for place in kept]
    body = [[row[place] for place in kept] for row in rows]
    console = Console(highlight=False)
    if console.is_terminal:
        table = Table(title=title or None, title_justify="left", title_style="bold")
        for name in head:
            table.add_column(name, overflow="fold")
        for row in body:
            table.add_row(*map(Text, row))  # a name in brackets is no markup
        console.print(table)
        return
    widths = [max(len(row[place]) for row in [head, *body]) for place in range(len(head))]
    if title:
        click.echo(title)
    for row in [head, *body]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
