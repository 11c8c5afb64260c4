//! Flows as columns of little-endian numbers, the way they cross into Python.

use crate::flow::{Flow, HISTORY_LETTERS, community_id_digest};

/// A column's name and its elements, one after the other.
pub type Column = (&'static str, Vec<u8>);

/// The columns of the flows chosen by `rows` (indexes into `flows`). Names and element types are those of
/// `auditor.flow.Flows`.
pub fn columns(flows: &[Flow], rows: &[u32]) -> Vec<Column> {
    let chosen: Vec<&Flow> = rows.iter().filter_map(|&row| flows.get(row as usize)).collect();
    let hi = |flow: &Flow, side: usize| (flow.key.address[side].0 >> 64) as u64;
    // The family tells the two apart; ::ffff:0:0/96 stands in the low word.
    let lo = |flow: &Flow, side: usize| flow.key.address[side].0 as u64;
    let from = |flow: &Flow| flow.initiator_side();
    let to = |flow: &Flow| flow.initiator_side() ^ 1;
    vec![
        ("flow_id", u64s(&chosen, |flow| flow.flow_id)),
        ("piece", u32s(&chosen, |flow| flow.piece)),
        ("start_ns", u64s(&chosen, |flow| flow.start_ns as u64)),
        ("end_ns", u64s(&chosen, |flow| flow.end_ns() as u64)),
        ("version", u8s(&chosen, |flow| flow.key.version())),
        ("protocol", u8s(&chosen, |flow| flow.key.protocol())),
        ("initiator_hi", u64s(&chosen, |flow| hi(flow, from(flow)))),
        ("initiator_lo", u64s(&chosen, |flow| lo(flow, from(flow)))),
        ("responder_hi", u64s(&chosen, |flow| hi(flow, to(flow)))),
        ("responder_lo", u64s(&chosen, |flow| lo(flow, to(flow)))),
        ("initiator_port", u16s(&chosen, |flow| flow.key.port(from(flow)))),
        ("responder_port", u16s(&chosen, |flow| flow.key.port(to(flow)))),
        ("basis", u8s(&chosen, |flow| flow.basis as u8)),
        ("state", u8s(&chosen, |flow| flow.state() as u8)),
        ("seen_forward", u16s(&chosen, |flow| flow.forward().seen)),
        ("seen_reverse", u16s(&chosen, |flow| flow.reverse().seen)),
        ("history", histories(&chosen)),
        ("packets_forward", u64s(&chosen, |flow| flow.forward().packets)),
        ("packets_reverse", u64s(&chosen, |flow| flow.reverse().packets)),
        ("bytes_forward_ip", u64s(&chosen, |flow| flow.forward().ip_bytes)),
        ("bytes_reverse_ip", u64s(&chosen, |flow| flow.reverse().ip_bytes)),
        ("payload_forward", u64s(&chosen, |flow| flow.forward().payload)),
        ("payload_reverse", u64s(&chosen, |flow| flow.reverse().payload)),
        ("missed_bytes", u64s(&chosen, |flow| flow.missed_bytes)),
        ("retransmitted_forward", u32s(&chosen, |flow| flow.details().0.retransmitted)),
        ("retransmitted_reverse", u32s(&chosen, |flow| flow.details().1.retransmitted)),
        ("last_data_ns", u64s(&chosen, |flow| flow.last_data_ns as u64)),
        ("first_frame", u64s(&chosen, |flow| flow.first_frame)),
        ("last_frame", u64s(&chosen, |flow| flow.last_frame)),
        ("syn_frame", u64s(&chosen, |flow| flow.syn_frame)),
        ("capture", u32s(&chosen, |flow| flow.capture)),
        ("last_capture", u32s(&chosen, |flow| flow.last_capture)),
        ("process", u32s(&chosen, |flow| flow.process)),
        ("vlan", u64s(&chosen, |flow| flow.vlan)),
        ("tunnel", u64s(&chosen, |flow| flow.tunnel)),
        ("community_id", chosen.iter().flat_map(|flow| community_id_digest(&flow.key)).collect()),
    ]
}

/// Further columns of the same flows, by which they are known on another side of an address translation. 0 where there
/// is none; a digest covers so many bytes.
pub fn fingerprint_columns(flows: &[Flow], rows: &[u32]) -> Vec<Column> {
    let chosen: Vec<&Flow> = rows.iter().filter_map(|&row| flows.get(row as usize)).collect();
    let digest = |flow: &Flow, far: usize| {
        flow.fingerprint.as_ref().map_or((0, 0), |print| print.digest(flow.initiator_side() ^ far))
    };
    vec![
        ("isn_forward", u32s(&chosen, |flow| flow.details().0.syn)),
        ("isn_reverse", u32s(&chosen, |flow| flow.details().1.syn)),
        ("digest_forward", u64s(&chosen, |flow| digest(flow, 0).0)),
        ("digest_reverse", u64s(&chosen, |flow| digest(flow, 1).0)),
        ("digest_bytes_forward", u16s(&chosen, |flow| digest(flow, 0).1)),
        ("digest_bytes_reverse", u16s(&chosen, |flow| digest(flow, 1).1)),
    ]
}

fn u64s(flows: &[&Flow], value: impl Fn(&Flow) -> u64) -> Vec<u8> {
    flows.iter().flat_map(|flow| value(flow).to_le_bytes()).collect()
}

fn u32s(flows: &[&Flow], value: impl Fn(&Flow) -> u32) -> Vec<u8> {
    flows.iter().flat_map(|flow| value(flow).to_le_bytes()).collect()
}

fn u16s(flows: &[&Flow], value: impl Fn(&Flow) -> u16) -> Vec<u8> {
    flows.iter().flat_map(|flow| value(flow).to_le_bytes()).collect()
}

fn u8s(flows: &[&Flow], value: impl Fn(&Flow) -> u8) -> Vec<u8> {
    flows.iter().map(|flow| value(flow)).collect()
}

/// Fixed width, padded with zero bytes.
fn histories(flows: &[&Flow]) -> Vec<u8> {
    let mut bytes = vec![0; flows.len() * HISTORY_LETTERS];
    for (flow, place) in flows.iter().zip(bytes.chunks_exact_mut(HISTORY_LETTERS)) {
        place[..flow.history().len()].copy_from_slice(flow.history());
    }
    bytes
}
