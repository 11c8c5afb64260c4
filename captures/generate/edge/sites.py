"""What only a site file can judge: who may back up, when, and from which addresses."""

from __future__ import annotations

from datetime import UTC, datetime

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import START, Scene, Tcp, ftp_control, session

_HOST = "10.1.2.3"
_SERVER, _ALTERNATE = "204.164.111.5", "140.239.229.5"
_PORT = 16384
# Client → primary and alternate registration server, and the pair that it is given.
_REGISTRATIONS = {
    "10.1.2.3": ("204.164.111.2", "140.239.229.2", "204.164.111.20", "140.239.229.20"),
    "10.1.2.4": ("193.239.112.2", "193.239.113.2", "193.239.112.20", "193.239.113.20"),
    "10.1.2.5": ("12.159.133.2", "66.151.228.2", "12.159.133.20", "66.151.228.20"),
}


@edge("checks/unauthorised-client-fires.pcap")
def unlisted_clients() -> bytes:
    """Hosts next to the listed ones back up."""
    scene = Scene("unauthorised-client-fires")
    session(scene, "10.1.2.50", 2001, _SERVER, _PORT, 1)
    session(scene, "10.1.2.15", 2001, _ALTERNATE, _PORT, 2)
    session(scene, "10.1.2.32", 2001, _ALTERNATE, _PORT, 3)
    ftp_control(scene, "10.1.2.43", 40_000, "66.241.7.9", 4).close()
    session(scene, _HOST, 2001, _SERVER, _PORT, 6)
    return pcap(scene.frames())


@edge("checks/unauthorised-client-silent.pcap")
def listed_clients() -> bytes:
    """The first and last of the listed hosts back up; an unlisted one does other things."""
    scene = Scene("unauthorised-client-silent")
    for number, client in enumerate((_HOST, "10.1.2.16", "10.1.2.31", "10.1.2.40", "10.1.2.42")):
        session(scene, client, 2001, _SERVER, _PORT, number)
    session(scene, "10.1.2.50", 2001, "198.51.100.80", 443, 10)
    scene.udp(11, "10.1.2.50", 16386, "198.51.100.20", _PORT, 172)
    return pcap(scene.frames())


def _at(*moments: datetime, seed: str) -> bytes:
    """One session at each moment, and a secured FTP control session 5 s later."""
    scene = Scene(seed)
    for number, moment in enumerate(moments):
        at = (moment - START).total_seconds()
        session(scene, _HOST, 2001 + number, _SERVER, _PORT, at)
        ftp_control(scene, _HOST, 40_001 + number, "66.241.7.9", at + 5).close()
    return pcap(scene.frames())


@edge("checks/outside-backup-window-fires.pcap")
def outside_windows() -> bytes:
    """Monday noon; early on Monday, to which no window of a working day leads; a minute before ten in summer time."""
    return _at(
        datetime(2026, 3, 3, 11, 0, tzinfo=UTC),
        datetime(2026, 3, 9, 2, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 19, 59, tzinfo=UTC),
        seed="outside-backup-window-fires",
    )


@edge("checks/outside-backup-window-silent.pcap")
def inside_windows() -> bytes:
    """Just after ten on Monday; shortly before six on Tuesday; early on Saturday, in Friday's window; just after ten in
    summer time."""
    return _at(
        datetime(2026, 3, 2, 21, 0, 1, tzinfo=UTC),
        datetime(2026, 3, 3, 4, 58, tzinfo=UTC),
        datetime(2026, 3, 7, 2, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 20, 0, 30, tzinfo=UTC),
        seed="outside-backup-window-silent",
    )


@edge("situations/registration.pcap")
def registration() -> bytes:
    """First use, three times: a client registers at a vendor's primary, or at the alternate after the primary has
    refused, and then keeps to the pair that it was given."""
    scene = Scene("registration")
    for number, (client, servers) in enumerate(_REGISTRATIONS.items()):
        primary, alternate, *pair = servers
        at = number * 20
        if number == 1:
            Tcp(scene, client, 2001, primary, _PORT, at).syn().refuse()
            session(scene, client, 2002, alternate, _PORT, at + 1, up=2000, down=1500)
        else:
            session(scene, client, 2001, primary, _PORT, at, up=2000, down=1500)
        session(scene, client, 2003, pair[0], _PORT, at + 5, up=20_000, down=300)
        session(scene, client, 2004, pair[1], _PORT, at + 10)
    return pcap(scene.frames())


@edge("situations/ipv6-site.pcap")
def ipv6() -> bytes:
    """A site with IPv6: port 16384 between its own hosts, and to an outside one."""
    scene = Scene("ipv6-site")
    session(scene, "2001:db8:1::10", 2001, "2001:db8:1:9::9", _PORT, 1)
    session(scene, "2001:db8:1::10", 2002, "2001:db8:2::9", 443, 2)
    session(scene, "2001:db8:1::10", 2003, "2001:db8:2::5", _PORT, 3)
    session(scene, _HOST, 2001, _SERVER, _PORT, 4)
    return pcap(scene.frames())


@edge("situations/vlan-span-duplicates.pcap")
def vlan_duplicates() -> bytes:
    """A clean night in a doubly tagged VLAN, every frame twice, as a SPAN of two ports gives it."""
    scene = Scene("vlan-span-duplicates", vlans=(300, 42))
    session(scene, _HOST, 2001, _SERVER, _PORT, 1, up=20_000, down=300)
    session(scene, _HOST, 2002, _ALTERNATE, _PORT, 3)
    scene.web(5)
    return pcap(scene.frames(copies=2))


@edge("situations/outside-vantage.pcap")
def outside_vantage() -> bytes:
    """Captured outside of the firewall: every client has the firewall's address."""
    scene = Scene("outside-vantage")
    session(scene, "203.0.113.7", 2001, _SERVER, _PORT, 1, up=20_000, down=300)
    session(scene, "203.0.113.7", 2002, _ALTERNATE, _PORT, 3)
    session(scene, "203.0.113.7", 2003, "198.51.100.80", 443, 4)
    session(scene, _SERVER, 40_000, "203.0.113.7", 8080, 5)
    return pcap(scene.frames())
