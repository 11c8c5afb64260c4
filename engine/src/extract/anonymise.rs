//! Addresses that keep their neighbourhood and lose their identity: Crypto-PAn (Xu, Fan, Ammar, Moon 2002).
//!
//! Two addresses that share a prefix share one of the same length afterwards. Each bit is flipped or not by a pseudo-random
//! function of the bits before it. Where a network has to stay as it is, no bit of it is flipped, nor any on the way to
//! it: the mapping remains one-to-one and prefix-preserving, and nothing else can be mapped into such a network.
//! The price: the closest neighbours of a kept network, which share most of its prefix, stay close to it.

use std::collections::HashMap;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// Addresses that are remembered; more are computed again.
const REMEMBERED: usize = 1 << 18;

const IPV4: u128 = 0xffff << 32;

/// What stays: networks as a whole, and networks whose prefix stays while what is inside changes. Inclusive ranges of
/// 128-bit numbers, IPv4 as `::ffff:a.b.c.d`; those of the second kind have to be whole prefixes.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Every address stays.
    pub whole: Vec<(u128, u128)>,
    /// The prefix stays, so that private addresses are still private.
    pub prefixes: Vec<(u128, u128)>,
}

/// Maps addresses, always in the same way for one key.
pub struct Anonymiser {
    cipher: Aes128,
    pad: u128,
    kept: Kept,
    known: HashMap<u128, u128>,
}

impl Anonymiser {
    /// A mapping from a key of 32 bytes: 16 for the cipher, 16 for the padding.
    pub fn new(key: [u8; 32], kept: Kept) -> Anonymiser {
        let (cipher, pad) = key.split_at(16);
        let cipher: [u8; 16] = cipher.try_into().unwrap_or_default();
        let pad: [u8; 16] = pad.try_into().unwrap_or_default();
        let cipher = Aes128::new(&cipher.into());
        let pad = encrypt(&cipher, u128::from_be_bytes(pad));
        Anonymiser { cipher, pad, kept, known: HashMap::new() }
    }

    /// The address that stands for an IPv4 address.
    pub fn v4(&mut self, address: [u8; 4]) -> [u8; 4] {
        (self.address(IPV4 | u128::from(u32::from_be_bytes(address)), 96) as u32).to_be_bytes()
    }

    /// The address that stands for an IPv6 address.
    pub fn v6(&mut self, address: [u8; 16]) -> [u8; 16] {
        self.address(u128::from_be_bytes(address), 0).to_be_bytes()
    }

    /// The hardware address that stands for one; groups and broadcast stay.
    pub fn mac(&mut self, address: [u8; 6]) -> [u8; 6] {
        if address[0] & 1 == 1 || address == [0; 6] {
            return address;
        }
        let mut block = [0; 16];
        block[..6].copy_from_slice(&address);
        block[6] = 1; // apart from every block that an address gives
        let mixed = encrypt(&self.cipher, u128::from_be_bytes(block) ^ self.pad).to_be_bytes();
        [0x02, mixed[0], mixed[1], mixed[2], mixed[3], mixed[4]] // locally administered
    }

    /// `skipped`: leading bits that are the same for all addresses of the family.
    fn address(&mut self, address: u128, skipped: u32) -> u128 {
        if let Some(&known) = self.known.get(&address) {
            return known;
        }
        let mut flips = 0u128;
        for place in skipped..128 {
            // the node of the first `place` bits: all addresses that share them
            let below = u128::MAX.checked_shr(place).unwrap_or(0);
            let node = (address & !below, address | below);
            if self.stays(node) {
                continue;
            }
            // Crypto-PAn gives the cipher the family's own bits, then padding
            let bits = place - skipped;
            let above = !u128::MAX.checked_shr(bits).unwrap_or(0);
            let own = address << skipped;
            let block = own & above | self.pad & !above;
            flips |= (encrypt(&self.cipher, block) >> 127) << (127 - place);
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(address, address ^ flips);
        address ^ flips
    }

    /// Whether the bit behind this node is not to be flipped.
    fn stays(&self, (first, last): (u128, u128)) -> bool {
        let touches = |range: &(u128, u128)| range.0 <= last && first <= range.1;
        let leads_to = |range: &(u128, u128)| first <= range.0 && range.1 <= last && (first, last) != *range;
        self.kept.whole.iter().any(touches) || self.kept.prefixes.iter().any(leads_to)
    }
}

fn encrypt(cipher: &Aes128, block: u128) -> u128 {
    let mut block = block.to_be_bytes().into();
    cipher.encrypt_block(&mut block);
    u128::from_be_bytes(block.into())
}
