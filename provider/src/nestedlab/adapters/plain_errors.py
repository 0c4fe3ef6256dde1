"""Keeps Python tracebacks out of the messages of our own errors, which name a remedy.

The SDK's provider process (`pulumi.dynamic.__main__`) answers every exception with `traceback.format_exc()`. There is
no way to hand it a message, so in that process, and there alone, the name `traceback` of that module is given a
stand-in, which differs for our own errors only. Decision 0003.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

from nestedlab.adapters.provider_process import provider_process
from nestedlab.errors import NestedlabError


class _Traceback:
    """The module `traceback`, except that our own errors are formatted as their text."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    def format_exc(self, *args: Any, **options: Any) -> str:
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, NestedlabError) else traceback.format_exc(*args, **options)


def install() -> None:
    """Make our errors reach the user as their text, if this is the SDK's provider process."""
    main = provider_process()
    if main is not None and hasattr(main, "traceback"):
        setattr(main, "traceback", _Traceback())  # noqa: B010 - the module has it, the type of modules has not
