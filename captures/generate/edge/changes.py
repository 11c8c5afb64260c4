"""The same evening before and after a change of the firewall: what differs between them is known exactly."""

from __future__ import annotations

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import Scene, Tcp, session

_HOST = "10.1.2.3"
_SERVER, _ALTERNATE, _FURTHER = "204.164.111.5", "140.239.229.5", "204.164.111.6"
_PORT = 16384


def _evening(seed: str) -> Scene:
    """A backup as published, to both servers, beside other traffic."""
    scene = Scene(seed)
    scene.web(0)
    session(scene, _HOST, 2001, _SERVER, _PORT, 10, up=30_000, down=300)
    session(scene, _HOST, 2002, _ALTERNATE, _PORT, 20)
    return scene


def _udp(scene: Scene) -> None:
    """The firewall lets UDP out to a server, and its answer in."""
    scene.udp(30, _HOST, 40_000, _SERVER, _PORT)
    scene.udp(30.1, _SERVER, _PORT, _HOST, 40_000)


@edge("changes/before.pcap")
def before() -> bytes:
    """UDP goes out to a server; a server's SYN comes in and nobody answers."""
    scene = _evening("changes-before")
    _udp(scene)
    Tcp(scene, _SERVER, 3001, _HOST, 5900, 40).syn()
    return pcap(scene.frames())


@edge("changes/after-better.pcap")
def better() -> bytes:
    """Neither UDP nor the server's SYN gets through any more; the backups still do."""
    return pcap(_evening("changes-after-better").frames())


@edge("changes/after-worse.pcap")
def worse() -> bytes:
    """UDP as before; the server's SYN is answered now, and there is a session with a further server."""
    scene = _evening("changes-after-worse")
    _udp(scene)
    Tcp(scene, _SERVER, 3001, _HOST, 5900, 40).open().send(600).close()
    session(scene, _HOST, 2003, _FURTHER, _PORT, 50)
    return pcap(scene.frames())


@edge("changes/after-silent.pcap")
def silent() -> bytes:
    """Nothing of the vendor gets through, and nothing tries: what was wrong is gone, and so is what was right."""
    scene = Scene("changes-after-silent")
    scene.web(0)
    return pcap(scene.frames())
