#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::of("flow_table_conserves_packets")(data));
