"""A class on a Dask cluster: a scheduler and two workers with TLS, and PostgreSQL for the states."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from tests.conftest import PASSWORD, NewParent
from tests.core.courses import course_in
from tests.pulumi.dask_cluster import dask_cluster, lose
from tests.pulumi.postgresql import database

PROGRAM = """\
import pulumi_nestedlab as lab

lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=40))
"""
PASSPHRASE, OF_DATABASE = "Also-Not-To-Be-Seen-4712", "Nor-This-4713"
HELD = 120
"""Seconds for which the host holds its answer back, at most: until the worker that waits for it has been killed."""
SECONDS_AT_MOST = 150


def test_what_a_lost_worker_had_is_done_by_another_and_nothing_is_made_twice(
    new_parent: NewParent, pulumi_environment: dict[str, str], tmp_path: Path
) -> None:
    parent = new_parent(tls=True)
    before = parent.snapshot()
    # What only the client knows has to travel.
    of_workers = dict(pulumi_environment)
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL"):
        del of_workers[name]
    of_client = {
        **of_workers,
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "NESTEDLAB_PASSWORD": PASSWORD,
        "PGPASSWORD": OF_DATABASE,
    }
    with database(OF_DATABASE) as backend, dask_cluster(tmp_path / "cluster", of_workers, workers=2) as cluster:
        (tmp_path / "course").mkdir()
        course = {
            "name": "basics",
            "program": "lab",
            "parents": {
                "hv01": {
                    "address": parent.server.url,
                    "username": parent.server.username,
                    "caBundle": str(parent.server.ca_bundle),
                    "memoryGib": 64,
                }
            },
            "pool": "10.9.0.0/16",
            "roster": "students.csv",
            "seat": {"memoryGib": 4},
            "backend": backend,
        }
        file = course_in(tmp_path / "course", yaml.safe_dump(course), program=PROGRAM)

        def run(command: str, *options: str) -> Mapping[str, Any]:
            words = ["-m", "nestedlab", "class", command, f"--course={file}", "--json", *cluster.options, *options]
            done = subprocess.run(
                [sys.executable, *words],
                env=of_client,
                capture_output=True,
                text=True,
                timeout=SECONDS_AT_MOST,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr + cluster.printed
            for secret in (PASSWORD, PASSPHRASE, OF_DATABASE):
                assert secret not in done.stdout + done.stderr + cluster.printed
            return {one["student"]: one for one in json.loads(done.stdout)["students"]}

        held = parent.server.arm(f"stall={HELD} Receive#12")
        with ThreadPoolExecutor(1) as client:
            up = client.submit(run, "up")
            # The other student's worker gets through; this one waits for the host.
            while not (held.fired and len(cluster.busy()) == 1):
                assert not up.done(), up.result()
                time.sleep(0.1)
            (worker,) = cluster.busy()
            lose(worker)
            students = up.result()
        parent.server.arm()
        assert students.keys() == {"ada", "bob"}
        taken = [note for one in students.values() for note in one["notes"] if "Its lock was released" in note]
        assert len(taken) == 1
        assert sorted(parent.machines) == ["hv1-ada", "hv1-bob"]

        assert run("down", "--yes").keys() == {"ada", "bob"}
        assert parent.snapshot() == before
