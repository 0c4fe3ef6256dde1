"""The integration services by what identifies them in any language, with their names in each."""

from __future__ import annotations

HEARTBEAT = "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47"
SHUTDOWN = "9F8233AC-BE49-4C79-8EE3-E7E1985B2077"
GUEST_SERVICE_INTERFACE = "6C09BB55-D683-4DA0-8931-C9BF705F6480"
COMPONENTS: dict[str, dict[str, str]] = {
    GUEST_SERVICE_INTERFACE: {"en": "Guest Service Interface", "de": "Gastdienstschnittstelle"},
    HEARTBEAT: {"en": "Heartbeat", "de": "Takt"},
    "2A34B1C2-FD73-4043-8A5B-DD2159BC743F": {
        "en": "Key-Value Pair Exchange",
        "de": "Austausch von Schlüsselwertepaaren",
    },
    SHUTDOWN: {"en": "Shutdown", "de": "Herunterfahren"},
    "2497F4DE-E9FA-4204-80E4-4B75C46419C0": {"en": "Time Synchronization", "de": "Zeitsynchronisierung"},
    "5CED1297-4598-4915-A5FC-AD21BB4D02A4": {"en": "VSS", "de": "VSS"},
}
"""The services by the GUID of their component, with the names that a host of each language shows. [a public script's
listings of an English and a German host]"""
