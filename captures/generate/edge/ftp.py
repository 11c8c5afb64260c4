"""Dr.Backup's control and data connections in time: who was alive when."""

from __future__ import annotations

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import Scene, Tcp, ftp_control, session

_NODE = "66.241.7.9"
_HOSTS = [f"10.1.2.{last}" for last in range(3, 8)]


@edge("checks/data-without-control-fires.pcap")
def orphans() -> bytes:
    """Data connections 301 s and later into the capture: no control at all, only another client's, one closed."""
    scene = Scene("data-without-control-fires")
    alone, other, closed = _HOSTS[:3]
    scene.web(0)
    neighbour = ftp_control(scene, other, 40_000, _NODE, 10)
    gone = ftp_control(scene, closed, 40_000, _NODE, 20).at(300).close()
    session(scene, alone, 40_001, _NODE, 30_001, 301, up=5000, down=0)
    session(scene, other, 40_001, _NODE, 30_002, 302, up=5000, down=0)
    session(scene, closed, 40_001, _NODE, 30_003, gone.now + 20, up=5000, down=0)
    neighbour.at(330).send(200).close()
    return pcap(scene.frames())


@edge("checks/data-without-control-silent.pcap")
def not_orphans() -> bytes:
    """Data 299 s into the capture, whose control may lie before it; a control that was open before the capture, and one
    that fell silent for long, each with data later."""
    scene = Scene("data-without-control-silent")
    early, running, quiet = _HOSTS[:3]
    scene.web(0)
    before = Tcp(scene, running, 40_000, _NODE, 21, 1).send(200).send(200, up=False)
    idle = ftp_control(scene, quiet, 40_000, "66.241.7.10", 10, port=211)
    session(scene, early, 40_001, _NODE, 30_001, 299, up=5000, down=0)
    session(scene, running, 40_001, _NODE, 30_002, 400, up=5000, down=0)
    session(scene, quiet, 40_001, "66.241.7.10", 30_003, 900, up=5000, down=0)
    before.at(905).send(100).close()
    idle.at(910).send(100).close()
    return pcap(scene.frames())


def _upload_past_the_close(scene: Scene, client: str, *, closed: float, last_data: float, ended: float) -> None:
    """A data connection that begins under its control session and goes on after that has closed."""
    control = ftp_control(scene, client, 40_000, _NODE, 1)
    data = Tcp(scene, client, 40_001, _NODE, 30_001, 5).open()
    moment = 10.0
    while moment < last_data:
        data.at(moment).send(700)
        moment += 20
    control.at(closed).close()
    data.at(last_data).send(700).at(ended).close()


@edge("checks/data-outlives-control-fires.pcap")
def outlives() -> bytes:
    """The last data packet comes 61 s after the control session's last."""
    scene = Scene("data-outlives-control-fires")
    _upload_past_the_close(scene, _HOSTS[0], closed=100, last_data=161.1, ended=165)
    return pcap(scene.frames())


def _readable_control(scene: Scene, source_port: int, at: float, *announced: int) -> Tcp:
    """A control session in the clear whose server announces these ports by PASV."""
    tcp = Tcp(scene, _HOSTS[0], source_port, _NODE, 21, at).open().say("220 ready", up=False)
    for port in announced:
        place = f"{_NODE.replace('.', ',')},{port >> 8},{port & 255}"
        tcp.say("PASV", up=True).say(f"227 Entering passive mode ({place})", up=False)
        tcp.say("STOR file", up=True).say("150 go ahead", up=False)
    return tcp


@edge("checks/data-outlives-control-fires-readable.pcap")
def outlives_its_own() -> bytes:
    """The control session that announced the port has closed 69 s before the last data; another one of the same client,
    which announced another port, lives on."""
    scene = Scene("data-outlives-control-fires-readable")
    own = _readable_control(scene, 40_000, 1, 30_001)
    other = _readable_control(scene, 40_010, 2, 30_002)
    data = Tcp(scene, _HOSTS[0], 40_001, _NODE, 30_001, 5).open().send(9000)
    session(scene, _HOSTS[0], 40_011, _NODE, 30_002, 6, up=9000, down=0)
    own.at(100).say("226 done", up=False).close()
    data.at(169.5).send(700).close()
    other.at(180).say("QUIT", up=True).say("221 bye", up=False).close()
    return pcap(scene.frames())


@edge("checks/data-outlives-control-silent.pcap")
def ends_in_time() -> bytes:
    """The last data packet comes 59 s after, only the FINs later; another client's second control session lives on."""
    scene = Scene("data-outlives-control-silent")
    _upload_past_the_close(scene, _HOSTS[0], closed=100, last_data=158.9, ended=170)
    second = ftp_control(scene, _HOSTS[1], 40_010, _NODE, 2)
    _upload_past_the_close(scene, _HOSTS[1], closed=100, last_data=170, ended=171)
    second.at(180).close()
    return pcap(scene.frames())


@edge("checks/restore-observed-fires.pcap")
def restores() -> bytes:
    """Data that comes back: from a server of port 16384, and over an FTP data connection."""
    scene = Scene("restore-observed-fires")
    session(scene, _HOSTS[0], 2001, "204.164.111.5", 16384, 1, up=500, down=40_000)
    control = ftp_control(scene, _HOSTS[0], 40_000, _NODE, 5)
    session(scene, _HOSTS[0], 40_001, _NODE, 31_000, 7, up=0, down=20_000)
    control.at(9).close()
    return pcap(scene.frames())


@edge("checks/restore-observed-silent.pcap")
def backups() -> bytes:
    """A backup with a talkative server; a session below the bulk limit that takes more than it gives; an FTP upload and
    an empty file."""
    scene = Scene("restore-observed-silent")
    session(scene, _HOSTS[0], 2001, "204.164.111.5", 16384, 1, up=40_000, down=9000)
    session(scene, _HOSTS[0], 2002, "204.164.111.5", 16384, 3, up=300, down=16_000)
    control = ftp_control(scene, _HOSTS[0], 40_000, _NODE, 5)
    session(scene, _HOSTS[0], 40_001, _NODE, 31_000, 7, up=20_000, down=0)
    session(scene, _HOSTS[0], 40_002, _NODE, 31_001, 8, up=0, down=0)
    control.at(9).close()
    return pcap(scene.frames())


@edge("checks/support-session-observed-fires.pcap")
def support() -> bytes:
    """The support tool on both of its ports."""
    scene = Scene("support-session-observed-fires")
    session(scene, _HOSTS[0], 40_000, "96.231.233.4", 8008, 1, up=3000, down=9000)
    session(scene, _HOSTS[0], 40_001, "96.231.233.4", 443, 3, up=3000, down=9000)
    return pcap(scene.frames())


@edge("checks/support-session-observed-silent.pcap")
def no_support() -> bytes:
    """The same ports one address on, another port of the tool refused."""
    scene = Scene("support-session-observed-silent")
    session(scene, _HOSTS[0], 40_000, "96.231.233.5", 8008, 1)
    session(scene, _HOSTS[0], 40_001, "96.231.233.3", 443, 2)
    Tcp(scene, _HOSTS[0], 40_002, "96.231.233.4", 80, 3).syn().refuse()
    return pcap(scene.frames())
