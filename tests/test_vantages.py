"""Two vantages: what the firewall makes of each flow, and what it keeps out. The captures are made here, by scapy.

A session is written as the inside sees it; `through` is the firewall: it gives the session as the outside
sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from frames import plain_ether
from program import run
from scapy.layers.inet import IP, TCP
from scapy.utils import wrpcap

from auditor import audit
from auditor.errors import AuditorError
from auditor.result import Audit

START = 1_700_000_000.0
CLIENT, NAT, SERVER, OTHER = "10.0.0.5", "192.0.2.1", "204.164.111.9", "198.51.100.7"
PORT = 16384
HELLO = bytes(range(200)) * 2
ANSWER = bytes(range(255, 55, -1)) * 3
PACK = "online-backup-service"


@dataclass(frozen=True)
class Segment:
    """One TCP segment as one side shows it."""

    at: float
    source: str
    source_port: int
    target: str
    target_port: int
    flags: str
    sequence: int
    acknowledgement: int
    payload: bytes = b""


Session = list[Segment]


def session(
    at: float = 10.0,
    client: tuple[str, int] = (CLIENT, 2000),
    server: tuple[str, int] = (SERVER, PORT),
    *,
    up: bytes = HELLO,
    down: bytes = ANSWER,
    isn: int | None = None,
) -> Session:
    """A whole session that the client opens, as it is seen inside."""
    mine = hash_of(*client, at) if isn is None else isn
    theirs = hash_of(*server, client[1], at)
    ends = (*client, *server)
    back = (*server, *client)
    sent, got = mine + 1 + len(up), theirs + 1 + len(down)
    return [
        Segment(at, *ends, "S", mine, 0),
        Segment(at + 0.02, *back, "SA", theirs, mine + 1),
        Segment(at + 0.03, *ends, "A", mine + 1, theirs + 1),
        Segment(at + 0.04, *ends, "PA", mine + 1, theirs + 1, up[:150]),
        Segment(at + 0.05, *ends, "PA", mine + 151, theirs + 1, up[150:]),
        Segment(at + 0.07, *back, "PA", theirs + 1, sent, down),
        Segment(at + 0.09, *ends, "FA", sent, got),
        Segment(at + 0.11, *back, "FA", got, sent + 1),
        Segment(at + 0.12, *ends, "A", sent + 1, got + 1),
    ]


def attempt(at: float, source: tuple[str, int], target: tuple[str, int]) -> Session:
    return [Segment(at, *source, *target, "S", hash_of(*source, *target), 0)]


def hash_of(*values: object) -> int:
    """A 31-bit number that stands for these values, the same in every run."""
    number = 2166136261
    for byte in repr(values).encode():
        number = (number ^ byte) * 16777619 % 2**31
    return number


def through(
    segments: Session,
    hosts: dict[str, str] | None = None,
    ports: dict[int, int] | None = None,
    change: Callable[[Segment], Segment] = lambda segment: segment,
    delay: float = 0.001,
) -> Session:
    """The firewall: addresses and ports given others, each segment changed at will, all of them later."""
    hosts, ports = hosts or {}, ports or {}
    return [
        change(
            replace(
                one,
                at=one.at + delay,
                source=hosts.get(one.source, one.source),
                source_port=ports.get(one.source_port, one.source_port),
                target=hosts.get(one.target, one.target),
                target_port=ports.get(one.target_port, one.target_port),
            )
        )
        for one in segments
    ]


NATTED: dict[str, Any] = {"hosts": {CLIENT: NAT}, "ports": {2000: 61000}}


def write(path: Path, *sessions: Iterable[Segment], clock: float = 0.0) -> Path:
    """A capture of these sessions, in order of time; two strangers keep it from ending with them.

    `clock`: seconds that it is fast.
    """
    bystanders = [*session(0.0, ("10.0.0.9", 3000), (OTHER, 443)), *session(60.0, ("10.0.0.9", 3001), (OTHER, 443))]
    packets = []
    for one in sorted([*bystanders, *(part for some in sessions for part in some)], key=lambda part: part.at):
        packet: Any = plain_ether() / IP(src=one.source, dst=one.target)
        packet /= TCP(
            sport=one.source_port,
            dport=one.target_port,
            flags=one.flags,
            seq=one.sequence % 2**32,
            ack=one.acknowledgement % 2**32,
        )
        if one.payload:
            packet /= one.payload
        packet.time = START + one.at + clock
        packets.append(packet)
    wrpcap(str(path), packets)
    return path


def audited(
    tmp_path: Path, inside: Sequence[Session], outside: Sequence[Session], clock: float = 0.0, **options: Any
) -> Audit:
    options = {"packs": [PACK], **options}
    near, far = tmp_path / "inside.pcap", tmp_path / "outside.pcap"
    return audit(inside=write(near, *inside), outside=write(far, *outside, clock=clock), **options)


def findings(report: Audit, check: str) -> list[dict[str, Any]]:
    return [one for one in report.to_dict()["findings"] if one["check"] == check]


def translation(report: Audit) -> dict[str, Any]:
    (entry,) = report.to_dict()["translations"]
    return dict(entry)


def test_a_session_that_passes_as_it_is_is_transparent(tmp_path: Path) -> None:
    one = session()
    report = audited(tmp_path, [one], [through(one)])
    assert findings(report, "not-transparent") == []
    entry = translation(report)
    assert (entry["client_ip"], entry["outside_client_ip"], entry["tied_by"]) == (CLIENT, CLIENT, ["community-id"])
    assert report.to_dict()["vantages"] == {
        "clock_offset": pytest.approx(0.0, abs=0.01), "paired": 3, "only_inside": 0, "only_outside": 0,
    }  # fmt: skip


def test_a_translated_client_is_transparent_and_stands_in_the_table(tmp_path: Path) -> None:
    one = session()
    report = audited(tmp_path, [one], [through(one, **NATTED)])
    assert findings(report, "not-transparent") == []
    entry = translation(report)
    assert (entry["client_ip"], entry["outside_client_ip"], entry["tied_by"]) == (CLIENT, NAT, ["sequence"])
    assert (entry["server_ip"], entry["outside_server_ip"]) == (SERVER, SERVER)
    assert entry["initiator_ports"] == [{"inside": 2000, "outside": 61000}]
    assert (entry["service_port"], entry["direction"], entry["flows"]) == (PORT, "outbound", 1)


def test_several_clients_behind_one_address_are_told_apart(tmp_path: Path) -> None:
    inside = [session(10 + n / 10, (f"10.0.0.{n}", 2000)) for n in range(1, 9)]
    outside = [
        through(one, {f"10.0.0.{n}": NAT}, {2000: 61000 + n}) for n, one in enumerate(inside, start=1)
    ]  # fmt: skip
    report = audited(tmp_path, inside, outside)
    assert findings(report, "not-transparent") == []
    pairs = {entry["client_ip"]: entry["initiator_ports"] for entry in report.to_dict()["translations"]}
    assert pairs == {f"10.0.0.{n}": [{"inside": 2000, "outside": 61000 + n}] for n in range(1, 9)}


def test_changed_sequence_numbers_are_no_finding_and_the_payload_ties_the_flows(tmp_path: Path) -> None:
    def renumbered(one: Segment) -> Segment:
        acknowledged = one.acknowledgement + 1_000_000 if "A" in one.flags else 0
        return replace(one, sequence=one.sequence + 1_000_000, acknowledgement=acknowledged)

    one = session()
    report = audited(tmp_path, [one], [through(one, **NATTED, change=renumbered)])
    assert findings(report, "not-transparent") == []
    assert translation(report)["tied_by"] == ["payload"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"hosts": {CLIENT: NAT, SERVER: OTHER}}, f"the server is {SERVER} inside and {OTHER} outside"),
        ({"ports": {PORT: 8080}}, "the server's port is 16384 inside and 8080 outside"),
        (
            {"hosts": {SERVER: OTHER}, "ports": {PORT: 8080}},
            f"the server is {SERVER} inside and {OTHER} outside; the server's port is 16384 inside and 8080 outside",
        ),
    ],
)
def test_a_redirected_session_is_not_transparent(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    one = session()
    (finding,) = findings(audited(tmp_path, [one], [through(one, **changed)]), "not-transparent")
    assert finding["message"].endswith(words)
    assert (finding["severity"], finding["certainty"], finding["client_ip"]) == ("medium", "certain", CLIENT)
    assert (finding["server_ip"], finding["service_port"]) == (SERVER, PORT)


@pytest.mark.parametrize("at", [0, 149, 150, 255])
def test_rewritten_payload_is_not_transparent(tmp_path: Path, at: int) -> None:
    other = bytearray(HELLO)
    other[at] ^= 1
    one = session()
    report = audited(tmp_path, [one], [through(session(up=bytes(other)), **NATTED)])
    (finding,) = findings(report, "not-transparent")
    assert finding["message"].endswith("the payload differs")
    assert finding["certainty"] == "certain"


def test_rewritten_payload_of_another_length_is_not_transparent(tmp_path: Path) -> None:
    long = HELLO + b"\0" * 400
    report = audited(tmp_path, [session(up=long)], [through(session(up=long + b"more"), **NATTED)])
    assert len(findings(report, "not-transparent")) == 1, "the first 256 bytes are alike, the lengths are not"


def test_no_payload_byte_and_no_digest_stands_in_the_report(tmp_path: Path) -> None:
    secret = b"user planted pass planted-secret" * 4
    one = session(up=secret)
    report = audited(tmp_path, [one], [through(one, **NATTED)])
    assert "planted" not in str(report.to_dict())


@pytest.mark.parametrize("lost", [3, 4, 5])
@pytest.mark.parametrize("side", ["inside", "outside"])
def test_a_packet_that_one_side_lacks_is_no_change(tmp_path: Path, lost: int, side: str) -> None:
    one = session()
    sides = {"inside": one, "outside": through(one, **NATTED)}
    sides[side] = [part for at, part in enumerate(sides[side]) if at != lost]
    report = audited(tmp_path, [sides["inside"]], [sides["outside"]])
    assert findings(report, "not-transparent") == []
    assert translation(report)["outside_client_ip"] == NAT
    assert report.verdict != "clean" or not report.losses


def test_a_lost_packet_leaves_the_statement_unjudged(tmp_path: Path) -> None:
    one = session(server=(SERVER, 4401))
    whole = audited(tmp_path, [one], [through(one, **NATTED)], packs=["securidata"])
    cut = audited(
        tmp_path, [one], [[part for part in through(one, **NATTED) if not part.payload]], packs=["securidata"]
    )
    status = [{(e["vendor"], e["statement"]): e["status"] for e in r.to_dict()["coverage"]} for r in (whole, cut)]
    assert [s["securidata", "transparency"] for s in status] == ["met", "inconclusive"]
    single = audit(write(tmp_path / "one.pcap", one), packs=["securidata"])
    (entry,) = [e for e in single.to_dict()["coverage"] if e["statement"] == "transparency"]
    assert entry["status"] == "not exercised"


def test_a_changed_session_violates_the_statement(tmp_path: Path) -> None:
    one = session(server=(SERVER, 4401))
    report = audited(tmp_path, [one], [through(one, ports={4401: 4402})], packs=["securidata"])
    (entry,) = [e for e in report.to_dict()["coverage"] if e["statement"] == "transparency"]
    assert entry["status"] == "violated"


@pytest.mark.parametrize("seconds", [1.0, -1.0, 3600.0, -86400.0])
def test_clocks_need_not_agree(tmp_path: Path, seconds: float) -> None:
    inside = [session(10 + n / 5, (CLIENT, 2000 + n)) for n in range(5)]
    outside = [through(one, {CLIENT: NAT}, {2000 + n: 61000 + n}) for n, one in enumerate(inside)]
    report = audited(tmp_path, inside, [*outside, attempt(30, (SERVER, 1234), (NAT, 22))], clock=seconds)
    assert report.to_dict()["vantages"]["clock_offset"] == pytest.approx(seconds, abs=0.01)
    assert findings(report, "not-transparent") == []
    assert len(translation(report)["initiator_ports"]) == 5
    assert translation(report)["first_seen"].startswith("2023-11-14T22:13:30"), "the inside's clock"
    (finding,) = findings(report, "inbound-initiated")
    assert "stopped it" in finding["message"]


def test_an_attempt_that_the_firewall_stopped_is_told_from_one_that_it_let_through(tmp_path: Path) -> None:
    one = session()
    stopped = attempt(20, (SERVER, 1111), (NAT, 22))
    passed = attempt(25, (SERVER, 2222), (CLIENT, 23))
    outside = [through(one, **NATTED), stopped, through(passed, {CLIENT: NAT}, delay=-0.001)]
    report = audited(tmp_path, [one, passed], outside)
    by_port = {finding["service_port"]: finding for finding in findings(report, "inbound-initiated")}
    assert by_port.keys() == {22, 23}
    assert by_port[22]["message"].endswith("the firewall stopped it: outside it was captured, inside it was not")
    assert (by_port[22]["outcome"], by_port[22]["severity"], by_port[22]["client_ip"]) == ("attempt", "high", NAT)
    assert by_port[22]["evidence"][0]["capture"].endswith("outside.pcap")
    assert by_port[23]["message"].endswith("the firewall let it through")
    assert (by_port[23]["outcome"], by_port[23]["client_ip"]) == ("attempt", CLIENT)
    assert by_port[23]["evidence"][0]["capture"].endswith("inside.pcap")


def test_an_open_door_is_critical_and_named_as_let_through(tmp_path: Path) -> None:
    one = session(20, (SERVER, 1111), (CLIENT, 22))
    report = audited(tmp_path, [one], [through(one, {CLIENT: NAT})])
    (finding,) = findings(report, "inbound-initiated")
    assert (finding["severity"], finding["outcome"]) == ("critical", "open")
    assert finding["message"].endswith("the firewall let it through")
    assert translation(report)["direction"] == "inbound"


def test_without_translation_one_finding_names_both_fates(tmp_path: Path) -> None:
    tries = [attempt(20 + n, (SERVER, 1111 + n), (CLIENT, 22)) for n in range(3)]
    report = audited(tmp_path, [tries[1]], [through(one, delay=-0.001) for one in tries])
    (finding,) = findings(report, "inbound-initiated")
    assert finding["count"] == 3
    assert finding["message"].endswith("the firewall let some of them through and stopped others")


def test_what_the_inside_could_not_show_is_not_called_stopped(tmp_path: Path) -> None:
    late = attempt(500, (SERVER, 1111), (NAT, 22))
    report = audited(tmp_path, [session()], [through(session(), **NATTED), late])
    (finding,) = findings(report, "inbound-initiated")
    assert finding["message"].endswith("what was captured inside does not tell whether it came through")


def test_strangers_at_the_outside_and_their_sessions_are_left_alone(tmp_path: Path) -> None:
    noise = [attempt(20, (OTHER, 1111), (NAT, 22)), session(21, ("192.0.2.99", 999), (SERVER, PORT))]
    report = audited(tmp_path, [session()], [through(session(), **NATTED), *noise])
    assert report.verdict == "clean"
    assert report.to_dict()["vantages"]["only_outside"] == 2


def test_with_nat_in_the_site_only_its_addresses_are_the_inside(tmp_path: Path) -> None:
    from auditor.validation.site import validate_site

    site = validate_site(b'nat: ["192.0.2.1"]', "site.yaml", [])
    tries = [attempt(20, (SERVER, 1111), (NAT, 22)), attempt(21, (SERVER, 1112), ("192.0.2.77", 22))]
    report = audited(tmp_path, [session()], [through(session(), **NATTED), *tries], site=site)
    assert [finding["client_ip"] for finding in findings(report, "inbound-initiated")] == [NAT]


def test_sessions_of_the_same_shape_at_the_same_time_are_not_confused(tmp_path: Path) -> None:
    """Sequence numbers rewritten and payload alike: nothing tells the two apart, so nothing is said of them."""
    inside = [session(10.0, (f"10.0.0.{n}", 2000), up=b"", down=b"") for n in (1, 2)]
    outside = [
        through(
            session(10.0, (f"10.0.0.{n}", 2000), up=b"", down=b"", isn=77 + n), {f"10.0.0.{n}": NAT}, {2000: 6000 + n}
        )
        for n in (1, 2)
    ]
    renumbered = [[replace(part, sequence=part.sequence + 5000) for part in one] for one in outside]
    report = audited(tmp_path, inside, renumbered)
    assert report.to_dict()["translations"] == []
    assert findings(report, "not-transparent") == []


def test_time_alone_ties_a_lone_flow_and_the_table_says_so(tmp_path: Path) -> None:
    inside = session(up=b"", down=b"")
    outside = [replace(part, sequence=part.sequence + 5000) for part in through(inside, **NATTED)]
    assert translation(audited(tmp_path, [inside], [outside]))["tied_by"] == ["time"]


def test_two_sessions_of_other_payload_are_not_one_because_they_came_together(tmp_path: Path) -> None:
    inside = session(up=HELLO, down=ANSWER)
    stranger = session(10.1, ("192.0.2.50", 999), up=ANSWER[:300], down=HELLO, isn=5)
    outside = [replace(part, sequence=part.sequence + 9) for part in stranger]
    report = audited(tmp_path, [inside], [outside])
    assert report.to_dict()["translations"] == []
    assert findings(report, "not-transparent") == []


def test_ports_used_again_are_paired_by_time(tmp_path: Path) -> None:
    inside = [session(10.0 * n) for n in range(1, 5)]
    report = audited(tmp_path, inside, [through(one) for one in inside])
    assert translation(report)["flows"] == 4
    assert findings(report, "not-transparent") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--inside", "a.pcap"], "--outside is missing"),
        (["--outside", "a.pcap"], "--inside is missing"),
        (["--inside", "a.pcap", "--outside", "a.pcap"], "is given as inside and as outside"),
        (["b.pcap", "--inside", "a.pcap", "--outside", "b.pcap"], "is given beside two vantages"),
        ([], "no CAPTURE is named"),
    ],
)
def test_wrong_calls_say_what_is_expected(tmp_path: Path, arguments: list[str], words: str) -> None:
    for name in ("a.pcap", "b.pcap"):
        write(tmp_path / name, session())
    done = run("audit", *[str(tmp_path / word) if word.endswith(".pcap") else word for word in arguments])
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_program_compares_two_vantages_and_shows_the_table(tmp_path: Path) -> None:
    one = session()
    inside, outside = write(tmp_path / "in.pcap", one), write(tmp_path / "out.pcap", through(one, **NATTED))
    done = run("audit", "--inside", inside, "--outside", outside, "--pack", PACK)
    assert done.returncode == 0, done.stderr
    assert f"{CLIENT} → {SERVER}:{PORT}" in done.stdout
    assert NAT in done.stdout


def test_a_report_of_one_vantage_has_no_translations(tmp_path: Path) -> None:
    report = audit(write(tmp_path / "one.pcap", session()), packs=[PACK]).to_dict()
    assert not {"translations", "vantages"} & report.keys()


def test_nothing_to_read_on_one_side_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "garbage.pcap").write_bytes(b"no capture at all, but long enough to be looked at")
    with pytest.raises(AuditorError):
        audit(inside=write(tmp_path / "in.pcap", session()), outside=tmp_path / "garbage.pcap", packs=[PACK])


def test_a_side_without_packets_leaves_everything_open(tmp_path: Path) -> None:
    empty = Path(__file__).parents[1] / "captures" / "situations" / "no-packets.pcap"
    inside = write(tmp_path / "in.pcap", session())
    report = audit(inside=inside, outside=empty, packs=[PACK])
    assert report.verdict == "inconclusive"
    assert report.to_dict()["translations"] == []
