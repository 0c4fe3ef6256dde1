"""One nested Hyper-V host on a physical network: its own machines reach that network by MAC spoofing."""

import pulumi
import pulumi_nestedlab as lab

config = pulumi.Config()
image = config.get("image")  # a sealed Windows Server on the parent host, such as D:\Images\ws2022.vhdx
switch = config.get("switch") or "External"  # an external switch that an administrator has made

host = lab.NestedHyperVHost(
    "spoofing-hv1",
    processors=config.get_int("processors") or 4,
    memory_mib=config.get_int("memoryMib") or 8192,
    os_disk=lab.Disk(parent=image) if image else lab.Disk(size_gib=80),
    adapters=[lab.Adapter(name="LAN", switch=switch, mac_spoofing=True, vlan=config.get_int("vlan") or 0)],
)

pulumi.export("spoofing-hv1", host.vm_id)
