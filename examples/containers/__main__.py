"""A Windows container host: each container with Hyper-V isolation runs in a small machine of its own."""

import pulumi
import pulumi_nestedlab as lab

config = pulumi.Config()
image = config.require("image")  # a sealed Windows Server on the parent host, such as D:\Images\ws2022.vhdx
seat = lab.Seat(prefix=config.get("prefix") or "192.168.60.0/24")

net = lab.NatSwitch("containers-net", prefix=seat.prefix, nat=seat.nat)
host = lab.NestedHyperVHost(
    "containers-host",
    processors=config.get_int("processors") or 4,
    memory_mib=config.get_int("memoryMib") or 8192,
    os_disk=lab.Disk(parent=image),
    data_disks=[lab.DataDisk(size_gib=config.get_int("layersGib") or 100)],  # for the layers of container images
    switch=net.name,
)

pulumi.export("containers-host", {"gateway": net.gateway, "id": host.vm_id})
