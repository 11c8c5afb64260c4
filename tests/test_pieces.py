"""Pieces of the flow table joined into whole flows."""

from __future__ import annotations

import numpy as np
from flowbuilder import classified, raw, row

from auditor.classify import classify
from auditor.flow import Role, Seen, State
from auditor.pieces import classified_rows, whole_flows
from auditor.site import Site

FTP = ("10.0.0.5:3000", "66.241.7.1:21")


def test_flows_of_one_piece_stay_as_they_are() -> None:
    rows = raw(row(*FTP), row("10.0.0.6:3000", "66.241.7.1:21"))
    whole, flow_of_row = whole_flows(rows)
    assert whole is rows
    assert flow_of_row.tolist() == [0, 1]


def test_pieces_are_summed_and_span_all_times() -> None:
    rows = raw(
        row(*FTP, history="ShAD", payload=(10, 0), packets=(3, 1), start=0, duration=5, flow_id=7, last_data_ns=4),
        row("10.0.0.6:1", "66.241.7.1:21", flow_id=8, start=1),
        row(*FTP, history="dF", payload=(0, 20), packets=(1, 1), start=900, duration=2, flow_id=7, piece=1),
    )
    whole, flow_of_row = whole_flows(rows)
    assert whole.flow_id.tolist() == [7, 8]
    assert flow_of_row.tolist() == [0, 1, 0]
    assert (whole.payload_forward[0], whole.payload_reverse[0]) == (10, 20)
    assert (whole.packets_forward[0], whole.packets_reverse[0]) == (4, 2)
    assert whole.end_ns[0] - whole.start_ns[0] == 902 * 10**9
    assert whole.last_data_ns[0] == rows.last_data_ns[2]
    assert whole.last_frame[0] == rows.last_frame[2]
    assert whole.first_frame[0] == rows.first_frame[0]
    assert whole.seen_forward[0] == Seen.SYN | Seen.ACK | Seen.DATA | Seen.FIN
    assert whole.history[0] == b"ShADdF"


def test_rows_out_of_order_give_the_same_whole() -> None:
    pieces = [
        row(*FTP, history=h, start=s, flow_id=7, piece=n)
        for n, (h, s) in enumerate([("ShA", 0), ("D", 400), ("Ff", 900)])
    ]
    straight, _ = whole_flows(raw(*pieces))
    crossed, flow_of_row = whole_flows(raw(*reversed(pieces)))
    assert flow_of_row.tolist() == [0, 0, 0]
    assert crossed.history.tolist() == straight.history.tolist() == [b"ShADFf"]
    assert crossed.start_ns.tolist() == straight.start_ns.tolist()
    assert crossed.piece.tolist() == [0]


def test_state_of_the_whole_is_that_of_its_end() -> None:
    def state(history: str, protocol: str = "tcp", first: str = "ShA") -> State:
        pieces = (
            row(*FTP, protocol, history=first, flow_id=7),
            row(*FTP, protocol, history=history, flow_id=7, piece=1),
        )
        return State(whole_flows(raw(*pieces))[0].state[0])

    assert state("Ff") is State.SF
    assert state("F") is State.S2
    assert state("f") is State.S3
    assert state("Dr") is State.RSTR
    assert state("R") is State.RSTO
    assert state("Da") is State.S1
    assert state("Da", first="Da") is State.OTH
    assert state("d", "udp", first="D") is State.SF
    assert state("D", "udp", first="D") is State.S0


def test_rows_carry_what_was_found_of_the_whole() -> None:
    rows = raw(
        row("10.0.0.5:1", "204.164.111.9:16384", payload=(10_000, 0), flow_id=7),
        row("10.0.0.6:1", "8.8.8.8:53", "udp"),
        row("10.0.0.5:1", "204.164.111.9:16384", history="Da", payload=(10_000, 0), flow_id=7, piece=1),
    )
    from auditor.rulepack import enable

    whole, flow_of_row = whole_flows(rows)
    flows, _ = classify(whole, enable(None, ()), Site())
    assert classified_rows(rows, flows, flow_of_row).role.tolist() == [Role.DATA, Role.OTHER, Role.DATA]


def test_empty_table_has_no_flows() -> None:
    flows, _ = classified()
    whole, flow_of_row = whole_flows(flows)
    assert len(whole) == 0
    assert flow_of_row.dtype == np.intp


def test_process_of_the_whole_is_that_of_the_first_piece_that_tells() -> None:
    rows = raw(
        row(*FTP, start=0, flow_id=7, process=0),
        row(*FTP, start=900, flow_id=7, piece=1, process=3),
        row(*FTP, start=1800, flow_id=7, piece=2, process=2),
        row("10.0.0.6:1", "66.241.7.1:21", start=1, flow_id=8, process=0),
        row("10.0.0.6:1", "66.241.7.1:21", start=901, flow_id=8, piece=1, process=0),
    )
    assert whole_flows(rows)[0].process.tolist() == [3, 0]
