"""Whether flows were encrypted, as far as their payload was read: control connections by what was said on them, the
others by samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from auditor.checks.unencrypted_payload import ENOUGH_BYTES, RANDOM_FROM
from auditor.flow import Bools, Flows, Role
from auditor.negotiation import Reading

if TYPE_CHECKING:
    from auditor.checks.base import Context

UNKNOWN, OPEN, SECURED = -1, 0, 1


def controls(flows: Flows, context: Context) -> Bools:
    """Control connections of their own, which say how they are protected, unlike sessions that carry everything."""
    negotiates = {
        enabled.id
        for enabled in context.packs
        if any(service.negotiated_by is not None for service in enabled.pack.services)
    }
    table = np.array([bool(name) and set(name.split("|")) <= negotiates for name in context.labels.vendors])
    found: Bools = table[flows.vendor] & (flows.role == Role.CONTROL)
    return found


def secrecy(flows: Flows, context: Context) -> NDArray[np.int8]:
    """UNKNOWN, OPEN or SECURED for each flow."""
    found = np.full(len(flows), UNKNOWN, np.int8)
    _from_samples(found, flows, context)
    reading = context.negotiation.reading
    if len(reading):
        found[reading == Reading.WHOLE] = OPEN
        found[reading == Reading.SECURED] = SECURED
        events = context.events
        rows = events.rows_in(flows)[events.of("ftp-user", "ftp-pass")]
        found[rows[rows >= 0]] = OPEN
    return found


def _from_samples(found: NDArray[np.int8], flows: Flows, context: Context) -> None:
    """What clients sent counts, where enough was sampled of it; what servers sent, where it may be a restore."""
    samples = context.samples
    rows = samples.rows_in(flows)
    known = np.flatnonzero(rows >= 0)
    rows = rows[known]
    ours = flows.client_is_initiator[rows]
    restores = np.where(ours, flows.payload_reverse[rows], flows.payload_forward[rows])
    restores = restores >= context.site.thresholds.restore_bytes
    readable, hidden = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    for size, entropy, is_tls, counts in (
        (samples.bytes_forward, samples.entropy_forward, samples.is_tls_forward, ours | restores),
        (samples.bytes_reverse, samples.entropy_reverse, samples.is_tls_reverse, ~ours | restores),
    ):
        enough = (size[known] >= ENOUGH_BYTES) & counts
        random = is_tls[known] | (entropy[known] >= RANDOM_FROM)
        readable |= enough & ~random
        hidden |= enough & random
    found[rows[hidden]] = SECURED
    found[rows[readable]] = OPEN
