"""Parts of a resource, lists by key: what it takes to have those that are asked for. Decision 0007."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nestedlab.declare import Attribute, Change, Depends, Part, Properties, key_of
from nestedlab.lifecycle import differences, hardest, needs


@dataclass(frozen=True)
class Reconciled:
    """What it takes to have the parts that are asked for: add the missing, remove the extra, change the different."""

    missing: tuple[Properties, ...]
    extra: tuple[Properties, ...]
    different: tuple[tuple[Properties, Properties, tuple[Attribute, ...]], ...]
    """Asked, found, and in what they differ."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.different)


def reconcile(kind: type[Part], asked: Sequence[Properties], found: Sequence[Properties]) -> Reconciled:
    """Compare the parts asked for with the parts found, by their key."""
    wanted = {key_of(kind, one): one for one in asked}
    there = {key_of(kind, one): one for one in found}
    common = [(one, there[key]) for key, one in wanted.items() if key in there]
    compared = [(one, now, tuple(differences(kind, one, now))) for one, now in common]
    return Reconciled(
        tuple(one for key, one in wanted.items() if key not in there),
        tuple(one for key, one in there.items() if key not in wanted),
        tuple(one for one in compared if one[2]),
    )


def doubled(kind: type[Part], parts: Sequence[Properties]) -> Properties | None:
    """A part whose key another one of them has too, if there is one."""
    counted = Counter(key_of(kind, one) for one in parts)
    return next((one for one in parts if counted[key_of(kind, one)] > 1), None)


def same_parts(kind: type[Part]) -> Callable[[Sequence[Properties], Sequence[Properties]], bool]:
    """Whether parts found are those asked for, in any order."""
    return lambda asked, found: len(asked) == len(found) and not reconcile(kind, asked, found)


def parts_change(kind: type[Part]) -> Depends:
    """What it takes to change parts: what the hardest change of one of them takes. Adding one takes nothing."""

    def change(found: Sequence[Properties] | None, asked: Sequence[Properties] | None) -> Change:
        compared = reconcile(kind, asked or (), found or ())
        return hardest({need for one, now, changed in compared.different for need in needs(changed, now, one)})

    return Depends(f"added and removed at any time; for the rest see `{kind.__name__}`", change)
