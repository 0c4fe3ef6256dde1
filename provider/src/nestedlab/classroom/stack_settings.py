"""The settings of a student's stack that a class sets, by their keys. A program's SDK reads them (decision 16)."""

from __future__ import annotations

SEAT = "nestedlab:seat"
"""The setting in which a student's stack has its seat, as an object with the names of Seat in camelCase."""
STOPPED = "nestedlab:stopped"
"""The setting that is true while the student's machines are stopped by the class."""
RESET = "nestedlab:reset"
"""The setting whose change takes the student's machines back to their baselines."""
CLASS_SETTINGS = (SEAT, STOPPED, RESET)
"""Those of nestedlab's own. The provider needs none of them."""
