"""The pinned packages as wheels, in the cache: pip reads the index of each package otherwise, in every new .venv.

`python wheels.py` runs in a .venv that has pip and nothing else, and prints the folder that has them.
"""

import hashlib
import subprocess
import sys
import sysconfig
from pathlib import Path

import cache

PINS = Path(__file__).parents[2] / "requirements/dev.txt"


def name() -> str:
    """Return the name of the cache's folder: other pins, another Python or another machine is another folder."""
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()
    return f"wheels-{sysconfig.get_platform()}-{sys.implementation.cache_tag}-{pins[:12]}"


def download(folder: Path) -> None:
    """Get the wheels; hashes are checked as they are when they are installed."""
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
    subprocess.run([*pip, "--requirement", PINS, "--dest", folder], check=True)


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{cache.get(name(), download)}\n")
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)  # pip has said why
