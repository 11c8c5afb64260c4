//! Frames cut to their headers, and with other addresses.
//!
//! Knows the layers that captures of firewalls have: Ethernet with VLAN tags, PPPoE and MPLS, Linux cooked captures,
//! loopback and raw IP; both IP versions with their extension headers; TCP, UDP, ICMP with what it quotes, ARP; and
//! GRE, IP in IP, VXLAN and Geneve with what they carry. What it does not know it cuts away where frames are cut, and
//! always where addresses change: nothing stays that nobody looked at.

use super::anonymise::Anonymiser;
use super::checksum::{sum, update};
use super::fragments::Datagram;
use crate::wire::Address;

/// Tunnels within each other that are followed.
const DEPTH: u8 = 8;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP6: u8 = 58;
const VXLAN: u16 = 4789;
const GENEVE: u16 = 6081;

/// What is done to frames.
pub struct Editor {
    anonymiser: Option<Anonymiser>,
    cut: bool,
    found: Found,
}

/// What a walk through one frame found.
#[derive(Default)]
struct Found {
    /// End of the last header that was recognised.
    keep: usize,
    /// The walk came to the payload of a transport, or to the end of all there is.
    whole: bool,
    /// The innermost IP packet is a fragment.
    fragment: Option<Datagram>,
    depth: u8,
}

/// Sums over the addresses of an IP header before and after: what the checksum of the transport has to follow.
type Change = (u16, u16);

impl Editor {
    /// Cuts frames behind their headers.
    pub fn headers_only() -> Editor {
        Editor { anonymiser: None, cut: true, found: Found::default() }
    }

    /// Changes addresses; with `cut`, cuts frames behind their headers as well.
    pub fn anonymising(anonymiser: Anonymiser, cut: bool) -> Editor {
        Editor { anonymiser: Some(anonymiser), cut, found: Found::default() }
    }

    /// Edits a frame in place; how many of its bytes stay.
    pub fn edit(&mut self, frame: &mut [u8], link_type: u16) -> usize {
        self.walk(frame, link_type);
        if !self.cut && self.found.whole { frame.len() } else { self.found.keep.min(frame.len()) }
    }

    /// Which datagram the frame's innermost IP packet is a fragment of.
    pub fn fragment_of(&mut self, frame: &[u8], link_type: u16) -> Option<Datagram> {
        self.walk(&mut frame.to_vec(), link_type);
        self.found.fragment
    }

    fn walk(&mut self, frame: &mut [u8], link_type: u16) {
        self.found = Found::default();
        match link_type {
            1 => self.ethernet(frame, 0),
            0 | 108 if frame.len() > 4 => self.ip(frame, 4),
            12 | 14 | 101 | 228 | 229 => self.ip(frame, 0),
            113 => {
                self.mac(frame, 6);
                self.ether_type(frame, 14);
            }
            276 => {
                self.mac(frame, 12);
                if frame.len() >= 20 {
                    // the type stands in front, the packet behind 20 bytes
                    self.found.keep = 20;
                    match word(frame, 0) {
                        Some(0x0800 | 0x86dd) => self.ip(frame, 20),
                        _ => self.found.keep = 20,
                    }
                }
            }
            _ => {}
        }
    }

    fn ethernet(&mut self, frame: &mut [u8], at: usize) {
        if frame.len() < at + 14 {
            return;
        }
        self.mac(frame, at);
        self.mac(frame, at + 6);
        self.ether_type(frame, at + 12);
    }

    /// `at`: where the Ethernet type stands.
    fn ether_type(&mut self, frame: &mut [u8], mut at: usize) {
        while let Some(kind) = word(frame, at) {
            self.found.keep = at + 2;
            match kind {
                0x8100 | 0x88a8 | 0x9100 | 0x9200 => at += 4,
                0x0800 | 0x86dd => return self.ip(frame, at + 2),
                0x0806 => return self.arp(frame, at + 2),
                0x8864 => {
                    if matches!(word(frame, at + 8), Some(0x0021 | 0x0057)) {
                        self.found.keep = at + 10;
                        self.ip(frame, at + 10);
                    }
                    return;
                }
                0x8847 | 0x8848 => return self.mpls(frame, at + 2),
                _ => return,
            }
        }
    }

    fn mpls(&mut self, frame: &mut [u8], mut at: usize) {
        while let Some(label) = frame.get(at..at + 4) {
            let bottom = label[2] & 1 == 1;
            at += 4;
            self.found.keep = at;
            if bottom {
                return self.ip(frame, at);
            }
        }
    }

    fn arp(&mut self, frame: &mut [u8], at: usize) {
        // Ethernet and IPv4; any other kind is cut
        if frame.get(at..at + 6) != Some(&[0, 1, 8, 0, 6, 4]) || frame.len() < at + 28 {
            return;
        }
        for place in [at + 8, at + 18] {
            self.mac(frame, place);
            self.v4(frame, place + 6);
        }
        self.found.keep = at + 28;
        self.found.whole = true;
    }

