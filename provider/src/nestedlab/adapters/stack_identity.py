"""Warnings about a stack's identity, which Pulumi shows under the StackIdentity resource."""

from __future__ import annotations

from nestedlab.adapters import engine_log, urns

LOGICAL_NAME = "nestedlab"
"""The logical name of the one StackIdentity of a stack."""


def warn(stack: str, text: str) -> None:
    """Show a warning under the identity of a stack, project/stack."""
    engine_log.warn(urns.urn("StackIdentity", f"{stack}/{LOGICAL_NAME}"), text)


def warn_of_another_stack(before: str, now: str) -> None:
    """Warn that the identity was created for another stack: this one was renamed, or its state was copied from there.

    `before` and `now` are project/stack.
    """
    warn(
        now,
        f"the state of {now} comes from {before}, which was renamed, or exported and imported. If {before} still "
        "exists, both states hold the same machines and switches, and each would change or delete those of the other: "
        f"remove one of the two states, with `pulumi stack rm --force {before.rpartition('/')[2]}` for instance.",
    )
