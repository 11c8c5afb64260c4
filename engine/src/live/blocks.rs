//! The few blocks of pcapng that evidence is made of (draft-ietf-opsawg-pcapng), in the machine's byte order.

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;
const COMMENT: u16 = 1;
const NAME: u16 = 2;
const RESOLUTION: u16 = 9;
const NANOSECONDS: u8 = 9;

/// Bytes of a block before its body and after it.
const HEAD: usize = 8;
const TAIL: usize = 4;
/// Bytes of a packet block's body before the packet.
const PACKET_HEAD: usize = 20;

/// What a packet's comment begins with in the ring: whose it is.
const FLOW: &str = "flow ";

/// Begins a section.
pub fn section(out: &mut Vec<u8>) {
    block(out, SECTION, |out| {
        out.extend(BYTE_ORDER.to_ne_bytes());
        out.extend(1u16.to_ne_bytes());
        out.extend(0u16.to_ne_bytes());
        out.extend((-1i64).to_ne_bytes());
    });
}

/// Describes an interface: the next one of its section.
pub fn interface(out: &mut Vec<u8>, name: &str, link_type: u16) {
    block(out, INTERFACE, |out| {
        out.extend(link_type.to_ne_bytes());
        out.extend([0; 6]); // reserved; snap length 0: none
        option(out, NAME, name.as_bytes());
        option(out, RESOLUTION, &[NANOSECONDS]);
        out.extend([0; 4]);
    });
}

/// A packet of a flow.
pub fn packet(out: &mut Vec<u8>, interface: u32, time_ns: i64, bytes: &[u8], wire_len: u32, flow_id: u64) {
    block(out, PACKET, |out| {
        let time = time_ns as u64;
        out.extend(interface.to_ne_bytes());
        out.extend(((time >> 32) as u32).to_ne_bytes());
        out.extend((time as u32).to_ne_bytes());
        out.extend((bytes.len() as u32).to_ne_bytes());
        out.extend(wire_len.to_ne_bytes());
        padded(out, bytes);
        option(out, COMMENT, format!("{FLOW}{flow_id:016x}").as_bytes());
        out.extend([0; 4]);
    });
}

/// One block of the ring.
pub enum Found<'b> {
    /// The next interface of the section, as it stands.
    Interface(&'b [u8]),
    /// A packet: its flow, and the block.
    Packet(u64, PacketBlock<'b>),
    /// Anything else.
    Other,
}

/// A packet's block.
pub struct PacketBlock<'b> {
    body: &'b [u8],
}

impl PacketBlock<'_> {
    /// Writes it again with another comment.
    pub fn commented(&self, out: &mut Vec<u8>, comment: &str) {
        block(out, PACKET, |out| {
            out.extend(&self.body[..self.options_at()]);
            option(out, COMMENT, comment.as_bytes());
            out.extend([0; 4]);
        });
    }

    fn options_at(&self) -> usize {
        let captured = word(self.body, 12).unwrap_or(0) as usize;
        (PACKET_HEAD + captured.next_multiple_of(4)).min(self.body.len())
    }

    fn flow_id(&self) -> Option<u64> {
        let options = &self.body[self.options_at()..];
        let length = usize::from(u16::from_ne_bytes([*options.get(2)?, *options.get(3)?]));
        let text = std::str::from_utf8(options.get(4..4 + length)?).ok()?;
        u64::from_str_radix(text.strip_prefix(FLOW)?, 16).ok()
    }
}

/// The block at the beginning of `bytes` and its length; none where it does not end in there, as in a file that is
/// being written or was left by a program that was killed.
pub fn first(bytes: &[u8]) -> Option<(Found<'_>, usize)> {
    let (kind, length) = (word(bytes, 0)?, word(bytes, 4)? as usize);
    let whole = bytes.get(..length)?;
    let body = whole.get(HEAD..length.checked_sub(TAIL)?)?;
    let found = match kind {
        INTERFACE => Found::Interface(whole),
        PACKET if body.len() >= PACKET_HEAD => {
            let packet = PacketBlock { body };
            packet.flow_id().map_or(Found::Other, |flow_id| Found::Packet(flow_id, packet))
        }
        _ => Found::Other,
    };
    Some((found, length))
}

fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_ne_bytes());
    out.extend([0; 4]);
    body(out);
    let length = ((out.len() - start + TAIL) as u32).to_ne_bytes();
    out.extend(length);
    out[start + 4..start + 8].copy_from_slice(&length);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(code.to_ne_bytes());
    out.extend((value.len() as u16).to_ne_bytes());
    padded(out, value);
}

fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes);
    out.resize(out.len() + bytes.len().next_multiple_of(4) - bytes.len(), 0);
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|four| u32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
}
