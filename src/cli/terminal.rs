//! The terminal: a password typed without echo, and the name of who types.
#![allow(unsafe_code, reason = "termios, sigaction and getpwuid_r have no safe wrapper in std")]

use std::ffi::CStr;
use std::io::{self, BufRead, Write};
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// How the terminal was before echo went off; read by the signal handler, so written once and never changed.
static BEFORE: OnceLock<libc::termios> = OnceLock::new();

/// Asks for a password on standard output and reads it from standard input, a terminal, with echo off.
pub(crate) fn read_password() -> io::Result<String> {
    let echo = EchoOff::new();
    let mut out = io::stdout();
    write!(out, "Password: ")?;
    out.flush()?;
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line)?;
    drop(echo);
    writeln!(out)?;
    line.pop_if(|last| *last == b'\n');
    Ok(remon_core::text::decode(line))
}

/// Echo is off while this lives, and comes back when it goes, or when a signal ends the program.
struct EchoOff;

impl EchoOff {
    fn new() -> Option<EchoOff> {
        let mut settings = MaybeUninit::<libc::termios>::uninit();
        // SAFETY: the call fills in `settings` or fails.
        if unsafe { libc::tcgetattr(libc::STDIN_FILENO, settings.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: the call succeeded.
        let before = *BEFORE.get_or_init(|| unsafe { settings.assume_init() });
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            let handler: extern "C" fn(libc::c_int) = restore_and_exit;
            // SAFETY: the handler makes only calls that are allowed in one.
            unsafe { libc::signal(signal, handler as *const () as libc::sighandler_t) };
        }
        let mut silent = before;
        silent.c_lflag &= !libc::ECHO;
        // SAFETY: `silent` is a complete setting.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, &raw const silent) };
        Some(EchoOff)
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if let Some(before) = BEFORE.get() {
        // SAFETY: `before` is what the terminal said itself; tcsetattr may be called in a signal handler.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, before) };
    }
}

extern "C" fn restore_and_exit(signal: libc::c_int) {
    restore();
    // SAFETY: _exit may be called in a signal handler.
    unsafe { libc::_exit(128 + signal) };
}

/// The name of the effective user.
pub(crate) fn user_name() -> Option<String> {
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut strings = vec![0; 16 << 10];
    let mut found = std::ptr::null_mut();
    // SAFETY: all pointers are valid for the call, and the length is that of the buffer.
    let status = unsafe {
        libc::getpwuid_r(
            libc::geteuid(),
            entry.as_mut_ptr(),
            strings.as_mut_ptr(),
            strings.len(),
            &raw mut found,
        )
    };
    if status != 0 || found.is_null() {
        return None;
    }
    // SAFETY: the call succeeded, so `found` points to `entry`, whose name is a C string inside `strings`.
    let name = unsafe { CStr::from_ptr((*found).pw_name) };
    Some(remon_core::text::decode(name.to_bytes().to_vec()))
}
