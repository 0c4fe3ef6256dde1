"""A stack's topology, from the state that Pulumi keeps of it and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from nestedlab.adapters.stack import recorded
from nestedlab.connection import HOSTS, NAMESPACE, Connection
from nestedlab.orphans import StackRecord
from nestedlab.topology.from_state import topology
from nestedlab.topology.model import Topology

_PROVIDER = "pulumi:providers:pulumi-python"
"""The type of the resource that has the configuration with which the stack's resources were made."""


def topology_of(project: str, stack: str, deployment: Mapping[str, Any]) -> Topology:
    """The topology of the stack whose state this is."""
    # What a replacement has still to delete is not part of the lab any more.
    resources = [resource for resource in _resources(deployment) if not resource.get("delete")]
    record = recorded(StackRecord(project, stack), {**deployment, "resources": resources})
    return topology(record, dict(_addresses(deployment)))


def changed_at(deployment: Mapping[str, Any]) -> datetime | None:
    """When a resource of the state last changed; None if there is none."""
    times = [str(resource["modified"]) for resource in _resources(deployment) if resource.get("modified")]
    # Go writes up to nine digits of a second, which Python 3.10 does not read.
    parsed = (datetime.strptime(time[:19], "%Y-%m-%dT%H:%M:%S") for time in times)
    return max((time.replace(tzinfo=timezone.utc) for time in parsed), default=None)


def _addresses(deployment: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """The addresses of the hosts, by their names in the program. Those that only the environment had are not there."""
    for resource in _resources(deployment):
        if resource.get("type") == _PROVIDER:
            settings = resource.get("inputs") or {}
            yield None, _host_in(settings.get(f"{NAMESPACE}:address"))
            for name, further in _further(settings.get(HOSTS)).items():
                yield name, _host_in(further.get("address") if isinstance(further, dict) else None)


def _further(setting: object) -> dict[str, Any]:
    try:
        hosts = json.loads(setting) if isinstance(setting, str) else setting
    except ValueError:
        hosts = None
    return hosts if isinstance(hosts, dict) else {}


def _host_in(address: object) -> str:
    # A sealed one is no text. What is not sealed was checked when it was used.
    return Connection.model_construct(address=address).host if isinstance(address, str) else ""


def _resources(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(deployment.get("resources") or ())
