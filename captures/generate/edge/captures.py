"""Captures that do not hold all of the traffic, and those that only look so."""

from __future__ import annotations

from captures.generate.recipe import edge
from captures.generate.record import pcap, pcapng
from captures.generate.scene import Scene, Tcp, ftp_control, session

_HOST = "10.1.2.3"
_SERVER, _ALTERNATE = "204.164.111.5", "140.239.229.5"
_PORT = 16384


def _night(seed: str, *, snap_length: int | None = None) -> Scene:
    """A backup as published, beside other traffic."""
    scene = Scene(seed, snap_length=snap_length)
    session(scene, _HOST, 2001, _SERVER, _PORT, 1, up=30_000, down=300)
    session(scene, _HOST, 2002, _ALTERNATE, _PORT, 3)
    scene.web(5)
    return scene


@edge("checks/capture-incomplete-fires-cut.pcap")
def cut() -> bytes:
    """The file ends in the middle of its last frame."""
    return pcap(_night("capture-incomplete-fires-cut").frames())[:-20]


@edge("checks/capture-incomplete-fires-dropped.pcapng")
def dropped() -> bytes:
    """The capture program says that it dropped 37 packets."""
    return pcapng(_night("capture-incomplete-fires-dropped").frames(), dropped=37)


@edge("checks/capture-incomplete-fires-gap.pcap")
def gap() -> bytes:
    """The server acknowledges two segments that the capture lacks."""
    scene = Scene("capture-incomplete-fires-gap")
    scene.web(0)
    tcp = Tcp(scene, _HOST, 2001, _SERVER, _PORT, 5).open().send(2800)
    for _ in range(2):
        tcp.packet(True, "PA", scene.random.randbytes(1400), lost=True)
    tcp.ack(up=False).send(2800).close()
    return pcap(scene.frames())


@edge("checks/capture-incomplete-fires-one-sided.pcap")
def one_sided() -> bytes:
    """Only what the clients send was captured, of 24 sessions."""
    scene = Scene("capture-incomplete-fires-one-sided")
    for number in range(24):
        server, port = ((_SERVER, _PORT), ("198.51.100.80", 443))[number % 2]
        session(scene, _HOST, 2001 + number, server, port, number, hidden="responder")
    return pcap(scene.frames())


@edge("checks/capture-incomplete-fires-snapped.pcap")
def snapped() -> bytes:
    """96 bytes were kept of every frame: all headers, and less than 8 KiB of the data flow's payload."""
    return pcap(_night("capture-incomplete-fires-snapped", snap_length=96).frames(), snap_length=96)


@edge("checks/capture-incomplete-fires-control-snapped.pcap")
def control_snapped() -> bytes:
    """60 bytes were kept of every frame: of an FTP control session no line can be read."""
    scene = Scene("capture-incomplete-fires-control-snapped", snap_length=60)
    ftp_control(scene, _HOST, 40_000, "66.241.7.9", 1).close()
    scene.web(5)
    return pcap(scene.frames(), snap_length=60)


@edge("checks/capture-incomplete-silent-snapped-enough.pcap")
def snapped_enough() -> bytes:
    """1000 bytes were kept of every frame: more than 8 KiB of the data flow's payload are there."""
    return pcap(_night("capture-incomplete-silent-snapped-enough", snap_length=1000).frames(), snap_length=1000)


@edge("checks/capture-incomplete-silent-late-start.pcap")
def late_start() -> bytes:
    """The capture starts within sessions; one segment is seen out of order and one twice."""
    scene = Scene("capture-incomplete-silent-late-start")
    tcp = Tcp(scene, _HOST, 2001, _SERVER, _PORT, 0).send(8400)
    first = tcp.packet(True, "PA", scene.random.randbytes(1400), lost=True)
    second = tcp.packet(True, "PA", scene.random.randbytes(1400), lost=True)
    for packet in (second, first, second):
        scene.add(tcp.now, packet)
        tcp.now += 0.01
    tcp.ack(up=False).send(600).close()
    session(scene, _HOST, 2002, _ALTERNATE, _PORT, 3)
    scene.web(5)
    return pcap(scene.frames())


@edge("checks/asymmetric-path-fires.pcap")
def asymmetric() -> bytes:
    """One session's answers take another way: the client acknowledges what the capture never shows."""
    scene = Scene("asymmetric-path-fires")
    scene.web(0)
    session(scene, _HOST, 2100, _SERVER, _PORT, 5, hidden="responder")
    session(scene, _HOST, 2101, _ALTERNATE, _PORT, 7)
    scene.web(30)
    return pcap(scene.frames())


@edge("checks/asymmetric-path-silent.pcap")
def symmetric() -> bytes:
    """A refused attempt, and a session whose server says little and late."""
    scene = Scene("asymmetric-path-silent")
    scene.web(0)
    Tcp(scene, _HOST, 2100, _SERVER, _PORT, 5).syn().refuse()
    Tcp(scene, _HOST, 2101, _ALTERNATE, _PORT, 7).open().send(1400).at(20).send(1, up=False).close()
    return pcap(scene.frames())


@edge("situations/no-packets.pcap")
def no_packets() -> bytes:
    """A capture that was started and stopped on a silent port."""
    return pcap([])
