"""A busy host refuses for a moment what it does a moment later: everything comes about all the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from hyperv_sim.state.contention import Contention
from hyperv_sim.state.disks import place
from nestedlab.errors import RefusedError

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent
    from tests.provider.conftest import NewProvider

    from nestedlab.perform import Cancellation

IMAGE = r"C:\Images\ws.vhdx"


@pytest.mark.parametrize("seed", range(2))  # 0 refuses a new switch's address once, 1 twice: both of the errors
def test_what_a_busy_host_refuses_for_a_moment_comes_about(
    seed: int, new_parent: NewParent, new_provider: NewProvider, no_delay: Cancellation
) -> None:
    parent = new_parent(parts={"contention": Contention(seed)})
    place(parent.host.state.files, IMAGE)
    before = parent.snapshot()
    provider = new_provider(parent, no_delay)
    net = provider.create("switch")
    assert net.values["gateway"] == "192.168.50.1"
    disks: dict[str, Any] = {
        "os_disk": {"parent": IMAGE, "size_gib": 200},
        "data_disks": [{"parent": IMAGE}, {"size_gib": 5}],
        "processors": 2,
    }
    names = [f"hv{number}" for number in range(4)]

    def create(name: str) -> Any:
        return provider.create("machine", name=name, owner=f"lab/dev/{name}", **disks)

    with ThreadPoolExecutor() as pool:
        made = [*pool.map(create, names)]
    for name, thing in zip(names, made, strict=True):
        assert provider.read("machine", thing) == thing
        inputs = {**disks, "data_disks": [*disks["data_disks"], {"parent": IMAGE}]}
        changed = provider.update("machine", thing, name=name, owner=f"lab/dev/{name}", **inputs)
        assert len(parent.machine(name).drives) == 4
        provider.delete("machine", changed)
    provider.delete("switch", net)
    assert parent.snapshot() == before


def test_an_image_that_is_held_for_good_is_told_with_its_remedy(
    new_parent: NewParent, new_provider: NewProvider, no_delay: Cancellation, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = new_parent()
    place(parent.host.state.files, IMAGE)
    before = parent.snapshot()
    monkeypatch.setattr(Contention, "refuses", lambda _self, cmdlet, _thing: cmdlet == "New-VHD")
    with pytest.raises(RefusedError, match=r"os_disk: .*another process.*Something else on the host is using it"):
        new_provider(parent, no_delay).create("machine", os_disk={"parent": IMAGE})
    assert parent.snapshot() == before


def test_another_reason_why_a_disk_cannot_be_attached_is_told_at_once(
    parent: Parent, new_provider: NewProvider, no_delay: Cancellation
) -> None:
    parent.host.refuse("Add-VMHardDiskDrive", "ObjectInUse", "ResourceBusy")
    before = parent.snapshot()
    with pytest.raises(RefusedError, match=r"os_disk: could not apply the settings: Add-VMHardDiskDrive is refused"):
        new_provider(parent, no_delay).create("machine")
    assert parent.snapshot() == before
