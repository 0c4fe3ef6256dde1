"""A class on a cluster, as far as it takes no cluster: what is refused, what travels, and what is done about a loss."""

from __future__ import annotations

import base64
import io
import os
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from click.testing import CliRunner
from semver import VersionInfo
from tests.core import courses

from nestedlab.__main__ import main
from nestedlab.classroom import cluster_crew, cluster_worker, locks, marks, parcel
from nestedlab.classroom.automation import Cli
from nestedlab.classroom.cluster import Cluster, SilentError
from nestedlab.classroom.cluster_address import ClusterAddress
from nestedlab.classroom.cluster_crew import ClusterCrew
from nestedlab.classroom.cluster_work import _left_by
from nestedlab.classroom.cluster_worker import Equipment, Look
from nestedlab.classroom.hands import of_cluster
from nestedlab.classroom.lease import SECONDS_OF_A_LEASE, clock
from nestedlab.classroom.parcel import Holder, Parcel, Returned, Sealed
from nestedlab.classroom.processes import Processes
from nestedlab.classroom.work import Operation, Outcome, Place, Work
from nestedlab.errors import ConfigurationError, UnreachableError

SECRET = "Not-To-Be-Seen-4714"


def work_in(folder: Path, **more: Any) -> Work:
    place = Place("ada", "lab", folder / "work/ada", "postgres://c/d", "passphrase", folder / "log")
    return Work(Operation.UP, place, "hv01", **more)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    (folder / ".venv").mkdir(parents=True)
    (folder / ".venv/pyvenv.cfg").touch()
    options = {"virtualenv": ".venv", "toolchain": "pip", "typechecker": "mypy"}
    (folder / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "lab", "runtime": {"name": "python", "options": options}})
    )
    (folder / "__main__.py").touch()
    (folder / "Pulumi.dev.yaml").touch()
    return folder


@pytest.mark.parametrize(
    ("options", "backend", "told"),
    [
        (["--cluster=tcp://c:8786"], "postgres://c/d", "only TLS is accepted"),
        (["--cluster=c:8786"], "postgres://c/d", "tls://HOST:PORT"),
        (["--cluster=tls://c:8786"], None, "such as postgres://"),
        (["--cluster=tls://c:8786"], "file:///states", "such as postgres://"),
    ],
)
def test_what_would_not_work_on_a_cluster_is_refused_before_anything_is_recorded(
    options: list[str], backend: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", SECRET)
    file = courses.course_in(tmp_path, courses.COURSE + (f"backend: {backend}\n" if backend else ""))
    done = CliRunner().invoke(main, ["class", "up", f"--course={file}", *options])
    assert done.exit_code == 1
    assert told in done.stderr
    assert not (tmp_path / "course.seats.yaml").exists()


def test_without_distributed_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "nestedlab.classroom.cluster")
    monkeypatch.delitem(sys.modules, "nestedlab.classroom.cluster_crew")
    with (
        pytest.raises(ConfigurationError, match=r"pip install 'nestedlab\[cluster\]'"),
        of_cluster(ClusterAddress("tls://c:8786"), Processes()),
    ):
        pass


def test_a_cluster_needs_an_authority_to_trust() -> None:
    with pytest.raises(UnreachableError, match="--cluster-ca"), Cluster(ClusterAddress("tls://127.0.0.1:1")):
        pass


