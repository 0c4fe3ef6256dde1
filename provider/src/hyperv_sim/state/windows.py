"""What differs between the Windows Server versions, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from hyperv_sim.fidelity import GUIDE, fact


@dataclass(frozen=True, slots=True)
class Windows:
    """Facts about one version.

    `build`: the build number. `default_vm_version`: what New-VM makes; `vm_versions`: all that the host runs.
    `amd_nests`: whether AMD processors nest (from Server 2022 and VM version 9.3 on, says Microsoft's guide).
    `several_nats`: whether a second NetNat is taken; Server 2016 refuses it, for later ones sources disagree.
    `shields_linux`: whether it has the secure boot template of shielded Linux machines.
    """

    name: str
    build: int
    vm_versions: tuple[str, ...]
    amd_nests: bool
    several_nats: bool
    shields_linux: bool

    @property
    def default_vm_version(self) -> str:
        """The VM configuration version of new machines: the newest that is not a preview."""
        return self.vm_versions[-1]


_5_TO_7 = ("5.0", "6.2", "7.0", "7.1")
_8_TO_9 = ("8.0", "8.1", "8.2", "8.3", "9.0")
_8_TO_10 = (*_8_TO_9, "9.1", "9.2", "9.3", "10.0")

WINDOWS = {
    version.name: version
    for version in (
        Windows("2016", 14393, (*_5_TO_7, "8.0"), amd_nests=False, several_nats=False, shields_linux=False),
        Windows("2019", 17763, (*_5_TO_7, *_8_TO_9), amd_nests=False, several_nats=True, shields_linux=True),
        Windows("2022", 20348, _8_TO_10, amd_nests=True, several_nats=True, shields_linux=True),
        Windows("2025", 26100, (*_8_TO_10, "11.0", "12.0"), amd_nests=True, several_nats=True, shields_linux=True),
    )
}


fact("Windows", "AMD nests from Server 2022 on, with machine version 9.3; Intel from 2016, with 8.0", GUIDE)
fact("Windows", "the machine versions of each Windows version", "Microsoft's guide to upgrading a machine's version")
