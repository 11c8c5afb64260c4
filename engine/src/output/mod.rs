//! Ended flows to columns and to text.

mod columns;
mod csv;
mod text;

pub use columns::{Column, columns, fingerprint_columns};
pub use csv::{CSV_HEADER, Labels, RowLabels, write_rows};
pub use text::{address as write_address, address_text, protocol_name};
