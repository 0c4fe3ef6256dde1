"""Virtual switches: state and rules, no wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from hyperv_sim.state.enumerations import VMSwitchType


@dataclass(slots=True, eq=False)
class Switch:
    """A virtual switch. Names are not unique. [VirtualEngine/Lability#326]

    `net_adapter` is the description of an external one's network adapter, which the host itself does not use.
    """

    name: str
    switch_type: VMSwitchType
    notes: str = ""
    host_name: str = field(default="", kw_only=True)
    net_adapter: str = ""
    id: UUID = field(default_factory=uuid4)
