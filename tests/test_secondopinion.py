"""tshark's opinion on our flow table, and what becomes of differences."""

from __future__ import annotations

from pathlib import Path

import pytest
from frames import plain_ether
from program import CAPTURES, VIOLATING, python, run
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.packet import Raw
from scapy.utils import wrpcap

from auditor.errors import AuditorError
from auditor.secondopinion import Conversation, Ends, compare, second_opinion

ENDS = Ends("tcp", ("10.0.0.1", 1000), ("192.0.2.9", 443))


def seen(**values: int) -> dict[Ends, Conversation]:
    return {ENDS: Conversation(**{"packets_there": 3, "bytes_there": 120, "first_frame": 1, **values})}


def test_equal_words_agree_in_everything() -> None:
    found = compare(seen(), seen())
    assert found.differences == []
    assert set(found.agreed.values()) == {(1, 1)}


def test_a_difference_is_shown_with_both_words_and_without_a_reason_counts() -> None:
    found = compare(seen(), seen(packets_there=4))
    (difference,) = found.unexplained
    assert (difference.what, difference.ours, difference.theirs) == ("packets_there", "3", "4")
    assert found.agreed["packets_there"] == (0, 1)


def test_a_known_reason_explains_a_difference() -> None:
    theirs = seen(packets_there=4)
    theirs[ENDS].notes.add("fragments")
    found = compare(seen(), theirs)
    assert found.unexplained == []
    assert [difference.why for difference in found.differences] == ["fragments"]


def test_a_conversation_that_only_one_has_is_a_difference() -> None:
    for ours, theirs in ((seen(), {}), ({}, seen())):
        (difference,) = compare(ours, theirs).unexplained
        assert difference.what == "conversation"
        assert "none" in (difference.ours, difference.theirs)


@pytest.mark.parametrize("name", ["situations/vlan-span-duplicates.pcap", "situations/ipv6-site.pcap"])
def test_tshark_agrees_with_samples(name: str) -> None:
    found = second_opinion(str(CAPTURES / name))
    assert found.conversations > 0
    assert found.differences == []


def test_a_capture_that_grew_between_both_readings_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "grows.pcap"
    path.write_bytes(VIOLATING.read_bytes())

    def grows(*_: object) -> dict[Ends, Conversation]:
        with path.open("ab") as file:
            file.write(bytes(16))
        return {}

    monkeypatch.setattr("auditor.secondopinion.tshark_conversations", grows)
    with pytest.raises(AuditorError, match="was written while both programs read it"):
        second_opinion(str(path))


def test_fragments_are_explained_and_quoted_packets_are_no_conversation(tmp_path: Path) -> None:
    head = IP(src="10.0.0.1", dst="192.0.2.9", id=7)
    refused = ICMP(type=3, code=3) / IP(src="10.0.0.1", dst="192.0.2.9") / UDP(sport=5, dport=6)
    packets = [
        *fragment(head / UDP(sport=5, dport=6) / Raw(bytes(3000)), fragsize=1400),
        IP(src="192.0.2.9", dst="10.0.0.1") / refused,
        head / TCP(sport=7, dport=8),
    ]
    path = tmp_path / "fragments.pcap"
    wrpcap(str(path), [plain_ether() / packet for packet in packets])
    found = second_opinion(str(path))
    assert found.agreed["conversation"][0] == 3
    assert found.unexplained == []
    assert all("fragments" in difference.why for difference in found.differences)


def test_verify_says_that_both_agree() -> None:
    done = run("verify", VIOLATING)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("AGREED: 11 conversations")


def test_verify_says_what_is_missing(tmp_path: Path) -> None:
    done = run("verify", VIOLATING, PATH=str(tmp_path))
    assert done.returncode == 2
    assert "tshark" in done.stderr
    assert "install" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["-"], ["no-such-file.pcap"], [str(VIOLATING), "--timeout", "0"]])
def test_verify_refuses_what_it_cannot_read_twice(words: list[str]) -> None:
    done = run("verify", *words)
    assert done.returncode == 2
    assert "expected" in done.stderr


def test_nothing_is_left_open(tmp_path: Path) -> None:
    code = "import sys, warnings; warnings.simplefilter('error'); from auditor.secondopinion import second_opinion\n"
    code += "found = second_opinion(sys.argv[1]); print(len(found.differences))"
    done = python(code, CAPTURES / "situations" / "ipv6-site.pcap")
    assert (done.returncode, done.stdout) == (0, "0\n")
    assert "Error" not in done.stderr
