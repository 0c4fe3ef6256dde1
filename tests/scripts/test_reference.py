"""The reference says of every attribute where it lives on the host and since when, and what it says is so."""

from __future__ import annotations

import re

import generate
import jea
import pytest

from hyperv_sim.contract import load
from nestedlab.declare import Attribute, Table
from nestedlab.resources.adapters import Adapter
from nestedlab.resources.disk import DataDisk, Disk
from nestedlab.resources.forwards import PortForward
from nestedlab.resources.nat_switch import NatSwitch
from nestedlab.resources.nested_hyperv_host import NestedHyperVHost

TABLES: tuple[type[Table], ...] = (NestedHyperVHost, Disk, DataDisk, Adapter, NatSwitch, PortForward)
ATTRIBUTES = [pytest.param(one, id=f"{table.__name__}.{one.name}") for table in TABLES for one in table.attributes()]
CALLED = {one.name for one in jea.called()}
NOT_ON_THE_HOST = {"on"}
"""Which host it is, is not on the host."""


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_it_names_cmdlets_that_the_provider_calls(attribute: Attribute) -> None:
    named = re.findall(r"[A-Z]\w+-[A-Z]\w+", attribute.place)
    assert bool(named) != (attribute.name in NOT_ON_THE_HOST or generate.parts_of(attribute) is not None)
    assert set(named) <= CALLED


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_it_names_the_oldest_windows_that_knows_all_its_parameters(attribute: Attribute) -> None:
    named = re.findall(r"([A-Z]\w+-[A-Z]\w+) -(\w+)", attribute.place)
    knowing = (
        windows
        for windows in ("2016", "2019", "2022", "2025")
        if all(parameter in load(windows)[name].parameters for name, parameter in named)
    )
    assert next(knowing) == generate.since(attribute)


def test_every_part_of_a_resource_is_on_a_page() -> None:
    shown = {part for kind in generate.RESOURCES for part in generate.parts(kind)}
    assert shown == {Disk, DataDisk, Adapter, PortForward}
