"""Captures that tell whose sessions are, or that a file beside them tells it of."""

from __future__ import annotations

from captures.generate.recipe import edge
from captures.generate.record import pcap, pcapng
from captures.generate.scene import Scene, ftp_control, session

_HOST = "10.1.2.3"
_NODE = "66.241.7.9"
_OTHER_NODE = "66.241.7.20"
_SUPPORT = "96.231.233.4"


def _control(scene: Scene, port: int, at: float, process: int | None) -> None:
    scene.process = process
    ftp_control(scene, _HOST, port, _NODE, at).close()


@edge("checks/unlisted-program-fires.pcapng")
def tools() -> bytes:
    """The client's own control session; one of curl and two of lftp; wget at another node."""
    scene = Scene("unlisted-program-fires")
    for number, process in enumerate((0, 1, 2, 2)):
        _control(scene, 40_000 + number, 1 + 2 * number, process)
    scene.process = 3
    ftp_control(scene, _HOST, 40_010, _OTHER_NODE, 12).close()
    return pcapng(scene.frames(), processes=("rbclient.exe", "curl", "lftp", "wget"))


@edge("checks/unlisted-program-silent.pcapng")
def own_programs() -> bytes:
    """The vendor's programs, one in capitals and one by a name that the system cut; a session that nobody names; curl
    with a server of no vendor, with a vendor that lists no programs, and with the support tool."""
    scene = Scene("unlisted-program-silent")
    for number, process in enumerate((0, 1, 2, None)):
        _control(scene, 40_000 + number, 1 + 2 * number, process)
    scene.process = 3
    scene.web(10)
    session(scene, _HOST, 2001, "204.164.111.9", 16384, 15)
    session(scene, _HOST, 40_010, _SUPPORT, 443, 17)
    return pcapng(scene.frames(), processes=("rbclient", "RBTRANSFER.EXE", "rbbackupprogress", "curl"))


def _three_sessions(seed: str) -> Scene:
    scene = Scene(seed)
    for number in range(3):
        _control(scene, 40_000 + number, 1 + 200 * number, None)
    return scene


@edge("checks/unlisted-program-fires-by-sysmon.pcap")
def beside_a_log() -> bytes:
    """Three control sessions. Sysmon's log names curl for the second, and the client's program for the others."""
    return pcap(_three_sessions("unlisted-program-fires-by-sysmon").frames())


@edge("checks/unlisted-program-silent-by-sockets.pcap")
def beside_snapshots() -> bytes:
    """Three control sessions. Snapshots of `ss` name the client's program for two; and curl for the third one's ports,
    an hour before."""
    return pcap(_three_sessions("unlisted-program-silent-by-sockets").frames())
