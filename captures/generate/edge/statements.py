"""What no check looks at and the coverage tells of: addresses in force, lengths of backups, files and their ports."""

from __future__ import annotations

from datetime import UTC, datetime

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import Scene, Tcp, session

_HOST = "10.1.2.3"
_PORT = 16384
_NODE = "66.241.7.9"
_PAIRS = (
    ("204.164.111.5", "140.239.229.5"),
    ("193.239.112.9", "193.239.113.9"),
    ("12.159.133.15", "66.151.228.15"),
)
_HOUR, _MINUTE = 3600, 60
_BURST_EVERY = 240  # seconds; well below the silence that parts two sessions
_BURST = 700


def _with_every_network(seed: str, start: datetime) -> Scene:
    scene = Scene(seed, start=start)
    for number, server in enumerate(server for pair in _PAIRS for server in pair):
        session(scene, _HOST, 2001 + number, server, _PORT, 2 * number)
    return scene


@edge("situations/addresses-in-force.pcap")
def in_force() -> bytes:
    """Sessions with both networks of the three vendors of port 16384, on a day for which the site vouches for them."""
    return pcap(_with_every_network("addresses-in-force", datetime(2026, 6, 30, 21, 0, tzinfo=UTC)).frames())


@edge("situations/addresses-superseded.pcap")
def superseded() -> bytes:
    """The same one day later, and a session with a server that nobody publishes."""
    scene = _with_every_network("addresses-superseded", datetime(2026, 7, 1, 21, 0, tzinfo=UTC))
    session(scene, _HOST, 2010, "198.51.100.77", _PORT, 20)
    return pcap(scene.frames())


def _backup(scene: Scene, source_port: int, at: float, lasts: float) -> None:
    """A session with a burst of data every few minutes, as long as it lasts."""
    tcp = Tcp(scene, _HOST, source_port, "12.159.133.20", _PORT, at).open().send(20_000)
    moment = at + _BURST_EVERY
    while moment < at + lasts:
        tcp.at(moment).send(_BURST)
        moment += _BURST_EVERY
    tcp.at(at + lasts).close()


@edge("situations/first-backup.pcap")
def first_backup() -> bytes:
    """A registration, a first backup of two and a half hours, and two later ones of minutes."""
    scene = Scene("first-backup")
    session(scene, _HOST, 2001, "12.159.133.2", _PORT, 0, up=2000, down=1500)
    _backup(scene, 2002, 60, 2.5 * _HOUR)
    _backup(scene, 2003, 24 * _HOUR, 5 * _MINUTE)
    _backup(scene, 2004, 48 * _HOUR, 7 * _MINUTE)
    return pcap(scene.frames())


@edge("situations/two-files-by-one-port.pcap")
def two_files() -> bytes:
    """A readable control session in which the client sends two files to a port that was assigned once."""
    scene = Scene("two-files-by-one-port")
    tcp = Tcp(scene, _HOST, 40_000, _NODE, 21, 1).open().say("220 ready", up=False)
    place = f"{_NODE.replace('.', ',')},{30_001 >> 8},{30_001 & 255}"
    tcp.say("PASV", up=True).say(f"227 Entering passive mode ({place})", up=False)
    tcp.say("STOR one", up=True).say("150 go ahead", up=False)
    data = Tcp(scene, _HOST, 40_001, _NODE, 30_001, 2).open().send(9000)
    tcp.at(3).say("226 done", up=False)
    tcp.say("STOR two", up=True).say("150 go ahead", up=False)
    data.at(4).send(9000).close()
    tcp.at(5).say("226 done", up=False).say("QUIT", up=True).say("221 bye", up=False).close()
    return pcap(scene.frames())
