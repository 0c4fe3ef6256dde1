"""Sessions with a host: what they leave there, and how a missing cmdlet is reported."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from nestedlab.pipeline import Step, statement
from nestedlab.psrp.sessions import Sessions

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent

READ_ONCE = """
import os
from nestedlab.connection import connection
from nestedlab.pipeline import Step, statement
from nestedlab.psrp.sessions import sessions_with

with sessions_with(connection({}, os.environ)).borrow() as session:
    session.run(Step("read", (statement("Get-VM"),)))
"""


def test_a_process_that_ends_gives_its_shells_back(parent: Parent) -> None:
    subprocess.run([sys.executable, "-c", READ_ONCE], env={**os.environ, **parent.environment}, check=True)
    assert parent.server.requests.snapshot().actions["Delete"] == 1
    assert parent.server.open_shells == 0


def test_a_cmdlet_that_is_not_there_is_named(new_parent: NewParent) -> None:
    parent = new_parent()
    parent.host.state.has_hyper_v = False
    sessions = Sessions(parent.connection())
    try:
        with sessions.borrow() as session:
            records = session.run(Step("read", (statement("Get-VMHost"), statement("Get-VM")))).errors
    finally:
        sessions.close()
    assert [(record.error_id, record.cmdlet) for record in records] == [
        ("CommandNotFoundException", "Get-VMHost"),
        ("CommandNotFoundException", "Get-VM"),
    ]
