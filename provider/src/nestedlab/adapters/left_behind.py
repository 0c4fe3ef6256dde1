"""Warns, when a destroy removes a stack's identity, of what carries it on the hosts and is in no state.

A destroy removes what its state has. What a killed `up` has created by then is in none, and with the identity goes what
tells whose it is; so the warning names it. A warning stops nothing: a host that is away is not asked, nor is a backend
that gives no state.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nestedlab.adapters import stack_identity
from nestedlab.adapters.stack import PulumiStack, project_folder
from nestedlab.connection import Connection, connection, hosts
from nestedlab.errors import NestedlabError
from nestedlab.orphans import Orphan, StackRecord, judge, listing
from nestedlab.perform import perform
from nestedlab.psrp.sessions import sessions_with

_LOG = logging.getLogger(__name__)


def warn(stack: str, identity: str, configuration: Mapping[str, Any]) -> None:
    """Warn of the machines and switches that carry the identity of a stack, project/stack, and are in no state."""
    project, _, name = stack.partition("/")
    try:
        left = list(_left(StackRecord(project, name, frozenset({identity})), configuration))
    except (NestedlabError, TimeoutError, OSError, ValueError) as error:
        _LOG.info("nothing is known of what %s has left: %s", stack, error)
        return
    if left:
        stack_identity.warn(stack, _text(left, identity))


def _left(record: StackRecord, configuration: Mapping[str, Any]) -> Iterator[tuple[str, Orphan]]:
    """What is left, each with the name of its host.

    Others of the stack are being removed at the same time. What is on a host after the state was read, and was not in
    it, is in no state.
    """
    connections = [connection(configuration, os.environ, on) for on in hosts(configuration, os.environ)]
    suspected = [to for to in connections if any(_carrying(record, to))]
    if not suspected:
        return
    state = PulumiStack(project_folder(Path.cwd()), record.stack).record_of(record.project, record.stack)
    known = replace(record, entries=state.entries)
    for to in suspected:
        yield from ((to.host, orphan) for orphan in _carrying(known, to))


def _carrying(record: StackRecord, to: Connection) -> tuple[Orphan, ...]:
    """What a host has that carries the stack's identity and is not in the record; none if it does not answer."""
    try:
        with sessions_with(to).borrow() as runner:
            return judge(record, perform(listing(), runner, time.sleep), None).own
    except (NestedlabError, TimeoutError) as error:
        _LOG.info("%s was not asked what is left: %s", to.host, error)
        return ()


def _text(left: list[tuple[str, Orphan]], identity: str) -> str:
    things = ", ".join(f"{orphan.what} {orphan.name!r} ({orphan.entry.id}) on {host}" for host, orphan in left)
    return (
        f"this stack has created objects that are in no state, and they stay: {things}. An interrupted `pulumi up` has "
        f"left them. Run `nestedlab orphans --identity {identity} --remove` to remove them."
    )
