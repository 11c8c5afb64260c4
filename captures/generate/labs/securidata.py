"""SecuriData: TCP 4401 to a datacenter whose addresses only the site knows, and the optional GUI on 4403."""

from __future__ import annotations

from captures.generate.hosts import datagram, exchange, serve, serve_datagrams
from captures.generate.lab import Lab, played
from captures.generate.recipe import lab

_CLIENT, _UNLISTED_CLIENT = "10.1.2.3", "10.1.2.50"
_DATACENTER, _CONSOLE = "203.0.113.5", "198.51.100.7"
_BACKUP, _GUI = 4401, 4403
_BULK = 30_000  # payload bytes of a data flow


@lab("securidata-clean.pcapng")
def clean() -> bytes:
    """Backups by the one listed host; a console outside opens the GUI, which the site has turned on for it."""

    def play(lab: Lab) -> None:
        serve(lab, _DATACENTER, _BACKUP)
        serve(lab, _CLIENT, _GUI)
        serve_datagrams(lab, _CLIENT, _GUI)
        exchange(lab, _CLIENT, 49_152, _DATACENTER, _BACKUP, up=900, down=700)
        exchange(lab, _CLIENT, 49_153, _DATACENTER, _BACKUP, up=_BULK)
        exchange(lab, _CONSOLE, 50_000, _CLIENT, _GUI)
        datagram(lab, _CONSOLE, 50_001, _CLIENT, _GUI, answered=True)

    return played(play, inside=[_CLIENT], outside=[_DATACENTER, _CONSOLE])


@lab("securidata-violating.pcapng")
def violating() -> bytes:
    """UDP 4401, a datacenter that the site does not know, the GUI though it is off, sessions from outside, a host
    that must not back up."""
    unknown = "203.0.113.20"

    def play(lab: Lab) -> None:
        for address, port in ((_DATACENTER, _BACKUP), (_DATACENTER, _GUI), (unknown, _BACKUP)):
            serve(lab, address, port)
        for port in (_BACKUP, _GUI):
            serve(lab, _CLIENT, port)
        serve_datagrams(lab, _DATACENTER, _BACKUP)
        exchange(lab, _CLIENT, 49_152, _DATACENTER, _BACKUP, up=_BULK)
        datagram(lab, _CLIENT, 49_153, _DATACENTER, _BACKUP, answered=True)
        exchange(lab, _CLIENT, 49_154, unknown, _BACKUP)
        exchange(lab, _CLIENT, 49_155, _DATACENTER, _GUI)
        exchange(lab, _CONSOLE, 50_000, _CLIENT, _GUI)
        exchange(lab, _DATACENTER, 45_001, _CLIENT, _BACKUP)
        exchange(lab, _UNLISTED_CLIENT, 49_156, _DATACENTER, _BACKUP)

    return played(play, inside=[_CLIENT, _UNLISTED_CLIENT], outside=[_DATACENTER, _CONSOLE, unknown])
