//! What a pcapng section tells about its packets: byte order, interfaces, statistics.

use super::block::{self, FRAME};
use super::clock::Clock;
use super::info::{self, Info, Interface};
use super::limits::{MAX_INTERFACES, MAX_PROCESSES};
use super::order::Order;

const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const ISB_IFRECV: u16 = 4;
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;
const EPB_DROPCOUNT: u16 = 4;
// Apple's: number of the process in the section, and of the process that it acts for.
const EPB_PROCESS: u16 = 0x8001;
const EPB_EFFECTIVE_PROCESS: u16 = 0x8003;
const PROCESS_NAME: u16 = 2;
const PROCESS_PATH: u16 = 3;

/// An interface of the current section, as its packets need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// Index over all sections.
    pub index: u16,
    pub link_type: u16,
    pub snaplen: u32,
    pub clock: Clock,
}

/// The current section.
#[derive(Clone, Default)]
pub(super) struct Section {
    pub order: Order,
    pub sources: Vec<Source>,
    /// Processes described so far, as numbers of [`Info::processes`].
    pub processes: Vec<u32>,
    /// Blocks were passed over: the numbers of processes described after them are not known.
    pub torn: bool,
}

impl Section {
    /// Begins a section; interfaces and processes are counted anew in it.
    pub fn begin(&mut self, order: Order, bytes: &[u8], info: &mut Info, offset: u64) {
        self.order = order;
        self.sources.clear();
        self.processes.clear();
        self.torn = false;
        let (major, minor) = (order.u16(bytes, 12), order.u16(bytes, 14));
        if major != 1 {
            info.problems.note("unknown-version", true, info.number, offset, || {
                format!("pcapng version 1.0 was expected, {major}.{minor} was there; read as 1.0")
            });
        }
    }

    /// Adds the interface of an interface block, which may lack its end.
    pub fn interface(&mut self, block: &[u8], info: &mut Info, offset: u64) {
        let order = self.order;
        let (link_type, snaplen) = (order.u16(block, 8), order.u32(block, 12));
        let (mut name, mut resolution, mut since) = (String::new(), 6, 0);
        let sound = block::options(body(block, 16), order, |code, value| match (code, value) {
            (IF_NAME, _) => name = info::name(value),
            (IF_TSRESOL, &[power, ..]) => resolution = power,
            (IF_TSOFFSET, value) if value.len() >= 8 => since = order.u64(value, 0) as i64,
            _ => {}
        });
        if !sound {
            note_options(info, offset);
        }
        let clock = Clock::new(resolution, since);
        info.nanoseconds |= clock.finer_than_microseconds();
        let interface = Interface { name, link_type, snaplen, resolution, ..Interface::default() };
        match info.add_interface(interface) {
            Some(index) => self.sources.push(Source { index, link_type, snaplen, clock }),
            None => info.problems.note("too-many-interfaces", true, info.number, offset, || {
                format!("at most {MAX_INTERFACES} interfaces are kept; packets of further ones are not read")
            }),
        }
    }

    /// Takes the counts of a statistics block; a later one replaces an earlier.
    pub fn statistics(&self, block: &[u8], info: &mut Info, offset: u64) {
        let order = self.order;
        let source = self.sources.get(order.u32(block, 8) as usize);
        let Some(interface) = source.and_then(|source| info.interfaces.get_mut(usize::from(source.index))) else {
            info.problems.note("unknown-interface", true, info.number, offset, || {
                let count = self.sources.len();
                let index = order.u32(block, 8);
                format!("{count} interfaces were described, one {index} was used; its statistics were not read")
            });
            return;
        };
        let sound = block::options(body(block, 20), order, |code, value| {
            let count = (value.len() >= 8).then(|| order.u64(value, 0));
            match code {
                ISB_IFRECV => interface.received = count,
                ISB_IFDROP => interface.dropped_by_interface = count,
                ISB_OSDROP => interface.dropped_by_system = count,
                _ => {}
            }
        });
        if !sound {
            note_options(info, offset);
        }
    }

    /// Adds the process of a process information block.
    pub fn process(&mut self, block: &[u8], info: &mut Info, offset: u64) {
        let (mut name, mut path) = (String::new(), String::new());
        let sound = block::options(body(block, 12), self.order, |code, value| match code {
            PROCESS_NAME => name = info::name(value),
            PROCESS_PATH => path = info::name(value.rsplit(|&byte| byte == b'/').next().unwrap_or_default()),
            _ => {}
        });
        if !sound {
            note_options(info, offset);
        }
        if self.processes.len() >= MAX_PROCESSES || info.processes.is_full() {
            info.problems.note("too-many-processes", false, info.number, offset, || {
                format!("at most {MAX_PROCESSES} processes are kept; packets of further ones are of no known process")
            });
        }
        if self.processes.len() < MAX_PROCESSES {
            info.names_processes = true;
            // The system cuts names, but not paths.
            let name = if path.is_empty() { &name } else { &path };
            self.processes.push(if self.torn { 0 } else { info.processes.code(name) });
        }
    }

    /// Packets lost before this one and the process that it belongs to, by the options behind it.
    pub fn packet_options(&self, options: &[u8], info: &mut Info, offset: u64) -> (u64, u32) {
        let (mut drops, mut process, mut effective) = (0, None, None);
        let sound = block::options(options, self.order, |code, value| match (code, value.len()) {
            (EPB_DROPCOUNT, 8..) => drops = self.order.u64(value, 0),
            (EPB_PROCESS, 4) => process = Some(self.order.u32(value, 0)),
            (EPB_EFFECTIVE_PROCESS, 4) => effective = Some(self.order.u32(value, 0)),
            _ => {}
        });
        if !sound {
            note_options(info, offset);
        }
        let code = effective.or(process).map_or(0, |index| {
            self.processes.get(index as usize).copied().unwrap_or_else(|| {
                info.problems.note("unknown-process", false, info.number, offset, || {
                    let count = self.processes.len();
                    format!(
                        "{count} processes were described, number {index} was used; the packet is of no known process"
                    )
                });
                0
            })
        });
        (drops, code)
    }
}

/// The options of a block that begin at `from`; the length at its end is left out.
fn body(block: &[u8], from: usize) -> &[u8] {
    block.get(from..block.len().saturating_sub(FRAME - 8)).unwrap_or_default()
}

fn note_options(info: &mut Info, offset: u64) {
    info.problems.note("bad-options", false, info.number, offset, || {
        "an option was expected to end within its block, it runs past it; the options before it were used".to_string()
    });
}
