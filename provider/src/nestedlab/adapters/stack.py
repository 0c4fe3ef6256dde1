"""A stack's state and configuration, as Pulumi's own CLI gives them: it finds the backend and opens the secrets.

Nothing secret is in an argument, and what the CLI prints of the configuration is in no message.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from nestedlab.adapters.urns import type_of
from nestedlab.adapters.wire import from_wire
from nestedlab.connection import SETTINGS
from nestedlab.declare import Resource
from nestedlab.errors import ConfigurationError, NestedlabError
from nestedlab.orphans import Entry, StackRecord
from nestedlab.provider import KINDS

_IDENTITY = type_of("StackIdentity")
_KINDS: Mapping[str, type[Resource]] = {type_of(kind.__name__): kind for kind in KINDS}

_SEALED = "4dabf18193072939515e22adb298388d"
"""The key that marks a sealed secret in a state, in place of its value (Pulumi's resource.SigKey)."""


class PulumiError(NestedlabError):
    """The Pulumi CLI is missing, or a command of it failed; the text has its own reason."""


@dataclass(frozen=True)
class PulumiStack:
    """A stack of the project in `folder`; "" is the one that is selected there."""

    folder: Path
    stack: str = ""

    def record(self) -> StackRecord:
        """What the stack's state has. Without its secrets: no id, file or identity is one."""
        return self.record_of(*self.names())

    def record_of(self, project: str, name: str) -> StackRecord:
        """The same of a stack whose names are known."""
        return recorded(StackRecord(project, name), self.deployment())

    def names(self) -> tuple[str, str]:
        """The names of the project and of the stack."""
        qualified = self._run("stack", "--show-name", "--fully-qualify-stack-names").strip()
        *_, project, name = ["", *qualified.split("/")]
        return project or self._project(), name

    def deployment(self) -> dict[str, Any]:
        """The stack's state, secrets sealed: empty if nothing was ever made."""
        return dict(json.loads(self._run("stack", "export")).get("deployment") or {})

    def configuration(self) -> dict[str, Any]:
        """The stack's settings of nestedlab, secrets in clear."""
        shown = json.loads(self._run("config", "--json", "--show-secrets") or "{}")
        return {key: shown[key]["value"] for key in SETTINGS if shown.get(key, {}).get("value") is not None}

    def _project(self) -> str:
        """The project's name, for a backend of files of an old layout, whose stacks do not have it in their names."""
        projects = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in self.folder.glob("Pulumi.y*ml"))
        name = next((project["name"] for project in projects if isinstance(project, dict) and "name" in project), None)
        if name is None:
            raise ConfigurationError(f"the Pulumi.yaml in {self.folder} has no name. Give the project one.")
        return str(name)

    def _run(self, *arguments: str) -> str:
        pulumi = shutil.which("pulumi")
        if pulumi is None:
            raise PulumiError(
                "there is no Pulumi CLI on PATH. Install it (https://www.pulumi.com/docs/install/), or activate the "
                "environment that has it."
            )
        named = ["--stack", self.stack] if self.stack else []
        command = [pulumi, *arguments, *named, "--non-interactive", "--color", "never"]
        done = subprocess.run(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            reason = done.stderr.strip().removeprefix("error: ")
            raise PulumiError(f"`pulumi {' '.join([*arguments, *named])}` failed in {self.folder}: {reason}")
        return done.stdout


def project_folder(start: Path) -> Path:
    """The folder of the project that a folder is in, which paths in its configuration are seen from."""
    folders = [start.resolve(), *start.resolve().parents]
    found = [folder for folder in folders if any((folder / f"Pulumi.{end}").exists() for end in ("yaml", "yml"))]
    if not found:
        raise ConfigurationError(
            f"there is no Pulumi.yaml in {start} or above it. Run this in the project's folder, or name it with --cwd."
        )
    return found[0]


def with_earlier(record: StackRecord, files: Iterable[Path]) -> StackRecord:
    """The record with what earlier states of the same stack had, from exports or files of a backend."""
    for file in files:
        resources = _deployment(file)
        for resource in resources.get("resources") or ():
            _refuse_another_stack(record, str(resource.get("urn")), file)
        earlier = recorded(StackRecord(record.project, record.stack), resources)
        record = replace(
            record,
            identities=record.identities | earlier.identities,
            earlier=(*record.earlier, *earlier.entries),
        )
    return record


def _deployment(file: Path) -> dict[str, Any]:
    """What `pulumi stack export` has written, or a backend of files: in .pulumi/history, backups and stacks."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        found = content["deployment"] if "deployment" in content else content["checkpoint"]["latest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{file} is no state of a stack ({type(error).__name__}). Take what `pulumi stack export` wrote earlier, "
            "or, of a backend of files, a .checkpoint.json of .pulumi/history."
        ) from error
    return dict(found or {})


def _refuse_another_stack(record: StackRecord, urn: str, file: Path) -> None:
    stack, project = urn.removeprefix("urn:pulumi:").split("::")[:2]
    if (project, stack) != (record.project, record.stack):
        raise ConfigurationError(
            f"{file} is a state of {project}/{stack}, not of {record.name}. Take an earlier state of this stack."
        )


def recorded(record: StackRecord, deployment: Mapping[str, Any]) -> StackRecord:
    """The record with what a deployment has, as `pulumi stack export` gives it."""
    resources = list(deployment.get("resources") or ())
    pending = [operation["resource"] for operation in deployment.get("pending_operations") or ()]
    identities = {identity for resource in (*resources, *pending) for identity in _identities(resource)}
    entries = tuple(entry for resource in (*resources, *pending) for entry in _entries(resource))
    return replace(record, identities=record.identities | identities, entries=entries)


def _identities(resource: Mapping[str, Any]) -> Iterator[str]:
    """The identities that a resource carries: the stack's own, or the one that a machine or switch is marked with."""
    outputs, inputs = resource.get("outputs") or {}, resource.get("inputs") or {}
    kind = _declared(resource)
    found = [outputs.get("identity")] if kind == _IDENTITY else []
    found += [inputs.get("stackId"), outputs.get("stackId")] if kind in _KINDS else []
    return (identity for identity in found if isinstance(identity, str) and identity)


def _entries(resource: Mapping[str, Any]) -> Iterator[Entry]:
    kind = _KINDS.get(_declared(resource))
    if kind is not None and resource.get("id"):
        values, _ = from_wire(kind, _plain(resource.get("outputs") or resource.get("inputs") or {}))
        yield Entry(kind, UUID(str(resource["id"])), values)


def _declared(resource: Mapping[str, Any]) -> str:
    """The type of a resource, without those of its parents."""
    return str(resource.get("type")).rsplit("$", 1)[-1]


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not sealed."""
    return {key: value for key, value in values.items() if not (isinstance(value, dict) and _SEALED in value)}
