//! What was read of payloads, as columns.
//!
//! One row an event. Which columns count depends on its kind; the others are 0, empty, or -1 for `flag`.

use auditor_engine::app::{Event, Mechanism, SocksCommand, Target, Verb};
use auditor_engine::scan::{FlowSamples, Seen};
use auditor_engine::wire::Address;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// One event in the columns' terms.
#[derive(Default)]
struct Row {
    kind: &'static str,
    /// Accepted, ok, private, implicit, basic, truncated; -1 where not known or not meant.
    flag: i8,
    /// A code, a version, a status, a record type.
    number: u32,
    port: u16,
    address: Option<Address>,
    /// A verb, a mechanism, a command, a host name, what was wrong.
    text: String,
    /// Further addresses or names.
    more: Vec<String>,
}

fn row(event: &Event) -> Row {
    let plain = |kind: &'static str| Row { kind, flag: -1, ..Row::default() };
    let flagged = |kind: &'static str, flag: bool| Row { kind, flag: i8::from(flag), ..Row::default() };
    let answered =
        |kind: &'static str, flag: Option<bool>| Row { kind, flag: flag.map_or(-1, i8::from), ..Row::default() };
    match event {
        Event::FtpGreeting => plain("ftp-greeting"),
        Event::FtpAuth { mechanism, accepted } => Row {
            text: match mechanism {
                Mechanism::Tls => "tls",
                Mechanism::Ssl => "ssl",
                Mechanism::Other => "other",
            }
            .into(),
            ..answered("ftp-auth", *accepted)
        },
        Event::FtpUser => plain("ftp-user"),
        Event::FtpPass => plain("ftp-pass"),
        Event::FtpLogin { accepted } => flagged("ftp-login", *accepted),
        Event::FtpPassive { address, port, extended } => {
            Row { address: *address, port: *port, ..flagged("ftp-passive", *extended) }
        }
        Event::FtpActive { address, port, extended, accepted } => Row {
            address: Some(*address),
            port: *port,
            number: u32::from(*extended),
            ..answered("ftp-active", *accepted)
        },
        Event::FtpUnreadableEndpoint { code } => Row { number: u32::from(*code), ..plain("ftp-unreadable-endpoint") },
        Event::FtpTransfer { verb, accepted } => {
            Row { text: verb_name(*verb).into(), ..answered("ftp-transfer", *accepted) }
        }
        Event::FtpTransferDone { ok } => flagged("ftp-transfer-done", *ok),
        Event::FtpSecuredData { private } => flagged("ftp-secured-data", *private),
        Event::FtpQuit => plain("ftp-quit"),
        Event::FtpClosing { code } => Row { number: u32::from(*code), ..plain("ftp-closing") },
        Event::FtpOpaque { implicit } => flagged("ftp-opaque", *implicit),
        Event::FtpClear => plain("ftp-clear"),
        Event::TlsClientHello { sni, version, ssl2 } => Row {
            number: u32::from(*version),
            text: sni.clone().unwrap_or_default(),
            ..flagged("tls-client-hello", *ssl2)
        },
        Event::TlsServerHello { version } => Row { number: u32::from(*version), ..plain("tls-server-hello") },
        Event::SocksRequest { version, command, target, port } => {
            let command = match command {
                SocksCommand::Connect => "connect",
                SocksCommand::Bind => "bind",
                SocksCommand::UdpAssociate => "udp-associate",
            };
            Row {
                number: u32::from(*version),
                port: *port,
                more: vec![command.into()],
                ..aimed("socks-request", Some(target))
            }
        }
        Event::SocksReply { accepted, bound, port, .. } => {
            Row { port: *port, flag: i8::from(*accepted), ..aimed("socks-reply", bound.as_ref()) }
        }
        Event::SocksDatagram { from_client, target, port } => {
            Row { port: *port, flag: i8::from(*from_client), ..aimed("socks-datagram", Some(target)) }
        }
        Event::SocksCredentials => plain("socks-credentials"),
        Event::HttpConnect { target, port } => Row { port: *port, ..aimed("http-connect", Some(target)) },
        Event::HttpConnectReply { status } => Row { number: u32::from(*status), ..plain("http-connect-reply") },
        Event::ProxyAuthorization { basic } => flagged("proxy-authorization", *basic),
        Event::HttpOther => plain("http-other"),
        Event::DnsQuery { name, kind } => Row { number: u32::from(*kind), text: name.clone(), ..plain("dns-query") },
        Event::DnsAnswer { name, kind, cnames, addresses, code, truncated } => {
            let names = cnames.iter().map(|name| format!("name {name}"));
            let found = addresses.iter().map(|address| format!("address {address}"));
            Row {
                number: u32::from(*kind) << 8 | u32::from(*code),
                text: name.clone(),
                more: names.chain(found).collect(),
                ..flagged("dns-answer", *truncated)
            }
        }
        Event::ProtocolError { protocol, what } => {
            Row { text: (*protocol).into(), more: vec![(*what).into()], ..plain("protocol-error") }
        }
        Event::Lost { protocol } => Row { text: (*protocol).into(), ..plain("lost") },
        Event::Limit { name } => Row { text: (*name).into(), ..plain("limit") },
    }
}

