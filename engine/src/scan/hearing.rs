//! Which packets may say something that somebody wants to know, whoever they belong to: told by each packet alone.

use super::listener::Wishes;
use crate::app::{Kind, relay};
use crate::flow::protocol;
use crate::wire::{Glance, Packet};

const DNS_PORT: u16 = 53;

/// What to listen for in the traffic of everybody: answers for host names, and datagrams in the relays of proxies.
#[derive(Clone, Debug)]
pub(crate) struct Hearing {
    proxies: bool,
    /// Names as they stand in a DNS message (RFC 1035, 3.1), lower case.
    names: Vec<Vec<u8>>,
}

impl Hearing {
    /// For these wishes.
    pub fn new(wishes: &Wishes) -> Hearing {
        Hearing {
            proxies: wishes.kinds.iter().any(|(_, kind)| *kind == Kind::Socks),
            names: wishes.names.iter().map(|name| wire_name(name)).collect(),
        }
    }

    /// Whether a UDP packet answers a question for one of the names.
    #[inline]
    pub fn wants_answer(&self, packet: &Packet, payload: &[u8]) -> bool {
        packet.source_port == DNS_PORT && packet.protocol == protocol::UDP && self.is_answer(payload)
    }

    /// Whether a packet belongs to a conversation in which such an answer may come: over TCP any of DNS, over UDP a message
    /// about one of the names. Resolvers that use one port for all they ask have one conversation, which is kept whole:
    /// it would not begin where it begins.
    #[inline]
    pub fn may_answer(&self, packet: &Packet, payload: &[u8]) -> bool {
        let ports = [packet.source_port, packet.destination_port];
        self.is_about_names(ports, packet.protocol == protocol::UDP, || payload)
    }

    /// Whether a packet seen at a glance may belong to such a conversation, or be on its way through the relay of a proxy.
    /// `frame`: its bytes.
    #[inline]
    pub fn may_say_something(&self, glance: &Glance, frame: &[u8]) -> bool {
        let datagram = glance.protocol == protocol::UDP;
        let payload = || frame.get(Glance::UDP_PAYLOAD..).unwrap_or_default();
        self.is_about_names(glance.port, datagram, payload) || datagram && self.may_be_relayed(payload())
    }

    /// Whether a UDP packet may be on its way through the relay of a SOCKS proxy: the relay may not be known yet.
    #[inline]
    pub fn may_be_relayed(&self, payload: &[u8]) -> bool {
        self.proxies && relay::may_be(payload)
    }

    #[inline]
    fn is_about_names<'a>(&self, port: [u16; 2], datagram: bool, payload: impl FnOnce() -> &'a [u8]) -> bool {
        let ends = port.map(|port| port == DNS_PORT);
        ends != [false; 2] && !self.names.is_empty() && (!datagram || ends == [true; 2] || self.is_about_one(payload()))
    }

    fn is_answer(&self, message: &[u8]) -> bool {
        message.get(2).is_some_and(|flags| flags & 0x80 != 0) && self.is_about_one(message)
    }

    /// Only the question is compared: it stands at the same place in every message, and is not compressed. Of one that a
    /// snap length cut, what there is of it.
    fn is_about_one(&self, message: &[u8]) -> bool {
        let Some(question) = message.get(12..).filter(|question| !question.is_empty()) else { return false };
        self.names.iter().any(|name| {
            let there = name.len().min(question.len());
            question[..there].eq_ignore_ascii_case(&name[..there])
        })
    }
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::with_capacity(name.len() + 2);
    for label in name.trim_end_matches('.').split('.') {
        let label = &label.as_bytes()[..label.len().min(63)];
        wire.push(label.len() as u8);
        wire.extend_from_slice(label);
    }
    wire.push(0);
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_an_answer_whatever_its_case() {
        let hearing = Hearing::new(&Wishes { names: vec!["rbs.drbackup.net".into()], ..Wishes::default() });
        let mut message = vec![0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        message.extend(b"\x03RBS\x08DrBackup\x03net\0\0\x01\0\x01");
        let packet = Packet { source_port: 53, protocol: 17, ..Packet::default() };
        assert!(hearing.wants_answer(&packet, &message));
        message[2] = 1;
        assert!(!hearing.wants_answer(&packet, &message), "a question is no answer");
        assert!(!hearing.wants_answer(&packet, &message[..11]));
        let longer = [&message[..12], b"\x04xrbs\x08drbackup\x03net\0"].concat();
        assert!(!hearing.wants_answer(&packet, &longer));
        message[2] = 0x81;
        assert!(hearing.wants_answer(&packet, &message[..20]), "cut, and so far the same");
        assert!(!hearing.wants_answer(&packet, &longer[..20]));
        assert!(!hearing.wants_answer(&packet, &message[..12]), "nothing speaks of the name");
    }
}
