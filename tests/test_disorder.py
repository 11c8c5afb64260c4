"""What is said is read although the capture shows answers before what they answer, as two interfaces make it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from samples import Sample, audited, samples
from scapy.layers.inet import IP
from scapy.utils import PcapReader, wrpcap

READ = (
    "checks/cleartext-credentials-fires-proxy",
    "checks/cleartext-credentials-fires-tunnel",
    "checks/hostname-resolves-outside-fires-tcp",
    "checks/proxy-target-outside-published-fires",
    "checks/unencrypted-payload-fires-proxy",
)


def exchanged(packets: list[Any]) -> list[Any]:
    """The packets with neighbours of opposite directions exchanged, pair by pair, at the times of one another."""
    packets = list(packets)
    at = 0
    while at + 1 < len(packets):
        first, second = packets[at : at + 2]
        if (first[IP].src, first[IP].dst) == (second[IP].dst, second[IP].src):
            first.time, second.time = second.time, first.time
            packets[at : at + 2] = second, first
            at += 1
        at += 1
    return packets


@pytest.mark.parametrize("sample", [s for s in samples() if s.name in READ], ids=lambda sample: sample.name)
def test_findings_that_rest_on_what_is_said_survive_disorder(sample: Sample, tmp_path: Path) -> None:
    with PcapReader(str(sample.capture)) as reader:
        packets = list(reader)
    disordered = tmp_path / "disordered.pcap"
    wrpcap(str(disordered), exchanged(packets))
    _, report = audited(disordered, *sample.options())
    told = {(finding["check"], finding["client_ip"], finding["server_ip"]) for finding in report["findings"]}
    expected = {
        (finding["check"], finding["client_ip"], finding["server_ip"]) for finding in sample.expected["findings"]
    }
    assert expected <= told
