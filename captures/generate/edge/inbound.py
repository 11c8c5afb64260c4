"""Sessions that the outside opens, and those that only look so."""

from __future__ import annotations

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import Scene, Tcp, session

_HOST, _SECOND, _UNLISTED = "10.1.2.3", "10.1.2.4", "10.1.2.50"
_SERVER = "204.164.111.5"


@edge("checks/inbound-initiated-fires-open-and-blocked.pcap")
def open_and_blocked() -> bytes:
    """One session from a published network is answered, one is not, one is refused."""
    scene = Scene("inbound-initiated-fires-open-and-blocked")
    scene.web(0)
    session(scene, _SERVER, 40_000, _HOST, 8080, 5)
    Tcp(scene, "66.241.7.9", 51_000, _HOST, 22, 6).syn().at(7).syn_again()
    Tcp(scene, "66.241.7.9", 51_001, _HOST, 23, 9).syn().refuse()
    return pcap(scene.frames())


@edge("checks/inbound-initiated-fires-inside-syn-ack.pcap")
def inside_syn_ack() -> bytes:
    """The capture begins just after the SYN from outside: an inside host's SYN-ACK says who opened it."""
    scene = Scene("inbound-initiated-fires-inside-syn-ack")
    tcp = Tcp(scene, _SERVER, 40_001, _HOST, 8080, 0)
    tcp.packet(True, "S", lost=True)
    tcp.syn_ack().ack().send(300).send(900, up=False).close()
    scene.web(2)
    return pcap(scene.frames())


@edge("checks/inbound-initiated-fires-backup-host.pcap")
def backup_host() -> bytes:
    """Strangers at the door of a site's backup hosts, and at that of a host that is none."""
    scene = Scene("inbound-initiated-fires-backup-host")
    scene.web(0)
    session(scene, "198.51.100.66", 50_000, _HOST, 3389, 5)
    Tcp(scene, "198.51.100.66", 50_001, _SECOND, 445, 6).syn().refuse()
    session(scene, "198.51.100.66", 50_002, _UNLISTED, 80, 7)
    return pcap(scene.frames())


@edge("checks/inbound-initiated-silent-midstream.pcap")
def midstream() -> bytes:
    """Sessions of which the server's packets come first, because the capture began after the client opened them."""
    scene = Scene("inbound-initiated-silent-midstream")
    running = Tcp(scene, _HOST, 2345, _SERVER, 16384, 0)
    running.send(2800, up=False).send(600).send(1400, up=False).close()
    answered = Tcp(scene, _HOST, 2346, "204.164.111.6", 16384, 1)
    answered.packet(True, "S", lost=True)
    answered.syn_ack().ack().send(900).send(300, up=False).close()
    scene.web(2)
    return pcap(scene.frames())


@edge("checks/inbound-initiated-silent-neighbours.pcap")
def neighbours() -> bytes:
    """Sessions from addresses that lie just outside of what is published. No site: they are nobody's."""
    scene = Scene("inbound-initiated-silent-neighbours")
    for number, neighbour in enumerate(
        ("66.241.7.0", "66.241.7.31", "204.164.111.64", "140.239.229.64", "193.239.112.255", "12.159.133.64")
    ):
        session(scene, neighbour, 40_000 + number, _HOST, 8080, number)
        Tcp(scene, neighbour, 41_000 + number, _HOST, 22, number + 0.5).syn().refuse()
    return pcap(scene.frames())


@edge("checks/inbound-initiated-silent-gui-monitoring.pcap")
def gui_monitoring() -> bytes:
    """The console's networks may open the GUI port, TCP and UDP, once the site has turned the feature on."""
    scene = Scene("inbound-initiated-silent-gui-monitoring")
    scene.web(0)
    session(scene, "198.51.100.7", 50_000, _HOST, 4403, 5)
    session(scene, "203.0.113.5", 50_001, _HOST, 4403, 6)
    scene.udp(7, "203.0.113.5", 50_002, _HOST, 4403)
    scene.udp(7.1, _HOST, 4403, "203.0.113.5", 50_002)
    return pcap(scene.frames())
