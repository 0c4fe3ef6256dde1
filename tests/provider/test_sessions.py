"""Sessions with a host: what they cost it, and what they leave there."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Parent

ONE_LOOK = """
import os
from nestedlab.connection import connection
from nestedlab.pipeline import Step, statement
from nestedlab.psrp.sessions import sessions_with

with sessions_with(connection({}, os.environ)).borrow() as session:
    session.run(Step("look", (statement("Get-VM"),)))
"""


def test_a_process_that_ends_gives_its_shells_back(parent: Parent) -> None:
    subprocess.run([sys.executable, "-c", ONE_LOOK], env={**os.environ, **parent.environment}, check=True)
    assert parent.server.requests.snapshot().actions["Delete"] == 1
    assert parent.server.open_shells == 0
