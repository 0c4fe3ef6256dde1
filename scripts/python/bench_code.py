"""The code that is measured: this checkout's, and that of an earlier commit besides."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pulumi_cli

SOURCES = ("provider/src", "sdk/python/src")


@dataclass(frozen=True)
class Code:
    """A checkout whose packages processes are to import, whatever is installed."""

    name: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process's environment needs: PYTHONPATH goes before the packages that are installed in place."""
        return {"PYTHONPATH": os.pathsep.join(str(self.folder / source) for source in SOURCES)}


PRESENT = Code("this checkout", pulumi_cli.CHECKOUT)


@contextmanager
def beside(commit: str | None) -> Iterator[list[Code]]:
    """This checkout's code; if a commit is named, before it the commit's code, in a work tree of its own."""
    if commit is None:
        yield [PRESENT]
        return
    with tempfile.TemporaryDirectory(prefix="nestedlab-bench-") as parent:
        folder = Path(parent, "checkout")
        _git("worktree", "add", "--detach", "--quiet", str(folder), commit)
        try:
            yield [Code(_git("rev-parse", "--short", "HEAD", folder=folder), folder), PRESENT]
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str, folder: Path = pulumi_cli.CHECKOUT) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()
