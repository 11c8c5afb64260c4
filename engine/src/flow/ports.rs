//! Ports on which servers are likely to listen: the last hint about who opened a flow.
//!
//! The set is the one that Zeek's default scripts register, so that flows without a SYN get the initiator that its users expect.

use std::sync::LazyLock;

const TCP: &[u16] = &[
    21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 465, 502, 514, 563, 585, 587, 614, 631, 636, 989,
    990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668,
    6669, 8000, 8080, 8888, 20000,
];

const UDP: &[u16] = &[
    53, 67, 88, 123, 137, 161, 162, 389, 443, 514, 1812, 2123, 2152, 3389, 3544, 4011, 4754, 4789, 5060, 5072, 5353,
    5355, 6081, 20000,
];

/// One bit per port.
struct PortSet([u64; 1024]);

impl PortSet {
    fn new(ports: &[u16]) -> PortSet {
        let mut bits = [0; 1024];
        for port in ports {
            bits[usize::from(port >> 6)] |= 1 << (port & 63);
        }
        PortSet(bits)
    }

    fn has(&self, port: u16) -> bool {
        self.0[usize::from(port >> 6)] >> (port & 63) & 1 == 1
    }
}

static LIKELY_TCP: LazyLock<PortSet> = LazyLock::new(|| PortSet::new(TCP));
static LIKELY_UDP: LazyLock<PortSet> = LazyLock::new(|| PortSet::new(UDP));

/// Whether a server is likely to listen on that TCP port.
pub fn is_likely_tcp_server(port: u16) -> bool {
    LIKELY_TCP.has(port)
}

/// Whether a server is likely to listen on that UDP port.
pub fn is_likely_udp_server(port: u16) -> bool {
    LIKELY_UDP.has(port)
}

/// UDP ports whose flows carry DNS messages: DNS, NetBIOS names, multicast DNS, link-local name resolution.
pub fn is_dns(port: u16) -> bool {
    matches!(port, 53 | 137 | 5353 | 5355)
}

/// TCP services whose sessions sit idle for long: FTP, SSH, Telnet, rlogin.
pub fn is_long_idle(port: u16) -> bool {
    matches!(port, 21 | 22 | 23 | 513)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_hold_what_they_list_and_nothing_else() {
        assert!(is_likely_tcp_server(21) && is_likely_tcp_server(20000) && is_likely_udp_server(5353));
        assert!(!is_likely_tcp_server(23) && !is_likely_tcp_server(16384) && !is_likely_udp_server(68));
        assert_eq!((0..=u16::MAX).filter(|&port| is_likely_tcp_server(port)).count(), TCP.len());
    }
}
