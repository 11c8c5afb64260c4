//! What became of one frame, and how often.

use std::collections::BTreeMap;
use std::fmt;

/// What one frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// IP. Packets were appended, or a fragment was kept for later, or a repeated fragment was dropped.
    Ip,
    /// A frame without IP that could be read.
    NotIp {
        /// What it is.
        kind: NotIp,
        /// Its Ethernet type; 0 where it has none.
        ethertype: u16,
    },
    /// A link type that is not known here.
    UnsupportedLinkType(u16),
    /// IP whose IPv4 header checksum is wrong; only when checksums are validated.
    BadHeaderChecksum,
    /// A header does not fit into the bytes there are.
    Malformed(LayerError),
}

/// Classes of frames that carry no readable IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NotIp {
    /// ARP and RARP.
    Arp,
    /// Spanning tree, IS-IS and whatever else sits on LLC (IEEE 802.2).
    Llc,
    /// LLDP, slow protocols, EAPOL, loop tests, flow control, `PPPoE` discovery: between neighbours only.
    LinkControl,
    /// PPP other than IP.
    PppControl,
    /// IEEE 802.11 without data.
    WifiControl,
    /// IEEE 802.11 data that is encrypted, or a part of a fragmented frame: may hide traffic.
    WifiOpaque,
    /// IEEE 802.1AE: encrypted, hides traffic.
    Macsec,
    /// Any other type.
    Other,
}

impl NotIp {
    /// All of them, in the order of [`Counts::not_ip`].
    pub const ALL: [NotIp; 8] = [
        NotIp::Arp,
        NotIp::Llc,
        NotIp::LinkControl,
        NotIp::PppControl,
        NotIp::WifiControl,
        NotIp::WifiOpaque,
        NotIp::Macsec,
        NotIp::Other,
    ];

    /// Stable kebab-case name.
    pub const fn name(self) -> &'static str {
        match self {
            NotIp::Arp => "arp",
            NotIp::Llc => "llc",
            NotIp::LinkControl => "link-control",
            NotIp::PppControl => "ppp-control",
            NotIp::WifiControl => "wifi-control",
            NotIp::WifiOpaque => "wifi-opaque",
            NotIp::Macsec => "macsec",
            NotIp::Other => "other",
        }
    }

    /// The class of an Ethernet type without IP.
    pub(super) const fn of_ethertype(ethertype: u16) -> NotIp {
        match ethertype {
            0x0806 | 0x8035 => NotIp::Arp,
            0x8808 | 0x8809 | 0x8863 | 0x888e | 0x88cc | 0x8902 | 0x9000 => NotIp::LinkControl,
            0x88e5 => NotIp::Macsec,
            _ => NotIp::Other,
        }
    }
}

/// A header that does not fit: which, how many bytes it needs, how many there are, who says so, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerError {
    /// Name of the header.
    pub layer: &'static str,
    /// Bytes it needs.
    pub needed: u32,
    /// Bytes there are.
    pub available: u32,
    /// The field that makes it need so many, or `fixed header`.
    pub claimed_by: &'static str,
    /// Where the header begins, in bytes from the start of the frame.
    pub offset: u32,
}

impl fmt::Display for LayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LayerError { layer, needed, available, claimed_by, offset } = self;
        write!(f, "{layer} at byte {offset}: {needed} bytes expected by its {claimed_by}, {available} there")
    }
}

impl std::error::Error for LayerError {}

