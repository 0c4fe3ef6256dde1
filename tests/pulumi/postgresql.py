"""A PostgreSQL of the system's packages, on loopback, with nothing in it; it ends with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def database(password: str) -> Iterator[str]:
    """The address of an empty database, without the password of its user."""
    found = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    if found is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    commands, account = Path(found).resolve().parent, _account()
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "password").write_text(password)
        for path in (folder, folder / "password"):
            os.chown(path, account.get("user", -1), account.get("group", -1))
        data = folder / "data"
        initdb: list[str | Path] = [
            commands / "initdb",
            "-D",
            data,
            "-U",
            "class",
            "--pwfile",
            folder / "password",
            "-A",
            "scram-sha-256",
        ]
        subprocess.run(
            [*initdb, "--no-sync", "--no-instructions"], cwd=folder, check=True, capture_output=True, **account
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
        pg_ctl: list[str | Path] = [commands / "pg_ctl", "-D", data, "-w", "-s"]
        subprocess.run([*pg_ctl, "-o", options, "-l", folder / "log", "start"], cwd=folder, check=True, **account)
        try:
            yield f"postgres://class@127.0.0.1:{port}/postgres?sslmode=disable"
        finally:
            subprocess.run([*pg_ctl, "-m", "immediate", "stop"], cwd=folder, check=True, **account)


def _account() -> dict[str, Any]:
    """Whom PostgreSQL runs as: it refuses root."""
    if os.getuid() != 0:
        return {}
    names = {user.pw_name: user for user in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
