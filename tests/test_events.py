"""The engine's events and samples as columns."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from flowbuilder import events_for, number, raw, row, samples_for

from auditor.events import ID_TABLE, KINDS, Events, Samples, rows_of_ids

CONTROL = row("10.0.0.5:3000", "66.241.7.1:21")
DATA = row("10.0.0.5:3001", "66.241.7.1:30000")
ROOT = Path(__file__).parents[1]


def test_every_kind_of_the_engine_has_its_code() -> None:
    source = (ROOT / "engine/python/src/events.rs").read_text()
    named = re.findall(r'(?:plain|flagged|answered|aimed)\("([a-z-]+)"', source)
    named += re.findall(r'\.\.plain\("([a-z-]+)"', source)
    assert len(named) > 20
    assert set(named) == set(KINDS)


def test_events_are_chosen_by_kind_and_found_among_flows() -> None:
    flows = raw(CONTROL, DATA)
    events = events_for(
        flows,
        [
            {"flow": 0, "kind": "ftp-passive", "time": 1002, "port": 30000, "address": "66.241.7.1"},
            {"flow": 0, "kind": "ftp-user", "time": 1001},
            {"flow": 1, "kind": "ftp-quit", "time": 1003},
        ],
    )
    assert len(events) == 3
    assert events.of("ftp-passive", "ftp-quit").tolist() == [1, 2]
    assert events.rows_in(flows).tolist() == [0, 0, 1]
    only = events.take(events.of("ftp-passive"))
    assert KINDS[int(only.kind[0])] == "ftp-passive"
    assert (int(only.port[0]), (int(only.address_hi[0]) << 64) | int(only.address_lo[0])) == (
        30000,
        number("66.241.7.1"),
    )
    assert only.text == ("",)
    assert only.flag.tolist() == [-1]


def test_events_of_flows_that_are_not_there_have_no_row() -> None:
    flows = raw(CONTROL, DATA)
    events = events_for(flows, [{"flow": 1, "kind": "ftp-quit"}])
    assert events.rows_in(flows[np.array([0])]).tolist() == [-1]
    assert events.rows_in(raw()).tolist() == [-1]
    assert Events.none().rows_in(flows).tolist() == []


def test_samples_belong_to_their_flows() -> None:
    flows = raw(CONTROL, DATA)
    samples = samples_for(flows, [{"flow": 1, "bytes_forward": 9000, "entropy_forward": 7.5, "is_tls_reverse": 1}])
    assert samples.rows_in(flows).tolist() == [1]
    assert (samples.bytes_forward.tolist(), samples.entropy_forward.tolist()) == ([9000], [7.5])
    assert (samples.is_tls_forward.tolist(), samples.is_tls_reverse.tolist()) == ([False], [True])
    assert len(Samples.none()) == 0


def test_rows_are_found_by_flow_id_in_any_order() -> None:
    flows = raw(*(row("10.0.0.5:3000", "66.241.7.1:21", flow_id=one) for one in (7, 3, 2**63 + 1)))
    assert rows_of_ids(np.array([3, 2**63 + 1, 8, 7], np.uint64), flows).tolist() == [1, 2, -1, 0]


def test_flow_ids_that_end_alike_are_not_mistaken_for_each_other() -> None:
    flows = raw(*(row("10.0.0.5:3000", "66.241.7.1:21", flow_id=one) for one in (ID_TABLE + 3, 3)))
    ids = np.array([2 * ID_TABLE + 3, 3, ID_TABLE + 3], np.uint64)
    assert rows_of_ids(ids, flows).tolist() == [-1, 1, 0]
