"""Whether data connections of foreign FTP captures are joined with the control sessions that announced them.

    python benchmarks/ftp_join.py FOLDER…

Audits every capture in the folders whose name speaks of FTP or DNS, and prints a line for each. FTP is judged where it
is a vendor's: so each server that a control session was seen with is made one, with every other port of it a data port,
unless client and server are one host. Beside a capture a `.conn.tsv` may hold Zeek's conn.log: connections whose
service is `ftp-data` are expected to be joined. Exit code 1 if an audit fails, or if such a connection is not joined.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import auditor

CONTROL_PORT = 21
SUFFIXES = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz")
PACK = """
id: foreign-ftp
title: FTP of the capture
version: "1"
source: {{document: none}}
networks: {{servers: [{servers}]}}
services:
  - {{id: control, role: control, ports: [21]}}
  - {{id: data, role: data, ports: [1-20, 22-65535], negotiated_by: control}}
statements:
  - {{id: data-ports, what: Data ports are assigned by the control session., section: none,
     checked_by: [data-port-not-negotiated]}}
"""

Ends = tuple[str, int, str, int]


def main(folders: list[str]) -> int:
    failed = 0
    print(f"{'capture':45} {'verdict':12} {'control':>7} {'data':>5} {'Zeek':>5} joined")
    for capture in captures(folders):
        try:
            verdict = auditor.audit(capture).verdict
            servers, joined, data = judged(capture)
        except auditor.AuditorError as error:
            failed += 1
            print(f"{capture.name:45} {error}")
            continue
        expected = zeeks(capture)
        lacking = expected - joined
        failed += bool(lacking)
        found = f"{len(joined)}" + (f", lacking {sorted(lacking)}" if lacking else "")
        print(f"{capture.name:45} {verdict:12} {servers:7} {data:5} {len(expected):5} {found}")
    return min(failed, 1)


def captures(folders: list[str]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(Path(folder).iterdir()):
            name = path.name.lower()
            if name.endswith(SUFFIXES) and ("ftp" in name or "dns" in name) and "tftp" not in name:
                yield path


def judged(capture: Path) -> tuple[int, set[Ends], int]:
    """Control sessions, the data connections that were joined with one, and all data connections."""
    flows = auditor.audit(capture, all_flows=True).flows
    controls = flows[(flows.protocol == "tcp") & (flows.responder_port == CONTROL_PORT)]
    servers = sorted(set(controls.responder_ip))
    if not servers:
        return 0, set(), 0
    clients = sorted(set(controls.initiator_ip) - set(servers))
    if not clients:
        return len(controls), set(), 0
    with tempfile.TemporaryDirectory() as folder:
        pack = Path(folder, "foreign-ftp.yaml")
        pack.write_text(PACK.format(servers=", ".join(f'"{server}"' for server in servers)))
        site = Path(folder, "site.yaml")
        site.write_text(f"inside: [{', '.join(f'{client!r}' for client in clients)}]\npacks: {{}}\n")
        found = auditor.audit(capture, packs=[pack], site=site)
    ours = found.flows[found.flows.role == "data"]
    joined = ours[ours.role_basis == "negotiated"]
    ends = joined[["initiator_ip", "initiator_port", "responder_ip", "responder_port"]]
    return len(controls), set(ends.itertuples(index=False, name=None)), len(ours)


def zeeks(capture: Path) -> set[Ends]:
    """What Zeek calls a data connection of FTP."""
    stem = capture.name.removesuffix(".gz").rpartition(".")[0]
    log = capture.with_name(f"{stem}.conn.tsv")
    if not log.exists():
        return set()
    lines = [line for line in log.read_text().splitlines() if not line.startswith("#")]
    rows: csv.DictReader[str] = csv.DictReader(lines, delimiter="\t")
    return {_ends(row) for row in rows if "ftp-data" in (row.get("service") or "")}


def _ends(row: Mapping[str, str]) -> Ends:
    return row["id.orig_h"], int(row["id.orig_p"]), row["id.resp_h"], int(row["id.resp_p"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
