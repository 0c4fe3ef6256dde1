"""A course in a folder, and what `nestedlab class` does with it: each command is a process of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.conftest import PASSWORD
from tests.pulumi.commands import NESTEDLAB, run_nestedlab


@dataclass
class Ran:
    """What a command did."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """What it answered with --json."""
        return dict(json.loads(self.stdout))

    @property
    def students(self) -> dict[str, dict[str, Any]]:
        """The answer's rows, by student."""
        return {row.get("student") or row["id"]: row for row in self.json["students"]}

    @property
    def failed(self) -> list[str]:
        """The students for whom it failed."""
        return [student for student, row in self.students.items() if not row["ok"]]


@dataclass
class Class:
    """A course in a folder."""

    folder: Path
    environment: dict[str, str]

    def write(self, **keys: Any) -> None:
        """Write the course file, or change keys of it."""
        path = self.folder / "course.yaml"
        course = yaml.safe_load(path.read_text()) if path.exists() else {}
        path.write_text(yaml.safe_dump({**course, **keys}, sort_keys=False))

    def run(self, *arguments: str, code: int = 0) -> Ran:
        """Run a command, and check its exit code."""
        done = run_nestedlab("class", *arguments, folder=self.folder, environment=self.environment, code=code)
        assert PASSWORD not in done.stdout + done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command."""
        return subprocess.Popen(
            [*NESTEDLAB, "class", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
