"""Packets of servers that no session explains, and the ports that answers go to."""

from __future__ import annotations

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import Scene, Tcp, ftp_control, session

_HOST = "10.1.2.3"
_SERVER, _ALTERNATE = "204.164.111.5", "140.239.229.5"
_PORT = 16384


@edge("checks/unsolicited-return-fires-after-grace.pcap")
def after_grace() -> bytes:
    """301 seconds into the capture a server sends data of a session that was never there."""
    scene = Scene("unsolicited-return-fires-after-grace")
    scene.web(0)
    Tcp(scene, _HOST, 2345, _SERVER, _PORT, 301, hidden="initiator").send(4200, up=False)
    scene.web(310, count=2)
    return pcap(scene.frames())


@edge("checks/unsolicited-return-silent-explained.pcap")
def explained() -> bytes:
    """The same within the grace; late data of a session that had fallen silent; a late reset of one that had ended."""
    scene = Scene("unsolicited-return-silent-explained")
    scene.web(0)
    Tcp(scene, _HOST, 2345, _SERVER, _PORT, 299, hidden="initiator").send(1400, up=False)
    quiet = Tcp(scene, _HOST, 2346, _ALTERNATE, _PORT, 10).open().send(900).send(300, up=False).at(411)
    for _ in range(3):
        quiet.packet(False, "PA", scene.random.randbytes(700))
    ended = session(scene, _HOST, 2347, _SERVER, _PORT, 20).at(420)
    ended.packet(False, "RA")
    return pcap(scene.frames())


def _ports(scene: Scene) -> None:
    """Answered sessions from ports around 1024 to 5000."""
    session(scene, _HOST, 5001, _SERVER, _PORT, 5)
    session(scene, _HOST, 1023, _ALTERNATE, _PORT, 6)
    session(scene, _HOST, 49_152, "193.239.112.10", _PORT, 7)
    session(scene, _HOST, 49_153, "193.239.112.10", _PORT, 8)


@edge("checks/return-port-outside-range-fires.pcap")
def return_ports() -> bytes:
    scene = Scene("return-port-outside-range-fires")
    _ports(scene)
    return pcap(scene.frames())


@edge("checks/return-port-outside-range-fires-explicit.pcap")
def explicit_rules() -> bytes:
    """The same traffic at a site whose firewall has explicit return rules."""
    scene = Scene("return-port-outside-range-fires-explicit")
    _ports(scene)
    return pcap(scene.frames())


@edge("checks/return-port-outside-range-silent.pcap")
def return_ports_in_order() -> bytes:
    """The range's first and last port, a refused attempt from a high one, a vendor that publishes no range."""
    scene = Scene("return-port-outside-range-silent")
    session(scene, _HOST, 1024, _SERVER, _PORT, 1)
    session(scene, _HOST, 5000, _ALTERNATE, _PORT, 2)
    Tcp(scene, _HOST, 40_000, "204.164.111.6", _PORT, 3).syn().refuse()
    ftp_control(scene, _HOST, 49_152, "66.241.7.9", 4).close()
    return pcap(scene.frames())
