//! What the kernel is to let through: a program for its packet filter (classic BPF).
//!
//! It tells what [`crate::interest::Interest`] would set aside without looking further: plain TCP and UDP over IPv4,
//! unfragmented, without options, between hosts and ports that nobody asked for. All else passes: tags, tunnels,
//! fragments, IPv6, ICMP, answers about names, datagrams that a proxy may relay, and of TCP every SYN, FIN and RST, so that
//! it is still seen who tries many ports and whether both directions are captured. Of the others only the headers come, so
//! that every packet is counted and the ring holds several times as many; or, where that is asked for, nothing.
//! Source: Documentation/networking/filter.rst of the kernel.

use std::io;
use std::os::fd::RawFd;

use super::socket::set;
use crate::wire::TUNNEL_PORTS;

/// Ranges of addresses up to which a program is made: with more it would cost each packet more than it saves.
pub const FILTER_RANGES: usize = 128;

/// Ports up to which a program is made.
pub const FILTER_PORTS: usize = 64;

/// Where the payload of UDP begins.
const UDP_PAYLOAD: u32 = 42;
/// Port of answers about names.
const DNS_PORT: u16 = 53;

/// Bytes kept of a packet of which the headers are enough: Ethernet's, IPv4's, and TCP's with all the options it may have.
pub const HEADERS: u32 = 96;

const IPV4_MAPPED: u128 = 0xFFFF << 32;
const ALL: u32 = u32::MAX;

const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_LENGTH: u16 = 0x80;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_GREATER: u16 = 0x25;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(Vec<Step>);

/// One instruction: its code, how far to go on if it holds and if not, its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step(u16, u8, u8, u32);

impl Program {
    /// For Ethernet frames. `ranges` are 128-bit addresses, inclusive; none where there are too many of them or where
    /// everything is asked for. `drops`: what nobody asked for does not come at all.
    pub fn new(ranges: &[(u128, u128)], ports: &[u16], drops: bool) -> Option<Program> {
        let wanted: Vec<(u32, u32)> = ranges.iter().filter_map(ipv4_part).collect();
        if wanted.len() > FILTER_RANGES || ports.len() > FILTER_PORTS || wanted.contains(&(0, ALL)) {
            return None;
        }
        let mut steps = vec![
            Step(LOAD_HALF, 0, 0, 12),
            Step(IF_EQUAL, 1, 0, 0x0800),
            Step(RETURN, 0, 0, ALL),
            // Too short for all that is looked at below, or with IP options: no filter can tell.
            Step(LOAD_LENGTH, 0, 0, 0),
            Step(IF_AT_LEAST, 1, 0, 48),
            Step(RETURN, 0, 0, ALL),
            Step(LOAD_BYTE, 0, 0, 14),
            Step(IF_EQUAL, 1, 0, 0x45),
            Step(RETURN, 0, 0, ALL),
            Step(LOAD_HALF, 0, 0, 20),
            Step(IF_ANY_BIT, 0, 1, 0x3fff), // more fragments, or an offset
            Step(RETURN, 0, 0, ALL),
        ];
        for source_or_destination in [26, 30] {
            steps.push(Step(LOAD_WORD, 0, 0, source_or_destination));
            for &(first, last) in &wanted {
                steps.push(Step(IF_AT_LEAST, 0, 2, first));
                steps.push(Step(IF_GREATER, 1, 0, last));
                steps.push(Step(RETURN, 0, 0, ALL));
            }
        }
        let rest = if drops { 0 } else { HEADERS };
        steps.extend([
            Step(LOAD_BYTE, 0, 0, 23),
            Step(IF_EQUAL, 3, 0, 6),
            Step(IF_EQUAL, 1, 0, 17),
            Step(RETURN, 0, 0, ALL),
            Step(JUMP, 0, 0, 3 + pass_ports_len(ports.len() + 1)), // over the part of TCP
            Step(LOAD_BYTE, 0, 0, 47),
            Step(IF_ANY_BIT, 0, 1, 0x07), // SYN, FIN, RST
            Step(RETURN, 0, 0, ALL),
        ]);
        steps.extend(pass_ports(&[ports, &[DNS_PORT]].concat(), rest));
        steps.extend([
            Step(LOAD_HALF, 0, 0, UDP_PAYLOAD),
            Step(IF_EQUAL, 0, 1, 0), // a proxy may relay it (RFC 1928, 7)
            Step(RETURN, 0, 0, ALL),
            Step(LOAD_BYTE, 0, 0, UDP_PAYLOAD),
            Step(IF_AT_LEAST, 0, 2, 0x60), // IPv6 in Teredo, from any port to any port
            Step(IF_GREATER, 1, 0, 0x6f),
            Step(RETURN, 0, 0, ALL),
        ]);
        steps.extend(pass_ports(&[&TUNNEL_PORTS[..], &[DNS_PORT]].concat(), rest));
        Some(Program(steps))
    }