/// A row about a target: an address, or a name.
fn aimed(kind: &'static str, target: Option<&Target>) -> Row {
    let mut row = Row { kind, flag: -1, ..Row::default() };
    match target {
        Some(Target::Address(address)) => row.address = Some(*address),
        Some(Target::Name(name)) => row.text.clone_from(name),
        None => {}
    }
    row
}

fn verb_name(verb: Verb) -> &'static str {
    match verb {
        Verb::Stor => "stor",
        Verb::Appe => "appe",
        Verb::Stou => "stou",
        Verb::Retr => "retr",
        Verb::List => "list",
        Verb::Nlst => "nlst",
        Verb::Mlsd => "mlsd",
    }
}

/// The events, in the order in which they were seen.
pub fn events<'py>(py: Python<'py>, events: &[Seen]) -> PyResult<Bound<'py, PyDict>> {
    let seen: Vec<(&Seen, Row)> = events.iter().map(|seen| (seen, row(&seen.event))).collect();
    let fields = PyDict::new(py);
    let number = |name: &str, bytes: Vec<u8>| fields.set_item(name, PyBytes::new(py, &bytes));
    let hi = |row: &Row| row.address.map_or(0, |address| (address.0 >> 64) as u64);
    let lo = |row: &Row| row.address.map_or(0, |address| address.0 as u64);
    number("flow_id", seen.iter().flat_map(|(seen, _)| seen.flow_id.to_le_bytes()).collect())?;
    number("time_ns", seen.iter().flat_map(|(seen, _)| seen.time_ns.to_le_bytes()).collect())?;
    number("frame", seen.iter().flat_map(|(seen, _)| seen.frame.to_le_bytes()).collect())?;
    number("capture", seen.iter().flat_map(|(seen, _)| seen.capture.to_le_bytes()).collect())?;
    number("flag", seen.iter().flat_map(|(_, row)| row.flag.to_le_bytes()).collect())?;
    number("number", seen.iter().flat_map(|(_, row)| row.number.to_le_bytes()).collect())?;
    number("port", seen.iter().flat_map(|(_, row)| row.port.to_le_bytes()).collect())?;
    number("has_address", seen.iter().map(|(_, row)| u8::from(row.address.is_some())).collect())?;
    number("address_hi", seen.iter().flat_map(|(_, row)| hi(row).to_le_bytes()).collect())?;
    number("address_lo", seen.iter().flat_map(|(_, row)| lo(row).to_le_bytes()).collect())?;
    fields.set_item("kind", seen.iter().map(|(_, row)| row.kind).collect::<Vec<_>>())?;
    fields.set_item("text", seen.iter().map(|(_, row)| row.text.as_str()).collect::<Vec<_>>())?;
    fields.set_item("more", seen.iter().map(|(_, row)| row.more.clone()).collect::<Vec<_>>())?;
    Ok(fields)
}

/// The samples: one row a flow.
pub fn samples<'py>(py: Python<'py>, samples: &[FlowSamples]) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    let column = |name: &str, bytes: Vec<u8>| fields.set_item(name, PyBytes::new(py, &bytes));
    column("flow_id", samples.iter().flat_map(|sample| sample.flow_id.to_le_bytes()).collect())?;
    for (direction, forward) in [("forward", true), ("reverse", false)] {
        let of = |sample: &FlowSamples| if forward { sample.forward } else { sample.reverse };
        column(
            &format!("bytes_{direction}"),
            samples.iter().flat_map(|sample| of(sample).bytes.to_le_bytes()).collect(),
        )?;
        column(
            &format!("entropy_{direction}"),
            samples.iter().flat_map(|sample| of(sample).entropy.to_le_bytes()).collect(),
        )?;
        column(&format!("is_tls_{direction}"), samples.iter().map(|sample| u8::from(of(sample).is_tls)).collect())?;
    }
    Ok(fields)
}
