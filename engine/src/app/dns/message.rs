//! One message.

use super::name;
use crate::app::event::Event;
use crate::app::reader::Reader;
use crate::wire::Address;

/// Records of an answer that are read (`DNS_RECORDS`).
pub const DNS_RECORDS: u16 = 512;

/// Names that an answer may lead through (`DNS_CHAIN`).
pub const DNS_CHAIN: usize = 16;

const HEADER: usize = 12;
const CLASS_IN: u16 = 1;

/// Record types that matter.
mod kind {
    pub const A: u16 = 1;
    pub const CNAME: u16 = 5;
    pub const AAAA: u16 = 28;
}

/// A record of the answer section.
struct Record {
    owner: String,
    data: Data,
}

enum Data {
    Alias(String),
    Address(Address),
}

/// Reads one message, of which `bytes` were captured and which is `len` bytes long by its headers.
///
/// Standard queries of class IN with one question (RFC 9619) and their responses; others tell nothing. The authority and additional
/// sections are not read.
pub fn message(bytes: &[u8], len: u32, events: &mut Vec<Event>) {
    let bytes = &bytes[..bytes.len().min(len as usize)];
    let cut = bytes.len() < len as usize;
    let malformed = |what| Event::ProtocolError { protocol: "dns", what };
    let Some(header) = Header::of(bytes) else {
        events.push(if cut { Event::Lost { protocol: "dns" } } else { malformed("shorter than its header") });
        return;
    };
    if header.opcode != 0 || header.questions != 1 {
        return;
    }
    let Some((name, kind, class, at)) = question(bytes) else {
        events.push(if cut { Event::Lost { protocol: "dns" } } else { malformed("a question that cannot be read") });
        return;
    };
    if class != CLASS_IN {
        return;
    }
    if !header.response {
        events.push(Event::DnsQuery { name, kind });
        return;
    }
    let mut records = Vec::new();
    let whole = answers(bytes, at, header.answers.min(DNS_RECORDS), &mut records).is_some();
    if !whole && !cut && !header.truncated {
        events.push(malformed("a record that cannot be read"));
    }
    if header.answers > DNS_RECORDS {
        events.push(Event::Limit { name: "DNS_RECORDS" });
    }
    let (cnames, ended) = chain(&name, &records);
    if !ended {
        events.push(Event::Limit { name: "DNS_CHAIN" });
    }
    let last = cnames.last().unwrap_or(&name);
    let mut addresses = Vec::new();
    for record in &records {
        if let Data::Address(address) = record.data
            && record.owner == *last
        {
            addresses.push(address);
        }
    }
    let truncated = header.truncated || !whole || !ended || header.answers > DNS_RECORDS;
    events.push(Event::DnsAnswer { name, kind, cnames, addresses, code: header.code, truncated });
}

/// The fields of the header that matter.
struct Header {
    response: bool,
    opcode: u8,
    truncated: bool,
    code: u8,
    questions: u16,
    answers: u16,
}

impl Header {
    fn of(bytes: &[u8]) -> Option<Header> {
        let mut reader = Reader(bytes.get(..HEADER)?);
        reader.u16()?;
        let flags = reader.u16()?;
        Some(Header {
            response: flags & 0x8000 != 0,
            opcode: (flags >> 11 & 15) as u8,
            truncated: flags & 0x0200 != 0,
            code: (flags & 15) as u8,
            questions: reader.u16()?,
            answers: reader.u16()?,
        })
    }
}

/// Name, type and class of the question, and where the answers begin.
fn question(bytes: &[u8]) -> Option<(String, u16, u16, usize)> {
    let (name, at) = name::read(bytes, HEADER)?;
    let mut reader = Reader(bytes.get(at..)?);
    Some((name, reader.u16()?, reader.u16()?, at + 4))
}

/// Reads the records of the answer section; `None` when one is cut or malformed, those before it stay.
fn answers(bytes: &[u8], mut at: usize, count: u16, records: &mut Vec<Record>) -> Option<()> {
    for _ in 0..count {
        let (owner, fixed) = name::read(bytes, at)?;
        let mut reader = Reader(bytes.get(fixed..)?);
        let (kind, class) = (reader.u16()?, reader.u16()?);
        reader.take(4)?;
        let data = reader.block16()?.0;
        let start = fixed + 10;
        at = start + data.len();
        let data = match kind {
            _ if class != CLASS_IN => continue,
            kind::A => Data::Address(Address::from_v4(data.try_into().ok()?)),
            kind::AAAA => Data::Address(Address::from_v6(data.try_into().ok()?)),
            kind::CNAME => {
                let (alias, end) = name::read(bytes, start)?;
                if end != at {
                    return None;
                }
                Data::Alias(alias)
            }
            _ => continue,
        };
        records.push(Record { owner, data });
    }
    Some(())
}

/// The names that a question leads to, and whether they come to an end. Loops do not.
fn chain(question: &str, records: &[Record]) -> (Vec<String>, bool) {
    let mut cnames: Vec<String> = Vec::new();
    loop {
        let here = cnames.last().map_or(question, String::as_str);
        let next = records.iter().find_map(|record| match &record.data {
            Data::Alias(alias) if record.owner == here => Some(alias),
            _ => None,
        });
        match next {
            None => return (cnames, true),
            Some(next) if cnames.len() < DNS_CHAIN && next != question && !cnames.contains(next) => {
                cnames.push(next.clone());
            }
            Some(_) => return (cnames, false),
        }
    }
}
