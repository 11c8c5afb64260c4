"""Find backups that a proxy carries to addresses that no vendor publishes.

What it finds
    A request to a SOCKS proxy (4, 4a, 5) or an HTTP proxy (CONNECT) for a signature port (16384, 211, 4401) of an
    outside address in no network of an enabled pack. A target that is given by a name, of which nobody knows where it
    leads, is told as medium and `inferred`.
Why it matters
    The firewall sees a connection to its own proxy and nothing else. Which servers the backup reaches is up to the
    proxy's rules, which the vendors ask to be limited to their networks.
What you see
    proxy-target-outside-published  high  10.0.0.5 → 198.51.100.7:16384/tcp via 10.0.0.9  open, 1 flow
    server_ip is the target, service_port the proxy's port. The outcome is the proxy's answer.
Stays silent
    Targets inside, allowed by the site, or called by a host name that a vendor publishes. Other ports. Packs without
    networks: their port may go anywhere.
Rests on
    statement `socks`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import contains
from auditor.checks._said import targets_of, through_proxy
from auditor.checks._select import published_ranges
from auditor.checks.base import Check, Context, Hits, Outcome, Severity
from auditor.flow import TCP, Bools, Codes, Flows, Role, Rows
from auditor.interest import signature_ports
from auditor.proxies import Grant, Way

REMEDIATION = "Let the proxy admit the backup's ports to published networks only; ask the vendor whether they changed."


class ProxyTargetOutsidePublished(Check):
    id = "proxy-target-outside-published"
    title = "Proxy's target that no vendor publishes"
    since = "0.1"
    statements = frozenset({"socks"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        proxied, site = context.proxied, context.site
        rows = np.flatnonzero(through_proxy(flows, context, Way.SOCKS, Way.HTTP) & (flows.protocol == TCP))
        if not len(rows):
            return
        known = (*published_ranges(context), *site.inside, *site.allowed)
        elsewhere = proxied.has_address[rows] & (flows.role[rows] == Role.UNPUBLISHED)
        elsewhere &= ~contains(known, proxied.target_hi[rows], proxied.target_lo[rows])
        for vendor, port in _candidates(context):
            here = proxied.target_port[rows] == port
            yield from self._hits(
                context,
                rows[here & elsewhere],
                vendor,
                Severity.HIGH,
                "{client_ip} asked the proxy {via} for port {server_port}, that of {vendor}, of {server_ip}, in no"
                " published network",
            )
            yield from self._hits(
                context,
                rows[here & _unknown_names(context, rows)],
                vendor,
                Severity.MEDIUM,
                "{client_ip} asked the proxy {via} for port {server_port}, that of {vendor}, of {server_ip}: where that"
                " name leads is not known",
            )

    def _hits(self, context: Context, rows: Rows, vendor: str, severity: Severity, message: str) -> Iterable[Hits]:
        if len(rows):
            yield Hits(
                rows,
                severity,
                message,
                certain=severity == Severity.HIGH,
                outcome=granted(context, rows),
                statements=tuple(self.statements),
                remediation=REMEDIATION,
                vendor=vendor,
                targets=targets_of(rows, context),
                told_by=context.proxied.event[rows],
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Requests for a vendor's server that the proxy granted."""
        rows = np.flatnonzero(through_proxy(flows, context, Way.SOCKS, Way.HTTP))
        return rows[(flows.vendor[rows] != 0) & (context.proxied.granted[rows] == Grant.GRANTED)] if len(rows) else rows


def granted(context: Context, rows: Rows) -> Codes:
    """Outcome of requests to proxies."""
    return np.where(context.proxied.granted[rows] == Grant.GRANTED, Outcome.OPEN, Outcome.ATTEMPT).astype(np.uint8)


def _candidates(context: Context) -> Iterable[tuple[str, int]]:
    """Signature ports that do not lead anywhere, and the vendors that each may be of."""
    for port, users in signature_ports(context.packs).items():
        packs = [context.packs[at] for at in sorted(users)]
        if all(any(enabled.networks.values()) for enabled in packs):
            yield "|".join(sorted(enabled.id for enabled in packs)), port


def _unknown_names(context: Context, rows: Rows) -> Bools:
    """Targets by name that no enabled pack publishes."""
    published = {name.lower().rstrip(".") for enabled in context.packs for name in enabled.pack.hostnames}
    unknown = np.array([name not in published for name in context.proxied.names] + [False], np.bool_)
    found: Bools = unknown[context.proxied.name[rows]]
    return found