    fn ip(&mut self, frame: &mut [u8], at: usize) {
        match frame.get(at).map(|byte| byte >> 4) {
            Some(4) => self.ip4(frame, at),
            Some(6) => self.ip6(frame, at),
            _ => {}
        }
    }

    fn ip4(&mut self, frame: &mut [u8], at: usize) {
        let length = usize::from(frame[at] & 15) * 4;
        if length < 20 || frame.len() < at + length {
            return;
        }
        self.found.fragment = None;
        let position = word(frame, at + 6).unwrap_or_default();
        if position & 0x3fff != 0 {
            let id = u32::from(word(frame, at + 4).unwrap_or_default());
            let ends = [array(frame, at + 12), array(frame, at + 16)].map(Address::from_v4);
            self.found.fragment = Some((ends[0], ends[1], id));
        }
        let (header, pseudo) = (sum(&frame[at + 12..at + length]), sum(&frame[at + 12..at + 20]));
        self.v4(frame, at + 12);
        self.v4(frame, at + 16);
        if self.anonymiser.is_some() {
            frame[at + 20..at + length].fill(1); // options name routers: no operation
        }
        let change = (pseudo, sum(&frame[at + 12..at + 20]));
        let after = sum(&frame[at + 12..at + length]);
        update(frame, at + 10, header, after);
        self.found.keep = at + length;
        let offset = position & 0x1fff;
        if offset == 0 {
            let protocol = frame[at + 9];
            self.transport(frame, at + length, protocol, change);
        } else {
            self.found.whole = true;
        }
    }

    fn ip6(&mut self, frame: &mut [u8], at: usize) {
        if frame.len() < at + 40 {
            return;
        }
        self.found.fragment = None;
        let ends = [array(frame, at + 8), array(frame, at + 24)].map(Address::from_v6);
        let pseudo = sum(&frame[at + 8..at + 40]);
        self.v6(frame, at + 8);
        self.v6(frame, at + 24);
        let change = (pseudo, sum(&frame[at + 8..at + 40]));
        let (mut next, mut at) = (frame[at + 6], at + 40);
        self.found.keep = at;
        loop {
            let Some(&[following, size]) = frame.get(at..at + 2).and_then(|bytes| bytes.first_chunk()) else { return };
            let length = match next {
                0 | 43 | 60 | 135 => 8 + 8 * usize::from(size),
                44 => 8,
                _ => return self.transport(frame, at, next, change),
            };
            if frame.len() < at + length {
                return;
            }
            if next == 44 {
                let position = word(frame, at + 2).unwrap_or_default();
                let id = u32::from_be_bytes(array(frame, at + 4));
                self.found.fragment = Some((ends[0], ends[1], id));
                if position >> 3 != 0 {
                    self.found.keep = at + length;
                    self.found.whole = true;
                    return;
                }
            } else if self.anonymiser.is_some() {
                frame[at + 4..at + length].fill(0); // routes and home addresses
            }
            at += length;
            self.found.keep = at;
            next = following;
        }
    }

    fn transport(&mut self, frame: &mut [u8], at: usize, protocol: u8, change: Change) {
        let end = |length: usize| at + length;
        match protocol {
            TCP => {
                update(frame, at + 16, change.0, change.1);
                let length = frame.get(at + 12).map_or(20, |byte| usize::from(byte >> 4) * 4);
                self.payload(end(length.max(20)));
            }
            UDP => self.udp(frame, at, change),
            ICMP => self.icmp(frame, at, None),
            ICMP6 => self.icmp(frame, at, Some(change)),
            4 | 41 => self.tunnel(frame, at, |editor, frame| editor.ip(frame, at)),
            47 => self.gre(frame, at),
            51 if frame.len() >= at + 12 => {
                let length = (usize::from(frame[at + 1]) + 2) * 4;
                self.found.keep = end(length);
                let next = frame[at];
                if frame.len() > end(length) && self.found.depth < DEPTH {
                    self.found.depth += 1;
                    self.transport(frame, end(length), next, change);
                }
            }
            132 => self.payload(end(12)),
            _ => self.payload(at),
        }
    }