    /// Gives it to a socket.
    pub(super) fn attach(&self, socket: RawFd) -> io::Result<()> {
        let mut steps: Vec<libc::sock_filter> =
            self.0.iter().map(|&Step(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k }).collect();
        let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
        set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
    }

    /// How much of a frame it lets through at most; what the kernel would do, for tests.
    #[cfg(test)]
    fn kept(&self, frame: &[u8]) -> u32 {
        let load = |at: u32, bytes: usize| {
            let at = at as usize;
            frame.get(at..at + bytes).map(|part| part.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)))
        };
        let (mut at, mut a) = (0, 0);
        loop {
            let Step(code, yes, no, k) = self.0[at];
            at += 1;
            let holds = match code {
                LOAD_WORD | LOAD_HALF | LOAD_BYTE => {
                    let bytes = [4, 2, 1][usize::from((code - LOAD_WORD) / 8)];
                    let Some(value) = load(k, bytes) else { return 0 };
                    a = value;
                    continue;
                }
                LOAD_LENGTH => {
                    a = frame.len() as u32;
                    continue;
                }
                JUMP => {
                    at += k as usize;
                    continue;
                }
                RETURN => return k,
                IF_EQUAL => a == k,
                IF_GREATER => a > k,
                IF_AT_LEAST => a >= k,
                IF_ANY_BIT => a & k != 0,
                _ => panic!("no such instruction"),
            };
            at += usize::from(if holds { yes } else { no });
        }
    }
}

/// Takes a socket's program off.
pub(super) fn detach(socket: RawFd) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &0i32)
}

/// Passes what has one of the ports at either end, and so many bytes of all else.
fn pass_ports(ports: &[u16], rest: u32) -> Vec<Step> {
    let mut steps = Vec::with_capacity(pass_ports_len(ports.len()) as usize);
    for source_or_destination in [34, 36] {
        steps.push(Step(LOAD_HALF, 0, 0, source_or_destination));
        for &port in ports {
            steps.push(Step(IF_EQUAL, 0, 1, u32::from(port)));
            steps.push(Step(RETURN, 0, 0, ALL));
        }
    }
    steps.push(Step(RETURN, 0, 0, rest));
    steps
}

const fn pass_ports_len(ports: usize) -> u32 {
    (2 * (1 + 2 * ports) + 1) as u32
}

