//! Names of the encapsulations a packet was taken out of.

/// One layer between the frame and the packet that is neither a link header nor a VLAN tag.
///
/// The numbers stand in `Packet::tunnel` and are not to be reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Encapsulation {
    /// RFC 2784, 2890, NVGRE (RFC 7637), PPTP's version 1 (RFC 2637).
    Gre = 1,
    /// Cisco's mirror format in GRE, types I to III.
    Erspan,
    /// PPP within GRE.
    Ppp,
    /// IPv4 in IPv4 or IPv6 in IPv6.
    IpIp,
    /// IPv6 in IPv4.
    SixInFour,
    /// IPv4 in IPv6.
    FourInSix,
    /// RFC 7348.
    Vxlan,
    /// RFC 8926.
    Geneve,
    /// 3GPP TS 29.281.
    GtpU,
    /// RFC 4380.
    Teredo,
    /// `SixXS`'s protocol, UDP 5072.
    Ayiya,
    /// `TaZmen` Sniffer Protocol.
    Tzsp,
    /// RFC 5415, data channel.
    Capwap,
    /// RFC 2516, session stage.
    Pppoe,
    /// RFC 3032, the whole label stack; pseudowires too.
    Mpls,
    /// IEEE 802.1ah.
    Pbb,
    /// Cisco VN-Tag.
    VnTag,
    /// IEEE 802.1BR E-tag.
    ETag,
    /// Cisco `FabricPath`.
    FabricPath,
    /// IEEE 802.1AE without encryption.
    Macsec,
    /// RFC 8086.
    GreInUdp,
}

/// By code - 1.
const NAMES: [&str; 21] = [
    "gre",
    "erspan",
    "ppp",
    "ipip",
    "6in4",
    "4in6",
    "vxlan",
    "geneve",
    "gtpu",
    "teredo",
    "ayiya",
    "tzsp",
    "capwap",
    "pppoe",
    "mpls",
    "pbb",
    "vntag",
    "etag",
    "fabricpath",
    "macsec",
    "gre-in-udp",
];

/// Adds an inner encapsulation; of more than eight the outermost are kept.
pub(super) const fn push(path: u64, encapsulation: Encapsulation) -> u64 {
    if path >> 56 == 0 { path << 8 | encapsulation as u64 } else { path }
}

/// `Packet::tunnel` as names joined by `/`, outermost first: `gre/erspan`. Empty for none.
pub fn tunnel_path(path: u64) -> String {
    let names = path.to_be_bytes().into_iter().filter(|&code| code != 0);
    let names = names.map(|code| NAMES.get(usize::from(code) - 1).copied().unwrap_or("unknown"));
    names.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_outermost_first() {
        assert_eq!(tunnel_path(push(push(0, Encapsulation::Gre), Encapsulation::Erspan)), "gre/erspan");
        assert_eq!(tunnel_path(push(0, Encapsulation::GreInUdp)), "gre-in-udp");
        assert_eq!(tunnel_path(0), "");
    }

    #[test]
    fn of_nine_encapsulations_the_outer_eight_are_kept() {
        let path = (0..9).fold(push(0, Encapsulation::Mpls), |path, _| push(path, Encapsulation::IpIp));
        assert_eq!(tunnel_path(path), "mpls/ipip/ipip/ipip/ipip/ipip/ipip/ipip");
    }
}
