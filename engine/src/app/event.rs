//! What a conversation tells.

use super::host::Target;
use crate::wire::Address;

/// What an address counts for in [`Event::heap_bytes`]: a line of text, once it has been handed out.
const ADDRESS_BYTES: usize = 64;

/// Who sent the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The end that opened the connection.
    Client,
    /// The other one.
    Server,
}

/// How a client wants an FTP control connection to be protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// `AUTH TLS` and its variants (RFC 4217).
    Tls,
    /// `AUTH SSL`, from before there was an RFC.
    Ssl,
    /// Kerberos, GSSAPI and others (RFC 2228).
    Other,
}

/// FTP commands that use a data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Store a file.
    Stor,
    /// Append to a file.
    Appe,
    /// Store under a name that the server chooses.
    Stou,
    /// Fetch a file.
    Retr,
    /// Fetch a listing.
    List,
    /// Fetch names.
    Nlst,
    /// Fetch a listing for programs (RFC 3659).
    Mlsd,
}

impl Verb {
    /// Whether it sends a file to the server.
    pub const fn uploads(self) -> bool {
        matches!(self, Verb::Stor | Verb::Appe | Verb::Stou)
    }

    /// Whether it fetches a file from the server; listings do not count.
    pub const fn downloads(self) -> bool {
        matches!(self, Verb::Retr)
    }
}

/// What a SOCKS client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocksCommand {
    /// A connection to the target.
    Connect,
    /// A port on the proxy, for a connection from the target.
    Bind,
    /// A UDP relay (version 5).
    UdpAssociate,
}

/// One thing that a conversation said. Never contains a user name or a secret.
///
/// Where `accepted` is an option, the event comes twice: with `None` when the command is seen, with `Some` when its reply is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The FTP server is ready (220).
    FtpGreeting,
    /// The client asks for protection of the control connection.
    FtpAuth {
        /// How.
        mechanism: Mechanism,
        /// What the server says to it.
        accepted: Option<bool>,
    },
    /// A user name, in clear.
    FtpUser,
    /// A password, in clear.
    FtpPass,
    /// The server's last word about the login.
    FtpLogin {
        /// The user is in.
        accepted: bool,
    },
    /// The server listens for a data connection.
    FtpPassive {
        /// Where; `None` is the address of the control connection (229).
        address: Option<Address>,
        /// On which port.
        port: u16,
        /// 229 rather than 227.
        extended: bool,
    },
    /// The client wants the server to open the data connection.
    FtpActive {
        /// Where to.
        address: Address,
        /// To which port.
        port: u16,
        /// EPRT rather than PORT.
        extended: bool,
        /// What the server says to it.
        accepted: Option<bool>,
    },
    /// A data endpoint was announced but could not be read.
    FtpUnreadableEndpoint {
        /// The reply code, or 0 where the client announced it (active mode).
        code: u16,
    },
    /// A transfer over a data connection.
    FtpTransfer {
        /// Which.
        verb: Verb,
        /// Whether the server starts it.
        accepted: Option<bool>,
    },
    /// A transfer that was accepted has ended.
    FtpTransferDone {
        /// The server calls it complete.
        ok: bool,
    },
    /// The server agreed to a protection level of data connections.
    FtpSecuredData {
        /// Encrypted (`PROT P`).
        private: bool,
    },
    /// The client says goodbye.
    FtpQuit,
    /// The server closes the control connection.
    FtpClosing {
        /// 221, or 421 when it does so of its own accord.
        code: u16,
    },
    /// From here on the control connection is protected.
    FtpOpaque {
        /// No accepted AUTH came before.
        implicit: bool,
    },
    /// The control connection is in clear again (CCC, RFC 4217, 9).
    FtpClear,
    /// The client opens a TLS session.
    TlsClientHello {
        /// The host name it asks for: lower case, escaped.
        sni: Option<String>,
        /// Highest version offered: 0x0002 is SSL 2, 0x0300 SSL 3, 0x0301 to 0x0304 TLS 1.0 to 1.3.
        version: u16,
        /// Sent in SSL 2 framing.
        ssl2: bool,
    },
    /// The server answers it.
    TlsServerHello {
        /// The version that it chose.
        version: u16,
    },
    /// A SOCKS client names its target.
    SocksRequest {
        /// 4 or 5; version 4 with a name is 4a.
        version: u8,
        /// What it asks for.
        command: SocksCommand,
        /// The target.
        target: Target,
        /// The target's port.
        port: u16,
    },
    /// The SOCKS proxy answers a request, or refuses the client. A BIND is answered twice: when the proxy listens, and
    /// when the connection has come.
    SocksReply {
        /// What was asked for, as far as that was seen before: a connection otherwise.
        command: SocksCommand,
        /// Granted.
        accepted: bool,
        /// The proxy's end of it, where it is told; in the second answer to a BIND who connected.
        bound: Option<Target>,
        /// Its port.
        port: u16,
    },
    /// A datagram through the relay of a SOCKS proxy; the first one for each far end.
    SocksDatagram {
        /// The client sent it; else the relay did.
        from_client: bool,
        /// The far end.
        target: Target,
        /// Its port.
        port: u16,
    },
    /// User name and password for the proxy, in clear (RFC 1929).
    SocksCredentials,
    /// An HTTP client asks its proxy for a tunnel.
    HttpConnect {
        /// Where to.
        target: Target,
        /// To which port.
        port: u16,
    },
    /// The proxy's final answer.
    HttpConnectReply {
        /// The HTTP status.
        status: u16,
    },
    /// Credentials for the proxy.
    ProxyAuthorization {
        /// In clear (RFC 7617).
        basic: bool,
    },
    /// An HTTP request other than CONNECT; nothing after its header is read.
    HttpOther,
    /// A DNS question.
    DnsQuery {
        /// Lower case, escaped, without the final dot; the root is `.`.
        name: String,
        /// The type that is asked for.
        kind: u16,
    },
    /// A DNS answer.
    DnsAnswer {
        /// The name that was asked for.
        name: String,
        /// The type that was asked for.
        kind: u16,
        /// The names that it leads to, in order.
        cnames: Vec<String>,
        /// The addresses of the last of them.
        addresses: Vec<Address>,
        /// Response code; 0 is success, 3 says that the name does not exist.
        code: u8,
        /// There is more to the answer than could be read.
        truncated: bool,
    },
    /// The bytes are not that protocol. Nothing more comes.
    ProtocolError {
        /// Its name.
        protocol: &'static str,
        /// What was not as expected.
        what: &'static str,
    },
    /// Bytes are missing that the parser needs. Only FTP goes on after them, and may have missed something.
    Lost {
        /// Its name.
        protocol: &'static str,
    },
    /// A limit was reached; something may have gone unread.
    Limit {
        /// Which.
        name: &'static str,
    },
}

impl Event {
    /// Memory that its names and addresses take beside it, bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Event::DnsAnswer { name, cnames, addresses, .. } => {
                name.len() + cnames.iter().map(String::len).sum::<usize>() + addresses.len() * ADDRESS_BYTES
            }
            Event::DnsQuery { name, .. } | Event::TlsClientHello { sni: Some(name), .. } => name.len(),
            Event::SocksRequest { target, .. }
            | Event::SocksReply { bound: Some(target), .. }
            | Event::SocksDatagram { target, .. }
            | Event::HttpConnect { target, .. } => match target {
                Target::Name(name) => name.len(),
                Target::Address(_) => 0,
            },
            _ => 0,
        }
    }
}
