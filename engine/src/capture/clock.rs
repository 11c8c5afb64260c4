//! Time stamps of pcapng interfaces to nanoseconds (draft-ietf-opsawg-pcapng, `if_tsresol`, `if_tsoffset`).

const SECOND: i128 = 1_000_000_000;

/// How an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    tick: Tick,
    offset_ns: i128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tick {
    /// A tick is this many nanoseconds.
    Times(u64),
    /// A nanosecond is this many ticks.
    Per(u128),
    /// A second is two to this power of ticks.
    Binary(u8),
}

impl Default for Clock {
    /// Microseconds since 1970, what an interface without the options means.
    fn default() -> Clock {
        Clock { tick: Tick::Times(1000), offset_ns: 0 }
    }
}

impl Clock {
    /// From the option bytes: `resolution` is a negative power of ten, or of two with the high bit set.
    pub fn new(resolution: u8, offset_seconds: i64) -> Clock {
        let power = u32::from(resolution & 0x7f);
        let tick = if resolution & 0x80 != 0 {
            Tick::Binary(resolution & 0x7f)
        } else if power <= 9 {
            Tick::Times(10_u64.pow(9 - power))
        } else {
            // Past 10^38 no 64-bit count of ticks reaches one nanosecond.
            Tick::Per(10_u128.checked_pow(power - 9).unwrap_or(u128::MAX))
        };
        Clock { tick, offset_ns: i128::from(offset_seconds) * SECOND }
    }

    /// Whether stamps can tell nanoseconds apart that microseconds cannot.
    pub fn finer_than_microseconds(self) -> bool {
        match self.tick {
            Tick::Times(nanoseconds) => nanoseconds < 1000,
            Tick::Per(_) => true,
            Tick::Binary(power) => power > 19,
        }
    }

    /// Nanoseconds since 1970; `Err` holds the nearest that 64 bits can say.
    #[inline]
    pub fn nanoseconds(self, ticks: u64) -> Result<i64, i64> {
        let since = match self.tick {
            Tick::Times(nanoseconds) => i128::from(ticks) * i128::from(nanoseconds),
            Tick::Per(count) => (u128::from(ticks) / count) as i128,
            // 64 bits of ticks and 30 of nanoseconds fit; every power is below 128.
            Tick::Binary(power) => (i128::from(ticks) * SECOND) >> power,
        };
        let time = since + self.offset_ns;
        i64::try_from(time).map_err(|_| if time < 0 { i64::MIN } else { i64::MAX })
    }
}
