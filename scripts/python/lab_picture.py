"""The picture of the lab that the README begins with, as `nestedlab graph` draws it."""

from nestedlab.topology.model import Adapter, Host, Machine, Nat, Switch, Topology
from nestedlab.topology.svg import svg


def picture() -> str:
    """The picture."""
    nat = Nat("lab-net-eb3a40038dd6", "192.168.50.0/24")
    net = Switch("lab-net", "lab-net", "192.168.50.0/24", "192.168.50.1", nat)
    machine = Machine("hv1", "hv1", "", "Running", processors=4, memory_mib=8192, adapters=(Adapter("lab-net"),))
    host = Host("HV01", "hv01.example.org", switches=(net,), machines=(machine,))
    return svg(Topology("mylab", "dev", (host,)))
