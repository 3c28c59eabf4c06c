//! Tells the linker which code belongs together.
//!
//! One executable is the daemon, its clients, and all built-in monitors and alerts. What a daemon needs that is just
//! monitoring is a fifteenth of that, scattered all over it, and the kernel maps sixteen pages around each page that
//! is touched. So `steady.ld` names those functions, and the linker puts them next to each other; the measurement
//! is in `tests/upgrade/memory.sh`, the list is made by `tests/layout`.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/layout");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|is| is == value);
    // Linker scripts are a matter of ELF linkers; without optimisation nobody looks at the size.
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        let top = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{top}/src/layout/steady.ld");
    }
}
