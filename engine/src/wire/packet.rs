//! What one IP packet says, once decoded.

use super::Address;

/// An IP packet with its transport header. Lengths are those the headers state, never what was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// When it was captured, nanoseconds since 1970. The frame's time, except for a datagram that never
    /// became whole: then the time of its last fragment, which lies in the past when it is delivered.
    pub time_ns: i64,
    /// Sender. With the IPv6 home address option (RFC 6275, 6.3) the home address.
    pub source: Address,
    /// Receiver. With an IPv6 routing header that is not used up, the last stop.
    pub destination: Address,
    /// Encapsulation codes, one byte each, outermost highest; 0 is none. See [`super::tunnel_path`].
    pub tunnel: u64,
    /// VLAN tags, 16 bits each (id | 0x8000), innermost lowest; 0 is none. See [`super::vlan_ids`].
    pub vlan: u64,
    /// IPv4 total length, IPv6 payload length + 40. Where the field is 0 (segmentation offload, jumbogram) from
    /// the frame's length on the wire. Of a rebuilt datagram: the whole, with the first fragment's header.
    pub ip_len: u32,
    /// Bytes after the TCP, UDP (8 bytes) or ICMP (8 bytes) header, for other protocols after the IP headers.
    /// 0 where the transport header is too short to tell.
    pub payload_len: u32,
    /// Where the captured payload begins: in the frame's bytes, or in `Decoder::datagram()` when `reassembled`.
    pub payload_at: u32,
    /// Captured bytes of the payload.
    pub payload_captured: u32,
    /// TCP sequence number.
    pub sequence: u32,
    /// TCP acknowledgement number, as it stands there even without ACK.
    pub acknowledgement: u32,
    /// TCP window, not scaled.
    pub window: u16,
    /// IPv4 identification; 0 for IPv6, and from senders that set none (RFC 6864).
    pub ip_id: u16,
    /// TCP, UDP or ICMP checksum as it stands there, right or wrong; 0 where there is none.
    pub checksum: u16,
    /// IPv4 time to live, IPv6 hop limit.
    pub hop_limit: u8,
    /// TCP or UDP port; ICMP: the type.
    pub source_port: u16,
    /// TCP or UDP port; ICMP: the code.
    pub destination_port: u16,
    /// How far the transport header can be trusted.
    pub transport: Transport,
    /// 4 or 6.
    pub version: u8,
    /// IP protocol number after the IPv6 extension headers and after AH.
    pub protocol: u8,
    /// TCP flags, FIN lowest (RFC 9293, 3.1).
    pub tcp_flags: u8,
    /// Whether this is a datagram put together from fragments.
    pub reassembled: bool,
}

/// How far a packet's transport header can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// There and consistent (options may be cut: nothing is read from them).
    #[default]
    Whole,
    /// Fields that could not be read are 0.
    Short {
        /// Bytes the header needs.
        needed: u16,
        /// Bytes there were.
        available: u16,
        /// The capture cut it (snap length); otherwise the packet itself is too short or its header lies.
        cut: bool,
    },
    /// Its checksum is wrong. Only ever said when checksums are validated.
    BadChecksum,
}

/// Most VLAN tags kept per packet; of more, the outermost ones are kept.
pub const VLAN_TAGS: usize = 4;

/// Adds an inner tag.
#[inline]
pub(super) const fn push_vlan(tags: u64, control: u16) -> u64 {
    if tags >> 48 == 0 { tags << 16 | (control & 0x0fff | 0x8000) as u64 } else { tags }
}

/// The VLAN ids in `Packet::vlan`, outermost first.
pub fn vlan_ids(tags: u64) -> impl Iterator<Item = u16> {
    (0..VLAN_TAGS).rev().map(move |place| (tags >> (16 * place)) as u16).filter(|&tag| tag != 0).map(|tag| tag & 0x0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlan_ids_come_outermost_first_and_id_zero_is_visible() {
        let tags = push_vlan(push_vlan(push_vlan(0, 300), 0), 0xe02a);
        assert_eq!(vlan_ids(tags).collect::<Vec<_>>(), [300, 0, 42]);
        assert_eq!(vlan_ids(0).count(), 0);
    }

    #[test]
    fn of_five_vlan_tags_the_outer_four_are_kept() {
        let tags = (1..=5).fold(0, push_vlan);
        assert_eq!(vlan_ids(tags).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn a_packet_stays_within_two_cache_lines() {
        assert!(size_of::<Packet>() <= 128, "{}", size_of::<Packet>());
    }
}