    fn udp(&mut self, frame: &mut [u8], at: usize, change: Change) {
        let checked = word(frame, at + 6).is_some_and(|check| check != 0);
        let before = sum(frame.get(at + 8..).unwrap_or_default());
        self.payload(at + 8);
        let inner = match word(frame, at + 2) {
            Some(VXLAN) => Some(at + 16),
            Some(GENEVE) if word(frame, at + 10) == Some(0x6558) => {
                Some(at + 16 + 4 * usize::from(frame[at + 8] & 0x3f))
            }
            _ => None,
        };
        if let Some(inner) = inner {
            self.tunnel(frame, inner, |editor, frame| editor.ethernet(frame, inner));
        }
        if checked {
            update(frame, at + 6, change.0, change.1);
            let after = sum(frame.get(at + 8..).unwrap_or_default());
            update(frame, at + 6, before, after);
            if word(frame, at + 6) == Some(0) {
                frame[at + 6..at + 8].fill(0xff); // 0 would say that there is none (RFC 768)
            }
        }
    }

    fn gre(&mut self, frame: &mut [u8], at: usize) {
        let (Some(flags), Some(kind)) = (word(frame, at), word(frame, at + 2)) else { return };
        let mut inner = at + 4 + [0x8000, 0x2000, 0x1000].iter().filter(|&&bit| flags & bit != 0).count() * 4;
        let before = sum(&frame[at..]);
        self.found.keep = inner;
        self.found.whole = true;
        if kind == 0x88be && flags & 0x1000 != 0 {
            inner += 8; // ERSPAN II; type I has no header
        } else if kind == 0x22eb {
            let further = frame.get(inner + 11).is_some_and(|byte| byte & 1 == 1);
            inner += if further { 20 } else { 12 };
        }
        match kind {
            0x0800 | 0x86dd => self.tunnel(frame, inner, |editor, frame| editor.ip(frame, inner)),
            0x6558 | 0x88be | 0x22eb => self.tunnel(frame, inner, |editor, frame| editor.ethernet(frame, inner)),
            _ => {}
        }
        if flags & 0x8000 != 0 {
            let after = sum(&frame[at..]);
            update(frame, at + 4, before, after);
        }
    }

    /// What a tunnel carries begins at `at`.
    fn tunnel(&mut self, frame: &mut [u8], at: usize, inside: impl FnOnce(&mut Editor, &mut [u8])) {
        self.found.keep = at;
        self.found.whole = false;
        if self.found.depth < DEPTH && at < frame.len() {
            self.found.depth += 1;
            inside(self, frame);
        }
    }

    /// `change`: of the pseudo header, which only ICMPv6 has.
    fn icmp(&mut self, frame: &mut [u8], at: usize, change: Option<Change>) {
        let Some(&kind) = frame.get(at) else { return };
        let before = sum(&frame[at..]);
        let quotes = if change.is_some() { (1..=4).contains(&kind) } else { matches!(kind, 3 | 4 | 5 | 11 | 12) };
        self.payload(at + 8);
        if change.is_none() && kind == 5 && frame.len() >= at + 8 {
            self.v4(frame, at + 4); // the gateway of a redirect
        }
        if change.is_some() && matches!(kind, 135..=137) {
            for target in if kind == 137 { vec![at + 8, at + 24] } else { vec![at + 8] } {
                if frame.len() >= target + 16 {
                    self.v6(frame, target);
                    self.found.keep = target + 16;
                }
            }
            self.found.whole = false; // options hold hardware addresses
        }
        if quotes && frame.len() > at + 8 && self.found.depth < DEPTH {
            self.found.depth = DEPTH; // what is quoted is not followed into its own quotes and tunnels
            let fragment = self.found.fragment;
            self.ip(frame, at + 8);
            self.found.fragment = fragment;
            self.found.keep = self.found.keep.max(at + 8);
        }
        let after = sum(&frame[at..]);
        if at + 4 <= frame.len() {
            update(frame, at + 2, before, after);
            if let Some((old, new)) = change {
                update(frame, at + 2, old, new);
            }
        }
    }

    fn payload(&mut self, at: usize) {
        self.found.keep = at;
        self.found.whole = true;
    }

    fn v4(&mut self, frame: &mut [u8], at: usize) {
        if let Some(anonymiser) = &mut self.anonymiser {
            let mapped = anonymiser.v4(array(frame, at));
            frame[at..at + 4].copy_from_slice(&mapped);
        }
    }

    fn v6(&mut self, frame: &mut [u8], at: usize) {
        if let Some(anonymiser) = &mut self.anonymiser {
            let mapped = anonymiser.v6(array(frame, at));
            frame[at..at + 16].copy_from_slice(&mapped);
        }
    }

    fn mac(&mut self, frame: &mut [u8], at: usize) {
        if let Some(anonymiser) = &mut self.anonymiser
            && frame.len() >= at + 6
        {
            let mapped = anonymiser.mac(array(frame, at));
            frame[at..at + 6].copy_from_slice(&mapped);
        }
    }
}

fn word(frame: &[u8], at: usize) -> Option<u16> {
    frame.get(at..at + 2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// `N` bytes; zeros where they are not there, which callers have ruled out.
fn array<const N: usize>(frame: &[u8], at: usize) -> [u8; N] {
    frame.get(at..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
}
