"""The process that the SDK runs dynamic providers in, and whether this is it."""

from __future__ import annotations

import sys
from types import ModuleType


def provider_process() -> ModuleType | None:
    """The SDK's main module, if it started this process (`python -m pulumi.dynamic`); else None."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    return main if spec is not None and spec.name == "pulumi.dynamic.__main__" else None
