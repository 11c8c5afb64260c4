"""Client and server of flows, and what a finding goes by: who called whom, on which port."""

from __future__ import annotations

import numpy as np

from auditor.flow import TCP, UDP, Bools, Direction, Flows, Ints, Words
from auditor.frozen import frozen

NO_PORT = -1


@frozen
class Ends:
    """n flows by their ends."""

    client_hi: Words
    client_lo: Words
    client_port: Ints  # NO_PORT for protocols without ports, here and below
    server_hi: Words
    server_lo: Words
    server_port: Ints
    service_port: Ints  # of the end that was called
    inbound: Bools  # the server called; where nobody knows, the client is only seen to be sent to

    @classmethod
    def of(cls, flows: Flows) -> Ends:
        """The ends of all flows."""
        ours = flows.client_is_initiator
        has_ports = (flows.protocol == TCP) | (flows.protocol == UDP)
        initiator_port = np.where(has_ports, flows.initiator_port.astype(np.int64), NO_PORT)
        responder_port = np.where(has_ports, flows.responder_port.astype(np.int64), NO_PORT)
        client_port = np.where(ours, initiator_port, responder_port)
        server_port = np.where(ours, responder_port, initiator_port)
        sent = np.where(ours, flows.packets_forward, flows.packets_reverse)
        called_in = flows.direction == Direction.INBOUND
        return cls(
            client_hi=np.where(ours, flows.initiator_hi, flows.responder_hi),
            client_lo=np.where(ours, flows.initiator_lo, flows.responder_lo),
            client_port=client_port,
            server_hi=np.where(ours, flows.responder_hi, flows.initiator_hi),
            server_lo=np.where(ours, flows.responder_lo, flows.initiator_lo),
            server_port=server_port,
            service_port=np.where(called_in, client_port, server_port),
            inbound=called_in | ((flows.direction == Direction.NEITHER) & (sent == 0)),
        )
