//! Relays for datagrams that SOCKS proxies open for their clients (RFC 1928, 7), and the far ends behind them.

use std::collections::HashSet;

use crate::app::{Event, SocksCommand, Target, relay};
use crate::wire::{Address, Packet};

/// Relays of SOCKS proxies that are followed, and far ends of datagrams that are told (`APP_RELAYED`); later ones are not.
pub const APP_RELAYED: usize = 1 << 16;

/// What is known of relays.
pub(super) struct Relays {
    /// Client, relay's address and port, as the proxies' answers tell.
    known: HashSet<(Address, Address, u16)>,
    /// Far ends that were told, by flow.
    told: HashSet<(u64, Target, u16)>,
    /// Of either.
    most: usize,
    dropped: u64,
}

impl Relays {
    /// None is known yet; so many will be at most.
    pub fn new(most: usize) -> Relays {
        Relays { known: HashSet::new(), told: HashSet::new(), most, dropped: 0 }
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Relays and far ends that found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a proxy tells where its relay listens.
    pub fn opens_one(event: &Event) -> bool {
        matches!(event, Event::SocksReply { command: SocksCommand::UdpAssociate, accepted: true, .. })
    }

    /// The relays that a proxy has just opened for a client, by what it said. One that gives no address of its own listens at
    /// the proxy's; one behind address translation gives an address by which its clients do not know it.
    #[cold]
    pub fn note(&mut self, said: &[Event], client: Address, proxy: Address) {
        for event in said.iter().filter(|event| Relays::opens_one(event)) {
            let Event::SocksReply { bound, port, .. } = event else { continue };
            if self.known.len() >= self.most {
                self.dropped += 1;
                continue;
            }
            self.known.insert((client, proxy, *port));
            if let Some(Target::Address(address)) = bound {
                self.known.insert((client, *address, *port));
            }
        }
    }

    /// Whether a datagram is one to or from a relay; its far end is told, once for each flow.
    pub fn follow(&mut self, flow_id: u64, packet: &Packet, payload: &[u8], tell: &mut Vec<Event>) -> bool {
        let from_client = self.known.contains(&(packet.source, packet.destination, packet.destination_port));
        if !from_client && !self.known.contains(&(packet.destination, packet.source, packet.source_port)) {
            return false;
        }
        let Some((target, port)) = relay::datagram(payload) else { return false };
        if self.told.len() >= self.most {
            self.dropped += 1;
        } else if self.told.insert((flow_id, target.clone(), port)) {
            tell.push(Event::SocksDatagram { from_client, target, port });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::protocol;

    const CLIENT: Address = Address::from_v4([10, 1, 2, 3]);
    const PROXY: Address = Address::from_v4([10, 0, 0, 9]);
    const DATAGRAM: &[u8] = b"\0\0\0\x01\xcc\xa4\x6f\x05\x40\x00payload";

    fn opened(bound: Address, accepted: bool) -> Event {
        let (command, bound) = (SocksCommand::UdpAssociate, Some(Target::Address(bound)));
        Event::SocksReply { command, accepted, bound, port: 40_000 }
    }

    /// The client's relay at the proxy is at `bound`, port 40000.
    fn relay_at(bound: Address) -> Relays {
        let mut relays = Relays::new(9);
        relays.note(&[opened(bound, true)], CLIENT, PROXY);
        relays
    }

    fn to_relay(destination: Address) -> Packet {
        Packet {
            source: CLIENT,
            source_port: 5000,
            destination,
            destination_port: 40_000,
            protocol: protocol::UDP,
            ..Packet::default()
        }
    }

    #[test]
    fn each_far_end_of_a_relay_is_told_once_a_flow() {
        let (mut relays, mut told) = (relay_at(Address::from_v4([0; 4])), Vec::new());
        let packet = to_relay(PROXY);
        assert!((0..2).all(|_| relays.follow(1, &packet, DATAGRAM, &mut told)));
        assert_eq!(told.len(), 1);
        assert!(relays.follow(2, &packet, DATAGRAM, &mut told));
        let target = Target::Address(Address::from_v4([204, 164, 111, 5]));
        assert_eq!(told[1], Event::SocksDatagram { from_client: true, target, port: 16384 });
    }

    #[test]
    fn a_relay_is_known_by_the_proxys_address_and_by_its_own() {
        let elsewhere = Address::from_v4([10, 0, 0, 10]);
        let (mut relays, mut told) = (relay_at(elsewhere), Vec::new());
        let back = Packet {
            source: elsewhere,
            source_port: 40_000,
            destination: CLIENT,
            destination_port: 5000,
            protocol: protocol::UDP,
            ..Packet::default()
        };
        assert!(relays.follow(1, &to_relay(PROXY), DATAGRAM, &mut told));
        assert!(relays.follow(2, &back, DATAGRAM, &mut told));
        assert!(matches!(told[1], Event::SocksDatagram { from_client: false, .. }));
    }

    #[test]
    fn datagrams_of_others_and_after_a_refusal_are_not_followed() {
        let (mut relays, mut told) = (relay_at(PROXY), Vec::new());
        let other = Packet { source: Address::from_v4([10, 1, 2, 4]), ..to_relay(PROXY) };
        let another_port = Packet { destination_port: 40_001, ..to_relay(PROXY) };
        assert!(!relays.follow(1, &other, DATAGRAM, &mut told));
        assert!(!relays.follow(1, &another_port, DATAGRAM, &mut told));
        assert!(!relays.follow(1, &to_relay(PROXY), b"no header of a relay", &mut told));
        let mut refused = Relays::new(9);
        refused.note(&[opened(PROXY, false)], CLIENT, PROXY);
        assert!(refused.is_empty() && !refused.follow(1, &to_relay(PROXY), DATAGRAM, &mut told));
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let mut relays = Relays::new(2);
        relays.note(&[opened(PROXY, true), opened(Address::from_v4([10, 0, 0, 10]), true)], CLIENT, PROXY);
        relays.note(&[opened(PROXY, true)], CLIENT, PROXY);
        assert_eq!(relays.dropped(), 1);
        let mut told = Vec::new();
        for flow_id in 0..3 {
            assert!(relays.follow(flow_id, &to_relay(PROXY), DATAGRAM, &mut told));
        }
        assert_eq!((told.len(), relays.dropped()), (2, 2));
    }
}
