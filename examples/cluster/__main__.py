"""Two nested Hyper-V hosts with a network for management, one for storage, and four data disks each."""

import ipaddress

import pulumi
import pulumi_nestedlab as lab

config = pulumi.Config()
image = config.get("image")  # a sealed Windows Server on the parent host, such as D:\Images\ws2022.vhdx
seat = lab.Seat(prefix=config.get("prefix") or "192.168.72.0/23")
first, second = ipaddress.ip_network(seat.prefix).subnets(prefixlen_diff=1)

# Both are behind one NAT, since Windows Server 2016 takes no second NAT: that of the class, or one around both.
around = None if seat.nat else seat.prefix
management = lab.NatSwitch("cluster-management", prefix=str(first), nat=seat.nat, nat_prefix=around)
storage = lab.NatSwitch("cluster-storage", prefix=str(second), nat=management.nat_name)


def node(name: str) -> lab.NestedHyperVHost:
    """A node of the cluster."""
    return lab.NestedHyperVHost(
        name,
        processors=config.get_int("processors") or 4,
        memory_mib=config.get_int("memoryMib") or 12288,
        os_disk=lab.Disk(parent=image) if image else lab.Disk(size_gib=80),
        data_disks=[lab.DataDisk(size_gib=config.get_int("diskGib") or 64) for _ in range(4)],
        adapters=[
            lab.Adapter(name="Management", switch=management.name, mac_spoofing=True, device_naming=True),
            lab.Adapter(name="Storage", switch=storage.name, device_naming=True),
        ],
    )


nodes = [node("cluster-node1"), node("cluster-node2")]
pulumi.export("cluster", {"gateway": management.gateway, "nodes": [host.vm_id for host in nodes]})
