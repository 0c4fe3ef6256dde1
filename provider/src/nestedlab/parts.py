"""Parts of a resource, lists by key: what it takes to have those that are asked for. Decision 0007."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from nestedlab.declare import Attribute, Change, Depends, Part, strongest
from nestedlab.lifecycle import differences

PartT = TypeVar("PartT", bound=Part)


@dataclass(frozen=True)
class Changed(Generic[PartT]):
    """A part that is there and differs: what is asked for, what is there, and in what they differ."""

    wanted: PartT
    there: PartT
    rows: tuple[Attribute, ...]


@dataclass(frozen=True)
class Reconciled(Generic[PartT]):
    """What it takes to have the parts that are asked for: add the missing, remove the extra, change the different."""

    missing: tuple[PartT, ...]
    extra: tuple[PartT, ...]
    different: tuple[Changed[PartT], ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.different)


def reconcile(wanted: Sequence[PartT], there: Sequence[PartT]) -> Reconciled[PartT]:
    """Compare the parts that are asked for with those that are there, by their key."""
    wanted_by_key = {part.identity: part for part in wanted}
    there_by_key = {part.identity: part for part in there}
    compared = [
        Changed(part, now, tuple(differences(part, now)))
        for key, part in wanted_by_key.items()
        if (now := there_by_key.get(key)) is not None
    ]
    return Reconciled(
        tuple(part for key, part in wanted_by_key.items() if key not in there_by_key),
        tuple(part for key, part in there_by_key.items() if key not in wanted_by_key),
        tuple(pair for pair in compared if pair.rows),
    )


def doubled(parts: Sequence[PartT]) -> PartT | None:
    """A part whose key another one of them has too, if there is one."""
    counted = Counter(part.identity for part in parts)
    return next((part for part in parts if counted[part.identity] > 1), None)


def same_parts(wanted: Sequence[Part], there: Sequence[Part]) -> bool:
    """Whether the parts that are there are those asked for, in any order."""
    return len(wanted) == len(there) and not reconcile(wanted, there)


def parts_change(kind: type[PartT]) -> Depends:
    """What it takes to change parts: what the strongest change of one of them takes. Adding one takes nothing."""

    def change(there: Sequence[PartT] | None, wanted: Sequence[PartT] | None) -> Change:
        pairs = reconcile(wanted or (), there or ()).different
        return strongest({row.change(pair.there, pair.wanted) for pair in pairs for row in pair.rows})

    return Depends(f"added and removed at any time; for the rest see `{kind.__name__}`", change)


def unique(parts: Sequence[Part]) -> None:
    """Raise ValueError if two parts have the same key."""
    double = doubled(parts)
    if double is not None:
        raise ValueError(
            f"two of them have the same {' and '.join(double.key)}, {', '.join(double.identity)}. Change or remove one"
        )
