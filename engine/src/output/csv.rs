//! The flow table as CSV.

use std::io::{self, Write};

use super::text;
use crate::flow::{Flow, community_id_digest, community_id_text};
use crate::scan::Batch;
use crate::wire::{tunnel_path, vlan_ids};

/// The columns, in their order.
pub const CSV_HEADER: &str = "flow_id,community_id,start,end,duration,protocol,initiator_ip,initiator_port,responder_ip,\
responder_port,initiator_basis,state,history,packets_forward,packets_reverse,bytes_forward_ip,bytes_reverse_ip,\
payload_forward,payload_reverse,missed_bytes,retransmitted_forward,retransmitted_reverse,vlan,tunnel,first_frame,\
syn_frame,capture,vendor,service,role,role_basis,client_ip,server_ip\n";

/// Text is handed on in pieces of about this size.
const CHUNK: usize = 1 << 18;

/// What classification says of the rows: names, and for each wanted row which of them.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Vendor names; the first is empty.
    pub vendors: Vec<String>,
    /// Service names; the first is empty.
    pub services: Vec<String>,
    /// Role names; the first is that of flows nobody wants.
    pub roles: Vec<String>,
    /// Names of what a role rests on; the first is empty.
    pub role_bases: Vec<String>,
    /// For each wanted row: indexes into these four, and whether the initiator is the client (1), the responder is (0),
    /// or there is no client (2).
    pub rows: Vec<RowLabels>,
}

/// The labels of one row.
pub type RowLabels = (u16, u16, u8, u8, u8);

/// No client and no server: the labels of a row that no check concerns.
const UNLABELLED: RowLabels = (0, 0, 0, 0, 2);

/// Writes one line a flow, in the batch's order. `labels.rows` speaks of its wanted flows.
pub fn write_rows(out: &mut impl Write, batch: &Batch, captures: &[String], labels: &Labels) -> io::Result<()> {
    let captures: Vec<String> = captures.iter().map(|capture| quoted(capture)).collect();
    let vendors: Vec<String> = labels.vendors.iter().map(|name| quoted(name)).collect();
    let services: Vec<String> = labels.services.iter().map(|name| quoted(name)).collect();
    let mut labelled = batch.wanted.iter().zip(&labels.rows).peekable();
    let mut line = Vec::with_capacity(CHUNK + 4096);
    for place in &batch.order {
        let flow = &batch.flows[*place as usize];
        let label = labelled.next_if(|(wanted, _)| *wanted == place).map_or(UNLABELLED, |(_, label)| *label);
        write_flow(&mut line, flow, &captures);
        if label == UNLABELLED {
            line.extend_from_slice(b",,,");
            line.extend_from_slice(labels.roles.first().map_or("", String::as_str).as_bytes());
            line.extend_from_slice(b",,,\n");
        } else {
            for (names, name) in [
                (&vendors, usize::from(label.0)),
                (&services, label.1.into()),
                (&labels.roles, label.2.into()),
                (&labels.role_bases, label.3.into()),
            ] {
                line.push(b',');
                line.extend_from_slice(names.get(name).map_or("", String::as_str).as_bytes());
            }
            let side = flow.initiator_side();
            for end in match label.4 {
                1 => [Some(side), Some(side ^ 1)],
                0 => [Some(side ^ 1), Some(side)],
                _ => [None, None],
            } {
                line.push(b',');
                if let Some(end) = end {
                    text::address(&mut line, flow.key.version(), flow.key.address[end]);
                }
            }
            line.push(b'\n');
        }
        if line.len() >= CHUNK {
            out.write_all(&line)?;
            line.clear();
        }
    }
    out.write_all(&line)
}

/// The columns that come from the engine, without the line's end.
fn write_flow(line: &mut Vec<u8>, flow: &Flow, captures: &[String]) {
    let side = flow.initiator_side();
    let (forward, reverse) = (flow.forward(), flow.reverse());
    text::identity(line, flow.flow_id);
    line.push(b',');
    line.extend_from_slice(&community_id_text(&community_id_digest(&flow.key)));
    for time in [flow.start_ns, flow.end_ns(), flow.end_ns().saturating_sub(flow.start_ns)] {
        line.push(b',');
        text::seconds(line, time);
    }
    line.push(b',');
    match text::protocol_name(flow.key.protocol()) {
        Some(name) => line.extend_from_slice(name.as_bytes()),
        None => text::number(line, flow.key.protocol().into()),
    }
    for end in [side, side ^ 1] {
        line.push(b',');
        text::address(line, flow.key.version(), flow.key.address[end]);
        line.push(b',');
        text::number(line, flow.key.port(end).into());
    }
    line.push(b',');
    line.extend_from_slice(flow.basis.name().as_bytes());
    line.push(b',');
    line.extend_from_slice(flow.state().name().as_bytes());
    line.push(b',');
    line.extend_from_slice(flow.history());
    for count in [
        forward.packets,
        reverse.packets,
        forward.ip_bytes,
        reverse.ip_bytes,
        forward.payload,
        reverse.payload,
        flow.missed_bytes,
        flow.details().0.retransmitted.into(),
        flow.details().1.retransmitted.into(),
    ] {
        line.push(b',');
        text::number(line, count);
    }
    line.push(b',');
    if flow.vlan != 0 {
        for (position, tag) in vlan_ids(flow.vlan).enumerate() {
            if position > 0 {
                line.push(b'.');
            }
            text::number(line, tag.into());
        }
    }
    line.push(b',');
    if flow.tunnel != 0 {
        line.extend_from_slice(tunnel_path(flow.tunnel).as_bytes());
    }
    line.push(b',');
    text::number(line, flow.first_frame);
    line.push(b',');
    if flow.syn_frame != 0 {
        text::number(line, flow.syn_frame);
    }
    line.push(b',');
    line.extend_from_slice(captures.get(flow.capture as usize).map_or("", String::as_str).as_bytes());
}

/// A field as RFC 4180, 2 wants it.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_as_many_fields_as_the_header() {
        let flow = Flow { first_frame: 1, ..Flow::default() };
        let labels = Labels { roles: vec!["other".into()], ..Labels::default() };
        let mut out = Vec::new();
        let mut batch = Batch::of(vec![flow]);
        batch.wanted.clear();
        write_rows(&mut out, &batch, &["a.pcap".into()], &labels).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert_eq!(line.trim_end().split(',').count(), CSV_HEADER.split(',').count());
        assert!(line.ends_with(",1,,a.pcap,,,other,,,\n"), "{line}");
    }

    #[test]
    fn a_capture_name_with_a_comma_is_quoted() {
        assert_eq!(quoted("a,\"b\".pcap"), "\"a,\"\"b\"\".pcap\"");
    }
}
