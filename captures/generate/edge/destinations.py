"""Where the inside connects to: published, just outside of it, or nobody's business."""

from __future__ import annotations

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import Scene, Tcp, ftp_control, session

_HOST, _SECOND, _THIRD = "10.1.2.3", "10.1.2.4", "10.1.2.5"
_SERVER, _ALTERNATE = "204.164.111.5", "140.239.229.5"
_PORT = 16384


@edge("checks/destination-outside-published-fires.pcap")
def signature_ports() -> bytes:
    """Signature ports on addresses that no pack has: one answers, one of them is Backup Direct's unpublished .255, one
    is the first after Dr.Backup's range."""
    scene = Scene("destination-outside-published-fires")
    session(scene, _HOST, 2001, "198.51.100.77", _PORT, 1)
    Tcp(scene, _HOST, 2002, "193.239.112.255", _PORT, 2).syn().at(3).syn_again()
    session(scene, _HOST, 40_001, "66.241.7.31", 211, 5)
    scene.web(6)
    return pcap(scene.frames())


@edge("checks/destination-outside-published-fires-dedicated.pcap")
def dedicated() -> bytes:
    """A host that exists for backups alone also talks to others; what the site allows is not among them."""
    scene = Scene("destination-outside-published-fires-dedicated")
    session(scene, _SECOND, 2001, _SERVER, _PORT, 1)
    session(scene, _SECOND, 2002, "198.51.100.81", 443, 2)
    Tcp(scene, _SECOND, 2003, "198.51.100.82", 443, 3).syn().at(4).syn_again()
    scene.udp(6, _SECOND, 123, "198.51.100.83", 123, 48)
    scene.udp(6.1, "198.51.100.83", 123, _SECOND, 123, 48)
    session(scene, _SECOND, 2004, "192.0.2.10", 443, 7)
    session(scene, _SECOND, 2005, "10.0.0.20", 445, 8)
    scene.web(9)
    return pcap(scene.frames())


@edge("checks/destination-outside-published-silent.pcap")
def others() -> bytes:
    """Port 16384 as RTP, as a client's port, inside the site, in a port scan; 4401 with no network known; FTP of
    nobody; the two last addresses of Dr.Backup's and Backup Direct's ranges."""
    scene = Scene("destination-outside-published-silent")
    scene.udp(1, _HOST, 16386, "198.51.100.20", _PORT, 172)
    scene.udp(1.1, "198.51.100.20", _PORT, _HOST, 16386, 172)
    session(scene, _HOST, _PORT, "198.51.100.80", 443, 2)
    session(scene, _HOST, 2001, "10.9.9.9", _PORT, 3)
    session(scene, _HOST, 2002, "203.0.113.78", 4401, 4)
    ftp_control(scene, _HOST, 2003, "198.51.100.21", 5).close()
    session(scene, _HOST, 2004, "198.51.100.21", 30_000, 6, up=3000, down=0)
    ftp_control(scene, _HOST, 2005, "66.241.7.30", 7, port=211).close()
    session(scene, _HOST, 2006, "193.239.113.254", _PORT, 8)
    scanned = [*range(8000, 8027), 211, 4401, _PORT]
    for number, port in enumerate(scanned):
        tcp = Tcp(scene, _SECOND, 50_000 + number, "198.51.100.90", port, 10 + number * 0.1).syn()
        if port == _PORT:
            tcp.syn_ack().ack().close()
        else:
            tcp.refuse()
    return pcap(scene.frames())


@edge("checks/destination-outside-published-silent-dedicated.pcap")
def dedicated_in_order() -> bytes:
    """A dedicated host that keeps to its pack, to what the site allows, to the inside and to its own link."""
    scene = Scene("destination-outside-published-silent-dedicated")
    session(scene, _SECOND, 2001, _SERVER, _PORT, 1)
    session(scene, _SECOND, 2002, "192.0.2.10", 443, 2)
    session(scene, _SECOND, 2003, "10.0.0.20", 445, 3)
    scene.udp(4, _SECOND, 5353, "224.0.0.251", 5353, 60)
    scene.udp(5, _SECOND, 68, "255.255.255.255", 67, 300)
    session(scene, _HOST, 2004, "198.51.100.81", 443, 6)
    return pcap(scene.frames())