/// How often everything happened that a reader of the results should know of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames given to the decoder.
    pub frames: u64,
    /// Packets handed out.
    pub packets: u64,
    /// Frames without readable IP, by [`NotIp`] in the order of [`NotIp::ALL`].
    pub not_ip: [u64; NotIp::ALL.len()],
    /// Frames of link types not known here, by LINKTYPE_ number.
    pub unsupported: BTreeMap<u16, u64>,
    /// Frames with a header that does not fit.
    pub malformed: u64,
    /// Packets whose transport header is cut by the capture.
    pub transport_cut: u64,
    /// Packets whose transport header is too short or lies.
    pub transport_malformed: u64,
    /// Packets whose IP length field is 0 (segmentation offload, jumbograms).
    pub zero_length: u64,
    /// Packets whose IP length field is more than the frame had on the wire; the field is believed.
    pub longer_than_frame: u64,
    /// Tunnels left alone because `max_depth` others lie around them; the carrier is handed out instead.
    pub depth_reached: u64,
    /// IP-level carriers (GRE, IP in IP) whose content could not be read; handed out as packets themselves.
    pub tunnels_unread: u64,
    /// Fragments of IP datagrams.
    pub fragments: u64,
    /// Datagrams put together.
    pub datagrams_rebuilt: u64,
    /// Datagrams given up before they were whole, but handed out with what was seen.
    pub datagrams_incomplete: u64,
    /// Fragments given up because the start of their datagram was never seen.
    pub fragments_without_start: u64,
    /// Fragments that came again after their datagram was whole; dropped.
    pub fragments_repeated: u64,
    /// Fragments that lie over bytes seen before without being a mere repetition; the first bytes stay.
    pub fragments_overlapping: u64,
    /// Datagrams given up early because a limit of the fragment table was reached.
    pub fragment_limit_reached: u64,
    /// IPv4 packets dropped for their header checksum; only when checksums are validated.
    pub bad_header_checksums: u64,
    /// Packets with a wrong TCP, UDP or ICMP checksum; only when checksums are validated.
    pub bad_checksums: u64,
}

impl Counts {
    /// Adds what was counted elsewhere.
    pub(super) fn join(&mut self, more: &Counts) {
        // Taken apart by name, so that none is forgotten.
        let Counts {
            not_ip,
            unsupported,
            frames,
            packets,
            malformed,
            transport_cut,
            transport_malformed,
            zero_length,
            longer_than_frame,
            depth_reached,
            tunnels_unread,
            fragments,
            datagrams_rebuilt,
            datagrams_incomplete,
            fragments_without_start,
            fragments_repeated,
            fragments_overlapping,
            fragment_limit_reached,
            bad_header_checksums,
            bad_checksums,
        } = more;
        for (sum, count) in self.not_ip.iter_mut().zip(not_ip) {
            *sum += count;
        }
        for (number, count) in unsupported {
            *self.unsupported.entry(*number).or_default() += count;
        }
        self.frames += frames;
        self.packets += packets;
        self.malformed += malformed;
        self.transport_cut += transport_cut;
        self.transport_malformed += transport_malformed;
        self.zero_length += zero_length;
        self.longer_than_frame += longer_than_frame;
        self.depth_reached += depth_reached;
        self.tunnels_unread += tunnels_unread;
        self.fragments += fragments;
        self.datagrams_rebuilt += datagrams_rebuilt;
        self.datagrams_incomplete += datagrams_incomplete;
        self.fragments_without_start += fragments_without_start;
        self.fragments_repeated += fragments_repeated;
        self.fragments_overlapping += fragments_overlapping;
        self.fragment_limit_reached += fragment_limit_reached;
        self.bad_header_checksums += bad_header_checksums;
        self.bad_checksums += bad_checksums;
    }

    /// Counts `outcome`.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Ip => {}
            Outcome::NotIp { kind, .. } => self.not_ip[*kind as usize] += 1,
            Outcome::UnsupportedLinkType(number) => *self.unsupported.entry(*number).or_default() += 1,
            Outcome::BadHeaderChecksum => self.bad_header_checksums += 1,
            Outcome::Malformed(_) => self.malformed += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_stands_at_its_own_place() {
        for (place, kind) in NotIp::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{}", kind.name());
        }
    }

    #[test]
    fn a_layer_error_says_all_five_facts() {
        let error = LayerError { layer: "IPv4", needed: 24, available: 20, claimed_by: "header length", offset: 14 };
        assert_eq!(error.to_string(), "IPv4 at byte 14: 24 bytes expected by its header length, 20 there");
    }
}
