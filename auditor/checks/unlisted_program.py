"""Find sessions with a vendor that a program opened which the vendor does not list.

What it finds
    TCP or UDP from inside to a vendor's network whose process, as the capture or a file of the host names it
    (`--processes`), is none of the programs that the vendor says use the network.
Why it matters
    Rules for a vendor are often bound to its programs. Another program on the same way is a tool that nobody accounts
    for, or one that sends data out where the firewall was opened for backups.
What you see
    unlisted-program  medium  10.0.0.5 → 66.241.7.9:21/tcp  1 flow, first at frame 12, opened by curl
    Names are compared without path, case and `.exe`. Systems cut long names to 15 or 16 bytes: one that a listed
    name begins with, and that is just so long, counts as listed.
Stays silent
    Vendors that list no programs. Sessions of the support tool, which is none of the backup's programs. Flows of which
    nobody says whose they are. Clients that are proxies of the site or, outside of the firewall, translated addresses.
    Servers outside of the vendor's networks.
Rests on
    statement `programs`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._select import at_vendor, ends, group, through_many, vendor_table
from auditor.checks.base import Check, Context, Hits, Severity, answered_sessions
from auditor.distinct import distinct
from auditor.flow import TCP, UDP, Bools, Direction, Flows, Role, Rows

CUT_NAMES = (15, 16)  # bytes of a process name that Linux and Apple's systems keep
MAX_NAMED = 5  # programs that one finding names


class UnlistedProgram(Check):
    id = "unlisted-program"
    title = "A program that the vendor does not list"
    since = "0.1"
    statements = frozenset({"programs"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows = _of_listing_vendors(flows, context)
        rows = rows[flows.process[rows] != 0]
        rows = rows[~_listed(flows, rows, context)]
        if not len(rows):
            return
        for named, places in _by_programs(flows, rows, context):
            yield Hits(
                rows[places],
                Severity.MEDIUM,
                "{client_ip} talks to {server_ip} by {program}, which {vendor} does not list",
                statements=("programs",),
                remediation="Find out what the program sends there; allow the vendor's programs alone.",
                extra={"program": named},
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Answered sessions whose process is known."""
        rows = _of_listing_vendors(flows, context)
        known: Bools = (flows.process[rows] != 0) & answered_sessions(flows, context)[rows]
        return rows[known]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Sessions whose process is not known, where others' are."""
        rows = _of_listing_vendors(flows, context)
        unknown = flows.process[rows] == 0
        return rows[unknown] if not unknown.all() else np.empty(0, np.intp)


def _of_listing_vendors(flows: Flows, context: Context) -> Rows:
    """What clients opened to the networks of vendors that list their programs."""
    if len(context.process_names) < 2:
        return np.empty(0, np.intp)
    lists = vendor_table(context, lambda enabled: bool(enabled.pack.programs))
    ported = (flows.protocol == TCP) | (flows.protocol == UDP)
    opened = (flows.direction == Direction.OUTBOUND) & (flows.role != Role.SUPPORT)
    rows = np.flatnonzero(lists[flows.vendor] & ported & opened)
    end = ends(flows, rows)
    ours: Bools = at_vendor(end, context) & ~through_many(end, context)
    return rows[ours]


def _listed(flows: Flows, rows: Rows, context: Context) -> Bools:
    """Whose process is one of its vendor's programs; of several possible vendors, of any."""
    programs = {enabled.pack.id: enabled.pack.programs for enabled in context.packs}
    pairs = np.stack([flows.vendor[rows].astype(np.intp), flows.process[rows].astype(np.intp)])
    distinct, place = np.unique(pairs, axis=1, return_inverse=True)
    known = [
        any(
            is_listed(context.process_names[process], programs[vendor])
            for vendor in context.labels.vendors[code].split("|")
        )
        for code, process in distinct.T.tolist()
    ]
    return np.array(known, np.bool_)[place.reshape(-1)]


def is_listed(process: str, programs: Iterable[str]) -> bool:
    """Whether a process, or one of several joined by `|`, is one of the programs, as far as its name can tell."""
    listed = [program.lower() for program in programs]
    stems = {program.removesuffix(".exe") for program in listed}
    for name in process.lower().split("|"):
        cut = len(name.encode()) in CUT_NAMES and any(program.startswith(name) for program in listed)
        if cut or name.removesuffix(".exe") in stems:
            return True
    return False


def _by_programs(flows: Flows, rows: Rows, context: Context) -> Iterable[tuple[str, Rows]]:
    """The names of all programs of what will be one finding, and the places of its rows among `rows`."""
    end = ends(flows, rows)
    number = group(
        flows.vendor[rows], end.client_hi, end.client_lo, end.server_hi, end.server_lo, end.server_port,
        flows.protocol[rows],
    )  # fmt: skip
    order = np.argsort(number, kind="stable")
    found: dict[str, list[Rows]] = {}
    for places in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        codes = distinct(flows.process[rows[places]]).tolist()
        names = sorted(context.process_names[code].replace("|", " or ") for code in codes)
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        found.setdefault(", ".join(names[:MAX_NAMED]) + more, []).append(places)
    for named, parts in found.items():
        yield named, np.concatenate(parts)
