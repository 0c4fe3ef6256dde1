"""`nestedlab` as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

NESTEDLAB = (sys.executable, "-m", "nestedlab")


def run_nestedlab(
    *arguments: str, folder: Path, environment: Mapping[str, str], code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with nobody to answer it, and check its exit code."""
    done = subprocess.run(
        [*NESTEDLAB, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done
