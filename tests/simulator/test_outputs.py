"""What may leave a cmdlet: what is described, and values that PowerShell itself sends."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from hyperv_sim.powershell.properties import Selected, serialised
from hyperv_sim.records import Command, NetObject, Output, Parameter, Scalar, Value
from hyperv_sim.state.enumerations import VMState
from hyperv_sim.wire.clixml_writer import written

if TYPE_CHECKING:
    from tests.simulator.conftest import Talk

TABLE: Value = {"Name": Scalar("String", "hv1"), "Inner": {"Count": Scalar("Int32", 1)}}


@pytest.mark.parametrize(
    ("given", "kind"), [(True, "bool"), ("hv1", "str"), (4, "int"), (VMState.Off, "VMState"), (object(), "object")]
)
@pytest.mark.parametrize("further", ["", " | Out-Null", " | Select-Object Name"])
def test_a_cmdlet_that_gives_what_is_not_described_is_a_defect(
    talk: type[Talk], given: Any, kind: str, further: str
) -> None:
    host = talk()
    host.host.state.machines[uuid4()] = given
    with pytest.raises(TypeError, match=rf"^Get-VM gave a {kind}, which is not described"):
        host(f"Get-VM{further}")


def test_what_is_not_described_is_found_in_a_list_too(talk: type[Talk]) -> None:
    host = talk()
    given: Any = (Scalar("Boolean", True), True)
    host.host.state.machines[uuid4()] = given
    with pytest.raises(TypeError, match=r"^Get-VM gave a bool"):
        host("Get-VM")


@pytest.mark.parametrize(
    "value",
    [
        None,
        Scalar("Boolean", True),
        (Scalar("String", "a"), (Scalar("Int64", 1), None)),
        TABLE,
        (TABLE, None),
        NetObject(("Deserialized.A",), {"Name": Scalar("String", "x")}),
    ],
)
def test_what_a_client_sends_goes_back_to_it_as_it_is(talk: type[Talk], value: Value) -> None:
    sent = Command("Select-Object", (Parameter("InputObject", (Scalar("String", "first"), value)),))
    assert list(talk().shell.invoke([[sent]], Event())) == [Output((Scalar("String", "first"), value))]


def test_a_hashtable_is_selected_from_by_its_keys(talk: type[Talk]) -> None:
    names = tuple(Scalar("String", name) for name in ("name", "Colour"))
    sent = Command("Select-Object", (Parameter("InputObject", TABLE), Parameter("Property", names)))
    (output,) = list(talk().shell.invoke([[sent]], Event()))
    assert isinstance(output, Output)
    assert isinstance(output.value, NetObject)
    assert output.value.type_names[0] == "Selected.System.Collections.Hashtable"
    assert output.value.extended == {"Name": Scalar("String", "hv1"), "Colour": None}


def test_one_object_under_two_names_is_one_object(talk: type[Talk]) -> None:
    host = talk()
    host("New-VM hv1")
    (machine,) = host.host.state.machines.values()
    selected = serialised(Selected(("Selected.X", "System.Object"), {"A": machine, "B": machine}), "2022")
    assert isinstance(selected, NetObject)
    assert selected.extended["A"] is selected.extended["B"]
    assert '<Ref N="B" RefId="1" />' in written(selected)
