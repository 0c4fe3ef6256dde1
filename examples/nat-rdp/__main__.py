"""One nested Hyper-V host behind a NAT, with RDP on a port of the parent host."""

import pulumi
import pulumi_nestedlab as lab

config = pulumi.Config()
image = config.get("image")  # a sealed Windows Server on the parent host, such as D:\Images\ws2022.vhdx
seat = lab.Seat(prefix=config.get("prefix") or "192.168.50.0/24")
port = config.get_int("rdpPort") or seat.port(0)  # 33890 without a class
address = seat.address(10)  # to be set inside the guest: a NAT assigns none

net = lab.NatSwitch(
    "rdp-net",
    prefix=seat.prefix,
    nat=seat.nat,
    forwards=[lab.PortForward(external_port=port, internal_address=address, internal_port=3389)],
)
host = lab.NestedHyperVHost(
    "rdp-hv1",
    processors=config.get_int("processors") or 4,
    memory_mib=config.get_int("memoryMib") or 8192,
    os_disk=lab.Disk(parent=image) if image else lab.Disk(size_gib=80),
    switch=net.name,
)

pulumi.export("rdp-hv1", {"address": address, "gateway": net.gateway, "rdpPort": port, "id": host.vm_id})
