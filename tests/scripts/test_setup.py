"""scripts/setup with something missing on the machine: it reports what, and the remedy, and changes nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest
from pulumi_cli import CHECKOUT

OLD = 'case "$2" in *ensurepip*) exit 1;; *) echo " 3.8";; esac'
WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; *) echo " 3.11";; esac'


def set_up_with(folder: Path, python3: str | None) -> "subprocess.CompletedProcess[str]":
    """Run a copy of the script with nothing on PATH except what it needs, and perhaps this `python3`."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("bash", "cat", "cksum", "dirname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    if python3:
        (programs / "python3").write_text(f"#!{shutil.which('bash')}\n{python3}\n")
        (programs / "python3").chmod(0o755)
    (folder / "scripts").mkdir()
    copy = shutil.copy(CHECKOUT / "scripts/setup", folder / "scripts/setup")
    return subprocess.run([copy], env={"PATH": str(programs)}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("python3", "says"),
    [
        (None, "no python3 is on PATH; install it"),
        (OLD, "found only: 3.8; install a newer one"),
        (WITHOUT_VENV, "sudo apt install python3-venv"),
    ],
)
def test_without_a_fitting_python_the_remedy_is_told(tmp_path: Path, python3: str | None, says: str) -> None:
    done = set_up_with(tmp_path, python3)
    assert done.returncode == 1
    assert says in done.stderr
    assert not (tmp_path / ".venv").exists()
