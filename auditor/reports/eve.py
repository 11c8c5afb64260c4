"""Suricata's EVE, a JSON object a line: alerts for the findings, the flows, and `stats` about captures at the end.

Alerts stand in time order. `alert.severity` is EVE's, 1 is the worst; ours stands in the metadata. Signature ids are
of the range for local rules, one for each check, the same in every version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TextIO

from auditor.reports._eventlines import told, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.reporttypes import FindingEntry, FlowEntry
    from auditor.result import Audit

SUFFIXES = (".eve", ".eve.json", ".eve.jsonl")
SHARED = (".json", ".jsonl", ".ndjson", ".log")
HASHED = True
SEVERITIES: Final = {"critical": 1, "high": 1, "medium": 2, "low": 3, "info": 3}
FIRST_ID, IDS = 1_000_000, 900_000
"""Signature ids from a million on are for local use."""
STATES: Final = {"S0": "new", "REJ": "closed", "SF": "closed", "RSTO": "closed", "RSTR": "closed", "S1": "established"}


def signature_id(check: str) -> int:
    """The number of a check."""
    from zlib import crc32

    return FIRST_ID + crc32(check.encode()) % IDS


def write(report: Audit, stream: TextIO) -> None:
    """Write all events."""
    write_lines(events(report), stream)


def events(report: Audit) -> Iterator[dict[str, Any]]:
    """Alerts, flows, then one event about the whole."""
    doc, flows, last = told(report)
    for finding in sorted(doc["findings"], key=lambda finding: finding["first_seen"] or ""):
        yield _alert(finding, flows)
    for flow in doc["flows"]:
        yield _flow(flow)
    yield {
        "timestamp": _time(last),
        "event_type": "stats",
        "stats": {
            "capture": {
                "kernel_packets": report.health.packets,
                "kernel_drops": sum(c["drops"] for c in report.captures),
            },
            "decoder": {"pkts": report.health.packets, "bytes": sum(capture["bytes"] for capture in doc["captures"])},
        },
        "auditor": {
            "verdict": doc["verdict"],
            "captures": doc["captures"],
            "coverage": doc["coverage"],
            "manifest": doc["manifest"],
        },
    }


def _alert(finding: FindingEntry, flows: Mapping[str, FlowEntry]) -> dict[str, Any]:
    first = finding["evidence"][0]
    flow = next((flows[id] for id in finding["flow_ids"] if id in flows), None)
    event: dict[str, Any] = {
        "timestamp": _time(finding["first_seen"] or first["timestamp"]),
        "event_type": "alert",
        "pcap_filename": first["capture"],
    }
    if first["frame"]:
        event["pcap_cnt"] = first["frame"]
    if flow is not None:
        event |= _ends(flow)
    else:
        inbound = finding["direction"] == "inbound"
        ends = [(finding["client_ip"], None), (finding["server_ip"], finding["server_port"])]
        if inbound:
            ends = [(finding["server_ip"], None), (finding["client_ip"], finding["service_port"])]
        names = (("src_ip", "src_port"), ("dest_ip", "dest_port"))
        for (address, port), keys in zip(ends, names, strict=True):
            event |= {key: value for key, value in zip(keys, (address, port), strict=True) if value is not None}
        if finding["protocol"]:
            event["proto"] = finding["protocol"].upper()
    severity = finding["severity"]
    event["alert"] = {
        "action": "allowed",
        "gid": 1,
        "signature_id": signature_id(finding["check"]),
        "rev": 1,
        "signature": finding["message"],
        "category": finding["title"],
        "severity": SEVERITIES[severity],
        "metadata": {
            key: [str(value)]
            for key, value in (
                ("check", finding["check"]),
                ("finding_id", finding["id"]),
                ("auditor_severity", severity),
                ("certainty", finding["certainty"]),
                ("outcome", finding["outcome"]),
                ("vendor", finding["vendor"]),
                ("statement", finding["statement"]),
                ("count", finding["count"]),
                ("display_filter", finding["display_filter"]),
                ("waived", _waived(finding)),
            )
            if value is not None
        },
    }
    if flow is not None:
        event["flow"] = _amounts(flow)
    return event


def _waived(finding: FindingEntry) -> str | None:
    waiver = finding["waiver"]
    return None if waiver is None or waiver["expired"] else waiver["reason"]


def _flow(flow: FlowEntry) -> dict[str, Any]:
    event = {"timestamp": _time(flow["end"]), "event_type": "flow", **_ends(flow), "flow": _amounts(flow)}
    event["flow"] |= {
        "start": _time(flow["start"]),
        "end": _time(flow["end"]),
        "age": int(flow["duration"]),
        "state": STATES.get(flow["state"], "established"),
        "reason": "unknown",
        "alerted": False,
    }
    event["metadata"] = {
        "flowvars": [{"vendor": flow["vendor"]}, {"role": flow["role"]}, {"conn_state": flow["state"]}]
    }
    return event


def _ends(flow: FlowEntry) -> dict[str, Any]:
    event: dict[str, Any] = {
        "flow_id": int(flow["flow_id"], 16) & (1 << 63) - 1,  # EVE's are signed
        "src_ip": flow["initiator_ip"],
        "dest_ip": flow["responder_ip"],
        "proto": flow["protocol"].upper().replace("ICMP6", "IPv6-ICMP"),
        "community_id": flow["community_id"],
        "pcap_filename": flow["capture"],
    }
    if flow["protocol"] in ("icmp", "icmp6"):
        event |= {"icmp_type": flow["initiator_port"], "icmp_code": flow["responder_port"]}
    else:
        event |= {"src_port": flow["initiator_port"], "dest_port": flow["responder_port"]}
    if flow["vlan"]:
        event["vlan"] = flow["vlan"]
    return event


def _amounts(flow: FlowEntry) -> dict[str, Any]:
    return {
        "pkts_toserver": flow["packets_forward"],
        "pkts_toclient": flow["packets_reverse"],
        "bytes_toserver": flow["bytes_forward_ip"],
        "bytes_toclient": flow["bytes_reverse_ip"],
        "start": _time(flow["start"]),
    }


def _time(time: str | None) -> str:
    """EVE's form, in UTC with microseconds; of what has no time, the epoch."""
    return f"{(time or '1970-01-01T00:00:00.000000000Z')[:26]}+0000"
