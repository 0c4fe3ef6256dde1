"""What each student of the course gets: a nested Hyper-V host behind a NAT, which can be reset to its beginning."""

import pulumi
import pulumi_nestedlab as lab

seat = lab.Seat()
image = pulumi.Config().get("image")  # a sealed Windows Server on the parent hosts, such as D:\Images\ws2022.vhdx
address = seat.address(10)  # to be set inside the guest: a NAT assigns none

net = lab.NatSwitch(
    "net",
    prefix=seat.prefix,
    nat=seat.nat,
    forwards=[lab.PortForward(external_port=seat.port(0), internal_address=address, internal_port=3389)],
)
host = lab.NestedHyperVHost(
    "hv1",
    processors=2,
    memory_mib=8192,
    os_disk=lab.Disk(parent=image) if image else lab.Disk(size_gib=80),
    switch=net.name,
    baseline="start",
)

pulumi.export("hv1", {"address": address, "rdpPort": seat.port(0), "id": host.vm_id})
