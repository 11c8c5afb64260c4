//! Every limit of the capture reader, by name.

/// Captured bytes of one frame above which a length is taken for damage (16 MiB).
pub const MAX_RECORD: u32 = 16 << 20;

/// Bytes of one pcapng block above which its length is taken for damage: a frame and room for options.
pub const MAX_BLOCK: u32 = MAX_RECORD + (64 << 10);

/// Largest snap length that capture tools use by themselves. A pcap record may be this long whatever
/// its file header says, since headers understate it in real files.
pub const COMMON_SNAPLEN: u32 = 262_144;

/// Interfaces kept per file; frames of further ones are reported as unreadable.
pub const MAX_INTERFACES: usize = 65_535;

/// Bytes of an interface's or a process's name that are kept.
pub const MAX_NAME: usize = 256;

/// Names of processes that are kept of one capture, and of all together; packets of further ones are of no known process.
pub const MAX_PROCESSES: usize = 16_384;

/// Bytes looked at beyond a place that may be the next sound record or block after damage.
pub const RESYNC_AHEAD: usize = 512 << 10;

/// Plausible pcap records in a row that prove the reader is back in step.
pub const RESYNC_RECORDS: usize = 4;

/// Plausible pcapng blocks in a row that prove it inside a block that runs past the end of the file.
pub const RESYNC_BLOCKS: usize = 16;

/// Seconds between neighbouring pcap records up to which their times are plausible after damage.
pub const RESYNC_SECONDS: u32 = 86_400;

/// Bytes of history a zstd frame may ask the decoder to keep (128 MiB, as the zstd tool itself).
pub const MAX_ZSTD_WINDOW: u64 = 128 << 20;

/// Memory that an xz file may ask of the decoder, in KiB: a dictionary of 128 MiB (`xz -9` takes half of it), and what
/// the decoder needs beside it.
pub const MAX_XZ_MEMORY: u32 = (128 << 10) + (1 << 10);
