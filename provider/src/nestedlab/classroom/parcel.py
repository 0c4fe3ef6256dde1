"""What travels to a worker of a cluster and back, as plain values: no path of one machine means anything on another."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nestedlab.classroom import whole_file, work_folder
from nestedlab.classroom.project import change_options
from nestedlab.classroom.work import Operation, Outcome, Place, Work
from nestedlab.connection import NAMESPACE
from nestedlab.errors import ConfigurationError

_FILES_OF_A_CONNECTION = ("caBundle", "certificate", "certificateKey")
"""The settings that name files, which travel with the program."""

_CONNECTION = "connection"
"""The folder that they are in, in the work folder."""

_MIB_AT_MOST = 64

_PASSPHRASE, _PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"
_VARIABLES = (_PASSPHRASE, "PULUMI_ACCESS_TOKEN")
_OF_BACKENDS = ("ARM_", "AWS_", "AZURE_", "GOOGLE_", "PG", "VAULT_")
"""How the environment variables begin that backends and secrets providers read."""


class Sealed:
    """Bytes that no log and no error shows."""

    def __init__(self, content: object) -> None:
        self._content = pickle.dumps(content)

    def __repr__(self) -> str:
        return "Sealed()"

    def open(self) -> Any:
        """What is in it."""
        return pickle.loads(self._content)  # noqa: S301 - of a peer that is let run anything


@dataclass(frozen=True)
class Holder:
    """A worker that was lost in the middle, and is known to have stopped: its lock may be taken."""

    host: str
    """The machine's name, as a lock has it."""
    began: float
    """When the work began, on that machine's clock, in seconds since 1970."""


@dataclass(frozen=True)
class Parcel:
    """A work with all that it takes."""

    operation: Operation
    stack: str
    project: str
    parent: str
    secrets_provider: str
    parallel: int | None
    keeps_log: bool
    applies: bool
    """Whether the program is to be applied as it is now."""
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    backend: str = field(repr=False)
    """Its address, which may have a password in it."""
    variables: Mapping[str, str] = field(repr=False)
    """Environment variables: the passphrase, the secret settings, the backend's credentials."""
    folder: bytes | None = field(repr=False)
    """The work folder, packed; None if there is none."""
    plan: bytes | None = field(repr=False, default=None)
    """The saved plan to keep to."""
    saves_plan: bool = False
    lost: tuple[Holder, ...] = ()
    """Who has begun this work before."""


@dataclass(frozen=True)
class Returned:
    """What came of a parcel."""

    outcome: Outcome
    log: str = field(repr=False, default="")
    settings: bytes | None = field(repr=False, default=None)
    """The stack's configuration; None if it is gone. A passphrase's salt is in it: without it nothing opens."""
    plan: bytes | None = field(repr=False, default=None)


def packed(work: Work) -> Parcel:
    """The parcel of a work. Its work folder here becomes what travels, and keeps what was last applied."""
    place, settings = work.place, dict(work.settings)
    if work.program is not None:
        work_folder.lay_out(work.program, place)
        settings = _with_files(settings, place.folder)
    saves_plan = work.plan is not None and work.operation is Operation.PLAN
    return Parcel(
        operation=work.operation,
        stack=place.stack,
        project=place.project,
        parent=work.parent,
        secrets_provider=place.secrets_provider,
        parallel=place.parallel,
        keeps_log=str(place.log) != os.devnull,
        applies=work.program is not None,
        settings=settings,
        secrets=work.secrets,
        backend=place.backend,
        variables=_variables(work, os.environ),
        folder=_pack(place.folder) if place.folder.is_dir() else None,
        plan=work.plan.read_bytes() if work.plan is not None and not saves_plan else None,
        saves_plan=saves_plan,
    )


def _with_files(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The settings, with the files that they name beside the program: the provider sees paths from there."""
    found = dict(settings)
    for name in _FILES_OF_A_CONNECTION:
        key = f"{NAMESPACE}:{name}"
        if found.get(key) is not None:
            copy = folder / _CONNECTION / f"{name}.pem"
            copy.parent.mkdir(mode=0o700, exist_ok=True)
            shutil.copyfile(found[key], copy)
            copy.chmod(0o600)
            found[key] = f"{_CONNECTION}/{name}.pem"
    return found


def _variables(work: Work, environment: Mapping[str, str]) -> dict[str, str]:
    names = {*_VARIABLES, *work.secrets.values()}
    found = {name: value for name, value in environment.items() if name in names or name.startswith(_OF_BACKENDS)}
    if _PASSPHRASE not in found and (file := environment.get(_PASSPHRASE_FILE)):
        found[_PASSPHRASE] = Path(file).read_text(encoding="utf-8").strip()
    return found


def _pack(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        tar.add(folder, arcname=".", filter=lambda file: None if work_folder.is_left_out(file.name) else file)
    if packed.tell() > _MIB_AT_MOST * 2**20:
        raise ConfigurationError(
            f"the lab program in {folder} is packed {packed.tell() // 2**20} MiB, and it travels to the workers for "
            f"each student: {_MIB_AT_MOST} MiB at most. Keep images and other large files elsewhere."
        )
    return packed.getvalue()


def unpacked(parcel: Parcel, root: Path) -> Work:
    """The work of a parcel, laid out in an empty folder of this machine."""
    folder = root / "work" / parcel.stack
    if parcel.folder is not None:
        folder.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(parcel.folder)) as tar:
            tar.extractall(folder, filter="data")
        # By the Python of PATH: the client's virtual environment is not here.
        change_options(folder, lambda options: _without(options, "toolchain", "virtualenv"))
    plan = root / "plan.json" if parcel.plan is not None or parcel.saves_plan else None
    if plan is not None and parcel.plan is not None:
        plan.write_bytes(parcel.plan)
    place = Place(
        stack=parcel.stack,
        project=parcel.project,
        folder=folder,
        backend=parcel.backend,
        secrets_provider=parcel.secrets_provider,
        log=root / "log" if parcel.keeps_log else Path(os.devnull),
        parallel=parcel.parallel,
    )
    program = folder if parcel.applies else None
    return Work(parcel.operation, place, parcel.parent, program, parcel.settings, parcel.secrets, plan)


def _without(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


def returned(work: Work, outcome: Outcome) -> Returned:
    """What travels back from where the work was done."""
    log = work.place.log
    return Returned(
        replace(outcome, log=""),
        log=log.read_text(encoding="utf-8", errors="replace") if log.is_file() else "",
        settings=_read(work.place.settings),
        plan=_read(work.plan) if work.plan is not None and work.operation is Operation.PLAN else None,
    )


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def received(work: Work, found: Returned) -> Outcome:
    """The outcome, once what has travelled back is in its place here."""
    place = work.place
    place.log.parent.mkdir(parents=True, exist_ok=True)
    with place.log.open("a", encoding="utf-8") as log:
        log.write(found.log)
    if work.operation is Operation.DOWN and found.outcome.ok:
        work_folder.remove(place.folder)
    elif found.settings is not None:
        whole_file.replace(place.settings, found.settings)
    if work.plan is not None and found.plan is not None:
        whole_file.replace(work.plan, found.plan)
    return replace(found.outcome, log=str(place.log))
