use super::anonymise::{Anonymiser, Kept};
use super::checksum::{sum, update};
use super::edit::Editor;

/// The key and some of the addresses that the authors of Crypto-PAn publish with it.
const KEY: [u8; 32] = [
    21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98,
    87, 76, 45, 42, 132, 34, 2,
];
const IPV4: u128 = 0xffff << 32;

fn number(address: [u8; 4]) -> u128 {
    IPV4 | u128::from(u32::from_be_bytes(address))
}

fn common_bits(one: [u8; 4], other: [u8; 4]) -> u32 {
    (u32::from_be_bytes(one) ^ u32::from_be_bytes(other)).leading_zeros()
}

#[test]
fn addresses_become_what_the_authors_of_crypto_pan_publish() {
    let mut anonymiser = Anonymiser::new(KEY, Kept::default());
    for (address, mapped) in [
        ([128, 11, 68, 132], [135, 242, 180, 132]),
        ([129, 118, 74, 4], [134, 136, 186, 123]),
        ([130, 132, 252, 244], [133, 68, 164, 234]),
        ([141, 223, 7, 43], [141, 167, 8, 160]),
        ([141, 233, 145, 108], [141, 129, 237, 235]),
    ] {
        assert_eq!(anonymiser.v4(address), mapped);
    }
}

#[test]
fn prefixes_are_preserved_and_no_two_addresses_meet() {
    let kept = Kept {
        whole: vec![(number([66, 241, 7, 1]), number([66, 241, 7, 30]))],
        prefixes: vec![(number([10, 0, 0, 0]), number([10, 255, 255, 255]))],
    };
    let mut anonymiser = Anonymiser::new(KEY, kept);
    let addresses: Vec<[u8; 4]> = (0..=255)
        .flat_map(|last| [[66, 241, 7, last], [10, 1, last, 3], [198, 51, 100, last], [66, 240, last, 1]])
        .collect();
    let mapped: Vec<[u8; 4]> = addresses.iter().map(|&address| anonymiser.v4(address)).collect();
    for (one, one_mapped) in addresses.iter().zip(&mapped) {
        for (other, other_mapped) in addresses.iter().zip(&mapped) {
            assert_eq!(common_bits(*one, *other), common_bits(*one_mapped, *other_mapped), "{one:?} {other:?}");
        }
    }
    for (address, mapped) in addresses.iter().zip(&mapped) {
        let published = address[..3] == [66, 241, 7] && (1..=30).contains(&address[3]);
        let is_published = mapped[..3] == [66, 241, 7] && (1..=30).contains(&mapped[3]);
        assert_eq!(published, is_published);
        assert!(!published || address == mapped);
        assert_eq!(address[0] == 10, mapped[0] == 10);
    }
    assert!(addresses.iter().zip(&mapped).any(|(address, mapped)| address[0] == 10 && address != mapped));
}

#[test]
fn ipv6_addresses_keep_their_common_prefix() {
    let mut anonymiser = Anonymiser::new(KEY, Kept::default());
    let of = |last: u128| (0x2001_0db8_0000_0000_0000_0000_0000_0000_u128 | last).to_be_bytes();
    let (one, other) = (anonymiser.v6(of(1)), anonymiser.v6(of(0x1_0000)));
    let common = (u128::from_be_bytes(one) ^ u128::from_be_bytes(other)).leading_zeros();
    assert_eq!(common, 111);
    assert_ne!(one, of(1));
}

#[test]
fn a_right_checksum_stays_right_and_a_wrong_one_wrong() {
    for wrong in [0, 0x1234] {
        let mut bytes = [0x45, 0, 0, 40, 1, 2, 0x40, 0, 64, 6, 0, 0, 10, 1, 2, 3, 66, 241, 7, 9];
        let check = !sum(&bytes) ^ wrong;
        bytes[10..12].copy_from_slice(&check.to_be_bytes());
        let before = sum(&bytes[12..]);
        bytes[12..16].copy_from_slice(&[10, 99, 200, 7]);
        let after = sum(&bytes[12..]);
        update(&mut bytes, 10, before, after);
        assert_eq!(sum(&bytes) == 0xffff, wrong == 0);
    }
}

/// Ethernet, VLAN 42, IPv4, TCP with 12 bytes of options, 100 bytes of payload.
fn tagged_tcp() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 42, 8, 0];
    frame.extend([0x45, 0, 0, 152, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 1, 2, 3, 66, 241, 7, 9]);
    frame.extend([4, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 0x18, 1, 0, 0, 0, 0, 0]);
    frame.extend([1; 12]);
    frame.extend([0x55; 100]);
    frame
}

#[test]
fn headers_only_cuts_behind_the_options_of_tcp() {
    let mut frame = tagged_tcp();
    assert_eq!(Editor::headers_only().edit(&mut frame, 1), 18 + 20 + 32);
    assert_eq!(frame, tagged_tcp());
}

#[test]
fn an_unknown_link_type_keeps_nothing() {
    assert_eq!(Editor::headers_only().edit(&mut tagged_tcp(), 147), 0);
}

#[test]
fn whatever_the_bytes_are_nothing_panics() {
    let mut state = 7u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let starts: [&[u8]; 7] = [
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45],
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x4f, 0, 0, 0, 0, 0, 0, 0, 0, 47],
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 58],
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 0],
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0x47],
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6],
    ];
    let mut editor = Editor::anonymising(Anonymiser::new(KEY, Kept::default()), true);
    for round in 0..20_000usize {
        let mut frame = starts[round % starts.len()].to_vec();
        let length = usize::from(random()) % 120;
        frame.extend((0..length).map(|_| random()));
        let kept = editor.edit(&mut frame, [1, 1, 1, 0, 12, 113, 276][round % 7]);
        assert!(kept <= frame.len());
    }
}
