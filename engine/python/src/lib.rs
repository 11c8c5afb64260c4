//! The binding: arguments in, columns out. No decision about packets or flows is made here.

mod columns;
mod errors;
mod events;
mod extract;
#[cfg(unix)]
mod live;
mod reader;
mod reports;
mod scan;

use pyo3::prelude::*;

/// The native core of `auditor`. Private: `auditor` is the public name of everything here.
#[pymodule(gil_used = false)]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("LIMITS", reports::limits(module.py())?)?;
    module.add_class::<scan::Scan>()?;
    module.add_class::<scan::Batch>()?;
    module.add_class::<scan::Interest>()?;
    module.add_class::<scan::Wishes>()?;
    module.add_class::<columns::Labels>()?;
    module.add_function(wrap_pyfunction!(scan::scan, module)?)?;
    module.add_function(wrap_pyfunction!(scan::give_back_memory, module)?)?;
    module.add_function(wrap_pyfunction!(extract::extract, module)?)?;
    #[cfg(unix)]
    {
        module.add_class::<live::Watching>()?;
        module.add_class::<live::Tick>()?;
        module.add_function(wrap_pyfunction!(live::watch, module)?)?;
        module.add_function(wrap_pyfunction!(live::extract_evidence, module)?)?;
        module.add_function(wrap_pyfunction!(live::give_up_privileges, module)?)?;
    }
    module.add_function(wrap_pyfunction!(columns::format_addresses, module)?)?;
    module.add_function(wrap_pyfunction!(columns::format_tunnel, module)?)?;
    module.add_function(wrap_pyfunction!(columns::format_community_ids, module)?)?;
    module.add_function(wrap_pyfunction!(columns::protocol_name, module)?)?;
    Ok(())
}
