"""How many students are worked on at once: as cores, memory and the parents' WinRM shells allow. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from nestedlab.classroom.course import Parent

MEMORY_OF_A_STACK_MIB = 400
"""What an operation on one stack takes at its peak: the CLI, its language host, the program and the provider."""

SESSIONS_OF_A_STACK = 4
"""How many WinRM shells one stack may open on a host: the dynamic provider has four threads."""

STACKS_OF_A_CORE = 2
"""More workers than that bring nothing: what limits them is CPU time."""


def workers(asked: int | None, cores: int, available_mib: int) -> int:
    """How many students are worked on at once on this machine."""
    most = min(STACKS_OF_A_CORE * cores, available_mib // MEMORY_OF_A_STACK_MIB)
    return max(1, most if asked is None else min(asked, most))


def at_once(parents: Mapping[str, Parent]) -> dict[str, int]:
    """How many stacks may be worked on at once on each parent."""
    return {name: max(1, parent.shells // SESSIONS_OF_A_STACK) for name, parent in parents.items()}


def parallel(parent: Parent) -> int | None:
    """How many resources of a stack may be worked on at once; None is Pulumi's own number."""
    return parent.shells if parent.shells < SESSIONS_OF_A_STACK else None
