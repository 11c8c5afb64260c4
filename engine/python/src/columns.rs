//! Columns and names across the boundary.

use auditor_engine::flow::community_id_text;
use auditor_engine::output::{self, RowLabels, address_text};
use auditor_engine::wire::{Address, tunnel_path};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::bad_argument;

/// What classification says of a batch's wanted rows, for writing the table.
#[pyclass(frozen, module = "auditor._engine")]
pub struct Labels {
    pub inner: output::Labels,
}

#[pymethods]
impl Labels {
    /// The five columns have one element a wanted row: little-endian u16, u16, u8, u8, u8.
    #[new]
    #[pyo3(signature = (*, vendors, services, roles, role_bases, vendor, service, role, role_basis, client))]
    #[allow(clippy::too_many_arguments)] // keyword-only on the Python side
    fn new(
        vendors: Vec<String>,
        services: Vec<String>,
        roles: Vec<String>,
        role_bases: Vec<String>,
        vendor: &[u8],
        service: &[u8],
        role: &[u8],
        role_basis: &[u8],
        client: &[u8],
    ) -> PyResult<Labels> {
        let rows = role.len();
        if vendor.len() != 2 * rows || service.len() != 2 * rows || role_basis.len() != rows || client.len() != rows {
            return Err(bad_argument(format!("label columns differ in length; expected {rows} elements each")));
        }
        let word = |column: &[u8], row: usize| u16::from_le_bytes([column[2 * row], column[2 * row + 1]]);
        let rows: Vec<RowLabels> = (0..rows)
            .map(|row| (word(vendor, row), word(service, row), role[row], role_basis[row], client[row]))
            .collect();
        Ok(Labels { inner: output::Labels { vendors, services, roles, role_bases, rows } })
    }
}

/// Addresses as text: `hi` and `lo` are columns of little-endian u64, `version` of u8.
#[pyfunction]
pub fn format_addresses(version: &[u8], hi: &[u8], lo: &[u8]) -> PyResult<Vec<String>> {
    if hi.len() != 8 * version.len() || lo.len() != 8 * version.len() {
        return Err(bad_argument(format!(
            "address columns differ in length; expected {} elements each",
            version.len()
        )));
    }
    let words = |column: &[u8]| -> Vec<u64> {
        column
            .chunks_exact(8)
            .map(|bytes| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
            .collect()
    };
    let addresses = version.iter().zip(words(hi)).zip(words(lo));
    Ok(addresses
        .map(|((&version, hi), lo)| address_text(version, Address(u128::from(hi) << 64 | u128::from(lo))))
        .collect())
}

/// The path of an encapsulation code.
#[pyfunction]
pub fn format_tunnel(py: Python<'_>, code: u64) -> Bound<'_, PyString> {
    PyString::new(py, &tunnel_path(code))
}

/// Community IDs as text, from a column of 20-byte digests.
#[pyfunction]
pub fn format_community_ids(digests: &[u8]) -> Vec<String> {
    let texts = digests.as_chunks::<20>().0.iter().map(community_id_text);
    texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
}

/// The name of an IP protocol, or its number.
#[pyfunction]
pub fn protocol_name(number: u8) -> String {
    output::protocol_name(number).map_or_else(|| number.to_string(), str::to_owned)
}
