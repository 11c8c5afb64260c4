//! Which flows the caller wants to see: those that a check can concern.

use crate::flow::{Basis, Flow, FlowKey, protocol};
use crate::wire::{Address, Glance};

/// Address ranges and TCP ports. A flow is wanted when either end lies in a range, or when it is TCP and either port is
/// one of the ports.
#[derive(Clone, Debug)]
pub struct Interest {
    /// Inclusive, sorted, not overlapping.
    ranges: Vec<(u128, u128)>,
    /// The upper halves of IPv4 addresses that some range touches: most addresses are told off by this.
    ipv4_halves: Bits,
    ports: Bits,
}

/// Where IPv4 addresses lie among the 128-bit numbers.
const IPV4: u128 = 0xFFFF_0000_0000;

impl Interest {
    /// From inclusive ranges in any order.
    pub fn new(ranges: &[(u128, u128)], ports: &[u16]) -> Interest {
        let mut sorted: Vec<(u128, u128)> = ranges.iter().copied().filter(|(first, last)| first <= last).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(sorted.len());
        for (first, last) in sorted {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        let mut ipv4_halves = Bits::default();
        for (first, last) in &merged {
            let (first, last) = (first.max(&IPV4), last.min(&(IPV4 | 0xFFFF_FFFF)));
            if first <= last {
                for half in (first >> 16) as u16..=(last >> 16) as u16 {
                    ipv4_halves.set(half);
                }
            }
        }
        let mut wanted_ports = Bits::default();
        for &port in ports {
            wanted_ports.set(port);
        }
        Interest { ranges: merged, ipv4_halves, ports: wanted_ports }
    }

    /// Whether an address lies in a range.
    #[inline(never)] // most are told off before
    pub fn has_address(&self, address: Address) -> bool {
        if address.0 >> 32 == IPV4 >> 32 && !self.has_half(address.0 as u32) {
            return false;
        }
        let after = self.ranges.partition_point(|(first, _)| *first <= address.0);
        after > 0 && address.0 <= self.ranges[after - 1].1
    }

    /// Whether the flow of a packet seen at a glance may be wanted: never false for one that is.
    #[inline]
    pub fn may_want(&self, glance: &Glance) -> bool {
        let [source, destination] = glance.address;
        glance.protocol == protocol::TCP && (self.ports.has(glance.port[0]) || self.ports.has(glance.port[1]))
            || self.has_half(source)
            || self.has_half(destination)
    }

    /// Whether flows of that key are wanted.
    #[inline(always)] // asked for every packet, whose key is in registers
    #[allow(clippy::inline_always)]
    pub fn wants(&self, key: &FlowKey) -> bool {
        let [lower, higher] = key.address;
        key.protocol() == protocol::TCP && (self.ports.has(key.port(0)) || self.ports.has(key.port(1)))
            || (key.version() != 4 || self.has_half(lower.0 as u32) || self.has_half(higher.0 as u32))
                && (self.has_address(lower) || self.has_address(higher))
    }

    /// Whether an IPv4 address lies near a range.
    #[inline]
    fn has_half(&self, address: u32) -> bool {
        self.ipv4_halves.has((address >> 16) as u16)
    }
}

impl Interest {
    /// Whether an ended flow is wanted. Of a flow whose opener is known, only the responder's port counts: a client's port
    /// that happens to be one of the ports says nothing.
    pub fn wants_flow(&self, flow: &Flow) -> bool {
        let key = &flow.key;
        if key.protocol() == protocol::TCP && matches!(flow.basis, Basis::Syn | Basis::SynAck) {
            let responder = flow.initiator_side() ^ 1;
            return self.ports.has(key.port(responder)) || key.address.iter().any(|&address| self.has_address(address));
        }
        self.wants(key)
    }
}

/// A set of 16-bit numbers.
#[derive(Clone, Debug)]
struct Bits(Box<[u64; 1024]>);

impl Default for Bits {
    fn default() -> Bits {
        Bits(Box::new([0; 1024]))
    }
}

impl Bits {
    fn set(&mut self, number: u16) {
        self.0[usize::from(number >> 6)] |= 1 << (number & 63);
    }

    #[inline]
    fn has(&self, number: u16) -> bool {
        self.0[usize::from(number >> 6)] >> (number & 63) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_range_belong_to_it() {
        let interest = Interest::new(&[(30, 40), (10, 20), (15, 25), (5, 1)], &[]);
        for address in 0..50 {
            let inside = (10..=25).contains(&address) || (30..=40).contains(&address);
            assert_eq!(interest.has_address(Address(address)), inside, "{address}");
        }
    }

    #[test]
    fn a_port_is_wanted_of_tcp_only() {
        let interest = Interest::new(&[], &[16384]);
        let key = |protocol| FlowKey::new([Address(0); 2], [1024, 16384], protocol, 4, 0);
        assert!(interest.wants(&key(6)));
        assert!(!interest.wants(&key(17)));
    }

    #[test]
    fn ranges_of_both_families_are_told_apart() {
        let v4 = |last: u128| Address(IPV4 | 0xC000_0200 | last);
        let interest = Interest::new(&[(IPV4 | 0xC000_0201, IPV4 | 0xC000_021E), (1 << 125, (1 << 125) + 9)], &[]);
        assert!(interest.has_address(v4(1)) && interest.has_address(v4(30)));
        assert!(!interest.has_address(v4(0)) && !interest.has_address(v4(31)));
        assert!(interest.has_address(Address((1 << 125) + 9)) && !interest.has_address(Address((1 << 125) + 10)));
    }

    #[test]
    fn a_range_over_everything_wants_everything() {
        let interest = Interest::new(&[(0, u128::MAX)], &[]);
        assert!(
            interest.has_address(Address(0))
                && interest.has_address(Address(IPV4))
                && interest.has_address(Address(u128::MAX))
        );
    }

    #[test]
    fn a_port_of_the_end_that_opened_the_flow_is_not_wanted() {
        let interest = Interest::new(&[], &[16384]);
        let mut flow = Flow { key: FlowKey::new([Address(1), Address(2)], [16384, 80], 6, 4, 0), ..Flow::default() };
        assert!(interest.wants_flow(&flow), "who opened it is not known");
        flow.basis = Basis::Syn;
        assert!(!interest.wants_flow(&flow));
        flow.initiator = 1;
        assert!(interest.wants_flow(&flow));
    }
}
