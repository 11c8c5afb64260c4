"""Find backup data that does not look encrypted.

What it finds
    A data flow of a vendor who publishes that the data is encrypted, with 8 KiB or more of client → server payload
    sampled and a Shannon entropy below 7.2 bits a byte. Samples are of the first 64 KiB; through a SOCKS or CONNECT
    proxy, of the first 64 KiB behind its handshake.
Why it matters
    Encrypted data looks random: 8 KiB of it have more than 7.9 bits a byte. Text, databases and pictures in their raw
    form have far fewer, and everybody on the way can read them.
What you see
    unencrypted-payload  high  10.0.0.5 → 204.164.111.9:16384/tcp  1 flow, first at frame 20
Stays silent
    TLS records. Vendors who publish no encryption. Shorter samples. Compressed data, which looks random as well: this
    check cannot tell it from encrypted data.
Rests on
    statement `encrypted`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from auditor.checks._said import by_way, publishes_payload
from auditor.checks._select import ends, vendor_table
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.distinct import distinct, without
from auditor.flow import TCP, Bools, Direction, Flows, Ints, Role, Rows
from auditor.frozen import frozen
from auditor.once import once

ENOUGH_BYTES = 8192
RANDOM_FROM = 7.2  # bits a byte


class UnencryptedPayload(Check):
    id = "unencrypted-payload"
    title = "Backup data that does not look encrypted"
    since = "0.1"
    statements = frozenset({"encrypted"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        sampled = _sampled(flows, context)
        readable = (sampled.bytes >= ENOUGH_BYTES) & (sampled.entropy < RANDOM_FROM) & ~sampled.is_tls
        rows = distinct(sampled.rows[readable])
        for here, targets in by_way(flows, rows, context) if len(rows) else ():
            yield Hits(
                rows[here],
                Severity.HIGH,
                "data that {client_ip} sent to {server_ip} port {server_port} does not look encrypted",
                statements=("encrypted",),
                remediation="Turn on encryption in the backup software, and change what went out in clear.",
                targets=targets,
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Data flows of which enough was sampled, and those that are TLS."""
        sampled = _sampled(flows, context)
        return distinct(sampled.rows[(sampled.bytes >= ENOUGH_BYTES) | sampled.is_tls])

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Data flows that carried enough, of which too little was sampled."""
        return short_of_samples(flows, context)


@frozen
class _Sampled:
    """Samples of what clients sent in data flows; a flow may have several."""

    rows: Rows
    bytes: Ints
    entropy: NDArray[np.float64]
    is_tls: Bools


def short_of_samples(flows: Flows, context: Context) -> Rows:
    """Data flows whose client sent enough to sample, of which too little was captured or could be read."""
    rows = np.flatnonzero(_concerned(flows, context))
    rows = rows[ends(flows, rows).client_payload >= ENOUGH_BYTES]
    sampled = _sampled(flows, context)
    return without(rows, sampled.rows[(sampled.bytes >= ENOUGH_BYTES) | sampled.is_tls])


@once
def _sampled(flows: Flows, context: Context) -> _Sampled:
    samples = context.samples
    at = samples.rows_in(flows)
    numbers = np.flatnonzero(at >= 0)
    numbers = numbers[_concerned(flows, context)[at[numbers]]] if len(numbers) else numbers
    rows = at[numbers]
    forward = flows.client_is_initiator[rows]
    return _Sampled(
        rows=rows,
        bytes=np.where(forward, samples.bytes_forward[numbers], samples.bytes_reverse[numbers]).astype(np.int64),
        entropy=np.where(forward, samples.entropy_forward[numbers], samples.entropy_reverse[numbers]),
        is_tls=np.where(forward, samples.is_tls_forward[numbers], samples.is_tls_reverse[numbers]),
    )


def _concerned(flows: Flows, context: Context) -> Bools:
    """Data flows of vendors who publish that their data is encrypted."""
    ours = vendor_table(context, publishes_payload)[flows.vendor] & (flows.role == Role.DATA)
    concerned: Bools = ours & (flows.protocol == TCP) & (flows.direction != Direction.INBOUND)
    return concerned
