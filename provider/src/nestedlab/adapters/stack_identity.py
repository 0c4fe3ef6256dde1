"""What is told of a stack whose identity was made under another name: it was renamed, or its state is there twice."""

from __future__ import annotations

from nestedlab.adapters import engine_log, urns

LOGICAL_NAME = "nestedlab"
"""The logical name of the one StackIdentity of a stack."""


def warn_of_another_stack(before: str, now: str) -> None:
    """Warn under the identity; `before` and `now` are project/stack."""
    engine_log.warn(
        urns.urn("StackIdentity", f"{now}/{LOGICAL_NAME}"),
        f"the state of {now} comes from {before}, which was renamed, or exported and imported. If {before} still "
        "exists, both states hold the same machines and switches, and each would change or delete those of the other: "
        f"remove one of the two states, with `pulumi stack rm --force {before.rpartition('/')[2]}` for instance.",
    )