def test_what_travels_is_whole_and_shows_no_secret(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passphrase").write_text(f"{SECRET}\n")
    (tmp_path / "ca.pem").write_text("CA")
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OF_HV01", "PGPASSWORD", "OTHER"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    settings = {"nestedlab:caBundle": str(tmp_path / "ca.pem"), "nestedlab:stopped": None}
    work = work_in(tmp_path, program=program, settings=settings, secrets={"nestedlab:password": "OF_HV01"})
    work.place.folder.mkdir(parents=True)
    (work.place.folder / "Pulumi.ada.yaml").write_text("encryptionsalt: v1\n")

    sent = parcel.packed(work)
    wanted = {"OF_HV01", "PGPASSWORD", "PULUMI_CONFIG_PASSPHRASE"}
    assert {name for name in sent.variables if sent.variables[name] == SECRET} == wanted
    assert SECRET not in repr(sent) + repr(Sealed(sent))

    (tmp_path / "there").mkdir()
    there = parcel.unpacked(Sealed(sent).open(), tmp_path / "there")
    assert there.settings == {"nestedlab:caBundle": "connection/caBundle.pem", "nestedlab:stopped": None}
    assert (there.place.folder / "connection/caBundle.pem").read_text() == "CA"
    assert (there.place.folder / "Pulumi.ada.yaml").read_text() == "encryptionsalt: v1\n"
    assert not (there.place.folder / "Pulumi.dev.yaml").exists()
    assert not (there.place.folder / ".venv").exists()
    runtime = yaml.safe_load((there.place.folder / "Pulumi.yaml").read_text())["runtime"]
    assert runtime == {"name": "python", "options": {"typechecker": "mypy"}}

    (there.place.folder / "Pulumi.ada.yaml").write_text("encryptionsalt: v2\n")
    there.place.log.write_text("printed\n")
    back = parcel.returned(there, Outcome("ada", Operation.UP, log=str(there.place.log)))
    assert parcel.received(work, back).log == str(work.place.log)
    assert work.place.log.read_text() == "printed\n"
    assert (work.place.folder / "Pulumi.ada.yaml").read_text() == "encryptionsalt: v2\n"


def test_a_saved_plan_travels_there_and_back(program: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    planning = replace(work_in(tmp_path, program=program, plan=plan), operation=Operation.PLAN)
    (tmp_path / "there").mkdir()
    there = parcel.unpacked(parcel.packed(planning), tmp_path / "there")
    assert there.plan is not None
    there.plan.write_text("{}")
    parcel.received(planning, parcel.returned(there, Outcome("ada", Operation.PLAN)))
    assert plan.read_text() == "{}"
    sent = parcel.packed(replace(planning, operation=Operation.UP))
    assert (sent.plan, sent.saves_plan) == (b"{}", False)


def test_after_a_down_the_work_folder_is_gone_here_too(program: Path, tmp_path: Path) -> None:
    work = replace(work_in(tmp_path), operation=Operation.DOWN)
    work.place.folder.mkdir(parents=True)
    parcel.received(work, Returned(Outcome("ada", Operation.DOWN, error="away")))
    assert work.place.folder.exists()
    parcel.received(work, Returned(Outcome("ada", Operation.DOWN)))
    assert not work.place.folder.exists()


def test_a_program_that_is_too_large_to_travel_is_refused(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcel, "_MIB_AT_MOST", 0)
    with pytest.raises(ConfigurationError, match="Keep images and other large files elsewhere"):
        parcel.packed(work_in(tmp_path, program=program))


def test_a_lock_is_taken_only_from_the_lost_worker() -> None:
    lost = Holder("w1", began=1_800_000_000.7)
    lock = locks.Lock("root", "w1", 12, "2027-01-15T08:00:00Z")
    assert lock.taken == int(lost.began)
    assert _left_by(lock, lost)
    assert not _left_by(replace(lock, since="2027-01-15T07:59:59Z"), lost)
    assert not _left_by(replace(lock, host="w2"), lost)
    text = f"the stack is {lock}. Wait until that command has ended"
    assert list(locks.said(text)) == [lock]


@dataclass
class FakeCluster:
    """Workers that are lost as a test says, and otherwise do what they get at once."""

    losses: list[str]
    """Workers that die once they have begun something."""
    workers: dict[str, str | None]
    """The machines that the workers are on."""
    equipment: Callable[[str, str | None], Equipment]
    given: list[tuple[str, Parcel]] = field(default_factory=list)
    asked_whether_over: list[str] = field(default_factory=list)

    def members(self) -> Mapping[str, int]:
        return dict.fromkeys(self.workers, 1)

    def call(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Any:
        if function is cluster_worker.equipment:
            return self.equipment(worker, self.workers[worker])
        if function is cluster_worker.start:
            self.given.append((worker, arguments[0].open()))
            if worker in self.losses:
                self.losses.remove(worker)
                del self.workers[worker]
                raise SilentError(worker)
            return True
        if function is cluster_worker.look:
            return Look("", 0, Sealed(Returned(Outcome("ada", Operation.UP), settings=b"salt")))
        if function is cluster_worker.is_over:
            self.asked_whether_over.append(worker)
            return True
        return None


def equipped(worker: str, machine: str | None, **more: Any) -> Equipment:
    return Equipment(worker, worker, machine, 1, 1, cluster_crew._VERSION, **more)


def done(cluster: FakeCluster, work: Work) -> Outcome:
    work.place.folder.mkdir(parents=True, exist_ok=True)
    crew = ClusterCrew(cluster, Processes())  # type: ignore[arg-type]
    assert crew.workers(None) == len(cluster.workers)
    return crew.carry_out(work, lambda _student, _text: None)


def test_a_neighbour_that_sees_nothing_of_a_lost_work_lets_another_begin_at_once(tmp_path: Path) -> None:
    cluster = FakeCluster(["w1"], {"w1": "m1", "w2": "m1"}, equipped)
    outcome = done(cluster, work_in(tmp_path))
    assert outcome.ok
    assert [worker for worker, _ in cluster.given] == ["w1", "w2"]
    assert cluster.asked_whether_over == ["w2"]
    assert [holder.host for holder in cluster.given[1][1].lost] == ["w1"]
    assert (tmp_path / "work/ada/Pulumi.ada.yaml").read_bytes() == b"salt"


def test_nobody_of_another_machine_is_asked_and_the_work_waits_until_its_time_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_crew, "SECONDS_UNTIL_DEAD", 0.6)
    cluster = FakeCluster(["w1"], {"w1": "m1", "w2": "m2"}, equipped)
    outcome = done(cluster, work_in(tmp_path))
    assert outcome.ok
    assert outcome.seconds > 0.5
    assert cluster.asked_whether_over == []


def test_a_work_that_loses_each_worker_is_given_up(tmp_path: Path) -> None:
    workers: dict[str, str | None] = dict.fromkeys(("w1", "w2", "w3", "w4"), "m1")
    cluster = FakeCluster([*workers], workers, equipped)
    outcome = done(cluster, work_in(tmp_path))
    assert "3 workers died" in outcome.error
    assert [*cluster.workers] == ["w4"]


def _without_nestedlab(worker: str, machine: str | None) -> Equipment:
    raise ModuleNotFoundError("No module named 'nestedlab'", name="nestedlab")


@pytest.mark.parametrize(
    ("equipment", "told"),
    [
        (_without_nestedlab, "w1 of the cluster lacks nestedlab"),
        (lambda *of: equipped(*of, missing="there is no Pulumi CLI on PATH"), "there is no Pulumi CLI on PATH"),
        (lambda *of: replace(equipped(*of), version="0.0.1"), "has nestedlab 0.0.1"),
    ],
)
def test_a_worker_that_lacks_something_is_named_before_anything_begins(
    equipment: Callable[[str, str | None], Equipment], told: str
) -> None:
    cluster = FakeCluster([], {"w1": "m1"}, equipment)
    with pytest.raises(ConfigurationError, match=told):
        ClusterCrew(cluster, Processes()).workers(None)  # type: ignore[arg-type]


FAKE_PULUMI = """#!/bin/sh
trap 'echo interrupted >> "{notes}"' INT
echo begun >> "{notes}"
while true; do sleep 0.2; done
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the CLI is a shell script")
@pytest.mark.parametrize("why", ["the worker has died", "nobody confirms it"])
def test_a_work_ends_with_all_that_it_has_started_if_it_may_not_go_on(
    why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, bin_folder = tmp_path / "notes", tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "pulumi").write_text(FAKE_PULUMI.format(notes=notes))
    (bin_folder / "pulumi").chmod(0o755)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        file = tarfile.TarInfo("Pulumi.yaml")
        content = b"name: lab\nruntime: python\n"
        file.size = len(content)
        tar.addfile(file, io.BytesIO(content))
    status = replace(parcel.packed(work_in(tmp_path)), operation=Operation.STATUS, folder=packed.getvalue())
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", marks.MARK: "of-a-test"}
    # At once, and not after a minute: what the interruption does not end is killed.
    begun = "from nestedlab.classroom import cluster_work as it; it.SECONDS_TO_END = 0.5; it.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", begun], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii"
    )
    assert process.stdin is not None
    print(
        base64.b64encode(pickle.dumps((status, Cli(VersionInfo(3))))).decode(),
        clock(),
        sep="\n",
        file=process.stdin,
        flush=True,
    )
    end = clock() + 60
    while not notes.exists():
        assert clock() < end
    assert [one.pid for one in marks.running("of-a-test")]
    if why == "the worker has died":
        process.stdin.close()
    else:
        print(clock() - SECONDS_OF_A_LEASE, file=process.stdin, flush=True)
    process.wait(60)  # it ends by itself, or by its watcher
    assert notes.read_text() == "begun\ninterrupted\n"
    assert not marks.folder("of-a-test").exists()
    psutil.wait_procs(list(marks.running("of-a-test")), 5)
    assert cluster_worker.is_over("of-a-test", process.pid)
