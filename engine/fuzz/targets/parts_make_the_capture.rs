#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::of("parts_make_the_capture")(data));
