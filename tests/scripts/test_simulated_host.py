"""The simulated host as a process: only the process that was started is ever ended."""

import os
from pathlib import Path

import administrator
import psutil
import pytest
import simulated_host
from simulated_host import SimulatedHost


def test_a_noted_host_is_found_by_another_script_and_ended_by_it(tmp_path: Path) -> None:
    password = simulated_host.new_password()
    host = simulated_host.start(tmp_path, password)
    try:
        with administrator.at(host.url, simulated_host.USERNAME, password) as admin:
            assert admin.table("Get-VM", "Name") == []
        assert simulated_host.noted(tmp_path) == host
    finally:
        host.stop()
    assert simulated_host.noted(tmp_path) is None
    assert password not in (tmp_path / "host.json").read_text()


def test_another_process_with_its_number_is_left_alone(tmp_path: Path) -> None:
    stranger = SimulatedHost("http://127.0.0.1:1", os.getpid(), psutil.Process().create_time() - 1)
    simulated_host.note(tmp_path, stranger)
    assert simulated_host.noted(tmp_path) is None
    stranger.stop()


def test_a_host_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="NESTEDLAB_PASSWORD is not set, or empty"):
        simulated_host.start(tmp_path, password="")
    assert simulated_host.noted(tmp_path) is None
