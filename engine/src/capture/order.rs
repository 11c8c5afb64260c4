//! Byte order of a file, section or record.

/// Reads fields at positions the caller has checked; beyond the end a field reads as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// Least significant byte first.
    #[default]
    Little,
    /// Most significant byte first.
    Big,
}

impl Order {
    pub fn other(self) -> Order {
        match self {
            Order::Little => Order::Big,
            Order::Big => Order::Little,
        }
    }

    #[inline]
    pub fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let field = field(bytes, at);
        if self == Order::Big { u16::from_be_bytes(field) } else { u16::from_le_bytes(field) }
    }

    #[inline]
    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let field = field(bytes, at);
        if self == Order::Big { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) }
    }

    #[inline]
    pub fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let field = field(bytes, at);
        if self == Order::Big { u64::from_be_bytes(field) } else { u64::from_le_bytes(field) }
    }
}

#[inline]
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}
