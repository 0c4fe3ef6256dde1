"""The ids and texts that all parts of a machine have in common."""

from __future__ import annotations

from uuid import UUID

from hyperv_sim.fidelity import fact
from hyperv_sim.state.machines import Machine


def component_id(machine: Machine, own: UUID | str) -> str:
    """The Id of a part: that of its machine, and its own."""
    return rf"Microsoft:{str(machine.id).upper()}\{str(own).upper()}"


def component_text(kind: str, name: str, machine: Machine, own: UUID | str) -> str:
    r"""What ToString() of a part gives: KIND (Name = 'N', VMName = 'V') [Id = 'Microsoft:...\...', VMId = '...']."""
    ids = f"Id = '{component_id(machine, own)}', VMId = '{machine.id}'"
    return f"{kind} (Name = '{name}', VMName = '{machine.name}') [{ids}]"


fact(
    "Get-VM",
    "ToString() of a machine, and of its parts (kind, name, machine, ids)",
    "public logs; pluralsight/PS-AutoLab-Env#237 for the integration services, the other parts by analogy",
)
