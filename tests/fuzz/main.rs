//! A fuzzer for the target whose name this program was built under.
#![no_main]

mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (targets::named(env!("CARGO_BIN_NAME")).run)(bytes));