@edge("checks/port-not-published-fires.pcap")
def unpublished_ports() -> bytes:
    """Other ports of published addresses; the ports next to Dr.Backup's range; another vendor's port; the support
    tool's port at a storage node, and another one at the support tool."""
    scene = Scene("port-not-published-fires")
    session(scene, _HOST, 2003, _SERVER, 443, 1)
    Tcp(scene, _HOST, 2004, _SERVER, 80, 2).syn().refuse()
    control = ftp_control(scene, _HOST, 2005, "66.241.7.9", 3)
    session(scene, _HOST, 2006, "66.241.7.9", 19_999, 4)
    Tcp(scene, _HOST, 2007, "66.241.7.30", 60_001, 5).syn().at(6).syn_again()
    session(scene, _HOST, 2008, "66.241.7.9", _PORT, 8)
    session(scene, _HOST, 2009, "66.241.7.9", 8008, 9)
    session(scene, _HOST, 2010, "96.231.233.4", 80, 10)
    control.at(11).close()
    return pcap(scene.frames())


@edge("checks/port-not-published-silent.pcap")
def published_ports() -> bytes:
    """Every published port at its edge, and unpublished ones of neighbours."""
    scene = Scene("port-not-published-silent")
    for number, (node, port) in enumerate((("66.241.7.1", 21), ("66.241.7.30", 211))):
        control = ftp_control(scene, _HOST, 2001 + number, node, 1 + number * 10, port=port)
        session(scene, _HOST, 2011 + number, node, 20_000, 3 + number * 10, up=5000, down=0)
        session(scene, _HOST, 2021 + number, node, 60_000, 5 + number * 10, up=5000, down=0)
        control.at(8 + number * 10).close()
    session(scene, _HOST, 2030, _SERVER, _PORT, 21)
    session(scene, _HOST, 2031, "204.164.111.64", 443, 22)
    session(scene, _HOST, 2032, "66.241.7.31", 22, 23)
    session(scene, _HOST, 2033, "96.231.233.5", 8008, 24)
    return pcap(scene.frames())


@edge("checks/server-set-exceeded-fires.pcap")
def five_servers() -> bytes:
    """A fifth server answers a client that can know of four."""
    scene = Scene("server-set-exceeded-fires")
    servers = ("204.164.111.5", "140.239.229.5", "204.164.111.6", "140.239.229.6", "140.239.229.7")
    for number, server in enumerate(servers):
        session(scene, _HOST, 2001 + number, server, _PORT, number)
    return pcap(scene.frames())


@edge("checks/server-set-exceeded-silent.pcap")
def four_servers() -> bytes:
    """Four servers answer and a fifth refuses; two clients with three each; a vendor of random nodes."""
    scene = Scene("server-set-exceeded-silent")
    servers = ("204.164.111.5", "140.239.229.5", "204.164.111.6", "140.239.229.6")
    for number, server in enumerate(servers):
        session(scene, _HOST, 2001 + number, server, _PORT, number)
    Tcp(scene, _HOST, 2010, "140.239.229.7", _PORT, 5).syn().refuse()
    for number, last in enumerate((10, 11, 12)):
        session(scene, _SECOND, 2001 + number, f"204.164.111.{last}", _PORT, 10 + number)
        session(scene, _THIRD, 2001 + number, f"204.164.111.{last + 10}", _PORT, 10.5 + number)
    for number in range(6):
        ftp_control(scene, _HOST, 2101 + number, f"66.241.7.{1 + number}", 20 + number).close()
    return pcap(scene.frames())


@edge("checks/required-access-blocked-fires.pcap")
def blocked() -> bytes:
    """Nothing of a network answers one client; another client reaches a second server of it."""
    scene = Scene("required-access-blocked-fires")
    Tcp(scene, _HOST, 2001, _SERVER, _PORT, 1).syn().at(2).syn_again()
    session(scene, _HOST, 2002, _ALTERNATE, _PORT, 4)
    Tcp(scene, _SECOND, 2003, _SERVER, _PORT, 5).syn().at(6).syn_again()
    session(scene, _SECOND, 2004, "204.164.111.6", _PORT, 8)
    scene.web(10)
    scene.web(30)
    return pcap(scene.frames())


@edge("checks/required-access-blocked-silent.pcap")
def refused() -> bytes:
    """Refused attempts; an unanswered one to a port that nobody publishes; one so near the end that the answer
    may have come after it."""
    scene = Scene("required-access-blocked-silent")
    Tcp(scene, _HOST, 2001, _SERVER, _PORT, 1).syn().refuse()
    Tcp(scene, _HOST, 2002, _ALTERNATE, _PORT, 2).syn().refuse()
    Tcp(scene, _HOST, 2003, _SERVER, 8080, 3).syn().at(4).syn_again()
    scene.web(6)
    scene.web(30)
    Tcp(scene, _SECOND, 2004, _SERVER, _PORT, 33.4).syn()
    return pcap(scene.frames())
