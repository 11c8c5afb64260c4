//! Record layouts of pcap: the standard one and those of patched capture libraries.
//!
//! A patched library kept the magic number and lengthened the record header, so only the records tell.

use super::chain::{Chain, Stop, follow};
use super::order::Order;

/// Records that are looked at to tell layouts apart.
const LOOK: usize = 8;

/// How records are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Byte order of the record headers.
    pub order: Order,
    /// Bytes of the record header behind the four standard fields.
    pub extra: usize,
}

/// The link type that AIX means in files of its version 2.2: it writes the interface's type (RFC 1213) there, and
/// nanoseconds behind the magic number of microseconds. No other writer of that version used these numbers.
pub(super) fn of_aix(version: (u16, u16), network: u16) -> Option<u16> {
    match (version, network) {
        ((2, 2), 6) => Some(1),
        ((2, 2), 9) => Some(6),
        ((2, 2), 15) => Some(10),
        ((2, 2), 24) => Some(0),
        _ => None,
    }
}

/// The layout that explains the first records best; `likely` unless it fails and another does not.
/// `plausible` judges (fraction of the second, captured length) of a record.
pub(super) fn choose(bytes: &[u8], likely: Layout, others: &[Layout], plausible: impl Fn(u32, u32) -> bool) -> Layout {
    let judge = |layout: Layout| {
        follow(bytes, LOOK, |rest| {
            let length = layout.order.u32(rest, 8);
            let head = 16 + layout.extra;
            if rest.len() < head {
                return Some(head);
            }
            plausible(layout.order.u32(rest, 4), length).then_some(head + length as usize)
        })
    };
    let explains = |Chain { links, stop }: Chain| match stop {
        Stop::Enough => true,
        Stop::Exact => links > 0,
        Stop::Open => links > 1,
        Stop::Broken => false,
    };
    // One damaged record further on is damage, not another layout.
    let first = judge(likely);
    if first.stop != Stop::Broken || first.links > 1 {
        return likely;
    }
    others.iter().copied().find(|&layout| explains(judge(layout))).unwrap_or(likely)
}