/// What of a range are IPv4 addresses.
fn ipv4_part(&(first, last): &(u128, u128)) -> Option<(u32, u32)> {
    let (first, last) = (first.max(IPV4_MAPPED), last.min(IPV4_MAPPED | u128::from(ALL)));
    (first <= last).then_some((first as u32, last as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(protocol: u8, from: [u8; 4], to: [u8; 4], ports: (u16, u16), flags: u8) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, protocol, 0, 0]);
        frame.extend(from);
        frame.extend(to);
        frame.extend(ports.0.to_be_bytes());
        frame.extend(ports.1.to_be_bytes());
        frame.extend([0, 0, 0, 0, 0x45, 0, 0, 0, 0]);
        frame.push(flags);
        frame.resize(60, 0);
        frame
    }

    /// What of a frame passes a program that drops, and one that does not.
    fn kept(frame: &[u8]) -> [u32; 2] {
        let net = |last: u128| IPV4_MAPPED | 0xC000_0200 | last; // 192.0.2.0
        let ranges = [(net(1), net(30)), (1 << 120, 1 << 121)];
        [true, false].map(|drops| Program::new(&ranges, &[16384, 211], drops).unwrap().kept(frame))
    }

    fn passes(frame: &[u8]) -> bool {
        kept(frame) == [ALL; 2]
    }

    const US: [u8; 4] = [10, 0, 0, 1];
    const THEM: [u8; 4] = [198, 51, 100, 1];

    #[test]
    fn only_plain_traffic_that_nobody_asked_for_is_turned_away_or_cut() {
        assert_eq!(kept(&frame(6, US, THEM, (1024, 443), 0x10)), [0, HEADERS]);
        assert_eq!(kept(&frame(17, US, THEM, (1024, 443), 0)), [0, HEADERS]);
        for (last, wanted) in [(0, false), (1, true), (30, true), (31, false)] {
            assert_eq!(passes(&frame(6, US, [192, 0, 2, last], (1024, 443), 0x10)), wanted, "{last}");
            assert_eq!(passes(&frame(17, [192, 0, 2, last], US, (1024, 443), 0)), wanted, "{last}");
        }
        for ports in [(1024, 16384), (211, 1024), (53, 1024), (1024, 53)] {
            assert!(passes(&frame(6, US, THEM, ports, 0x10)), "{ports:?}");
        }
    }

    #[test]
    fn what_may_hide_or_tell_something_passes() {
        for flags in [0x02, 0x12, 0x11, 0x14] {
            assert!(passes(&frame(6, US, THEM, (1024, 443), flags)), "{flags:#x}");
        }
        for port in [53, 2152, 3544, 4754, 4789, 5072, 5247, 6081, 8472, 37008] {
            assert!(passes(&frame(17, US, THEM, (port, 9999), 0)), "{port}");
            assert!(passes(&frame(17, US, THEM, (9999, port), 0)), "{port}");
        }
        for protocol in [1, 4, 41, 47, 132] {
            assert!(passes(&frame(protocol, US, THEM, (1024, 443), 0)), "{protocol}");
        }
        for (payload, passing) in
            [([0, 0], true), ([0, 1], false), ([0x60, 9], true), ([0x6f, 9], true), ([0x70, 9], false)]
        {
            let mut datagram = frame(17, US, THEM, (1024, 443), 0);
            datagram[42..44].copy_from_slice(&payload);
            assert_eq!(passes(&datagram), passing, "a relay's, or in Teredo: {payload:x?}");
        }
        let with = |at: usize, byte: u8| {
            let mut frame = frame(6, US, THEM, (1024, 443), 0x10);
            frame[at] = byte;
            frame
        };
        assert!(passes(&with(13, 6)), "another type than IPv4, a tag among them");
        assert!(passes(&with(14, 0x46)), "IP options");
        assert!(passes(&with(20, 0x20)), "a first fragment");
        assert!(passes(&with(21, 1)), "a later fragment");
        assert!(!passes(&with(20, 0x40)), "do not fragment");
        assert!(passes(&frame(6, US, THEM, (1024, 443), 0x10)[..40]), "cut");
    }

    #[test]
    fn what_would_cost_more_than_it_saves_gets_no_program() {
        let many: Vec<(u128, u128)> = (0..200).map(|n| (IPV4_MAPPED + n * 256, IPV4_MAPPED + n * 256)).collect();
        assert_eq!(Program::new(&many, &[], false), None);
        assert_eq!(Program::new(&[(0, u128::MAX)], &[], false), None);
    }
}
