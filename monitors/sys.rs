//! The few calls into the C library that std does not wrap.
#![allow(
    unsafe_code,
    reason = "statvfs, getpwuid_r, sysconf, kill, prctl and waitid have no safe wrapper in std"
)]

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Blocks and inodes of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Volume {
    /// All blocks, in KiB.
    pub(crate) blocks_kib: u64,
    /// Blocks that an ordinary user can still take, in KiB.
    pub(crate) available_kib: u64,
    /// All inodes; 0 if the file system does not count them.
    pub(crate) inodes: u64,
    /// Inodes not in use.
    pub(crate) free_inodes: u64,
}

/// Asks the file system at `path`. This can block for ever on a dead server: call it from a probe.
pub(crate) fn volume(path: &str) -> io::Result<Volume> {
    let path = CString::new(&*remon_core::text::encode(path))?;
    let mut answer = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` is a C string, `answer` is large enough for what the call writes.
    if unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call said that it filled it in.
    let answer = unsafe { answer.assume_init() };
    let kib = |blocks: u64| (u128::from(blocks) * u128::from(answer.f_frsize) / 1024) as u64;
    Ok(Volume {
        blocks_kib: kib(answer.f_blocks),
        available_kib: kib(answer.f_bavail),
        inodes: answer.f_files,
        free_inodes: answer.f_ffree,
    })
}

/// The name of a user, if it has one.
pub(crate) fn user_name(uid: u32) -> Option<String> {
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut strings = vec![0; 16 << 10];
    let mut found = std::ptr::null_mut();
    // SAFETY: all pointers are valid for the call, and the length is that of the buffer.
    let status = unsafe {
        libc::getpwuid_r(uid, entry.as_mut_ptr(), strings.as_mut_ptr(), strings.len(), &raw mut found)
    };
    if status != 0 || found.is_null() {
        return None;
    }
    // SAFETY: the call succeeded, so `found` points to `entry`, whose name is a C string inside `strings`.
    let name = unsafe { CStr::from_ptr((*found).pw_name) };
    Some(remon_core::text::decode(name.to_bytes().to_vec()))
}

/// The name of this machine, as it introduces itself to others.
pub(crate) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// Kills the process group whose leader is `pid`. One that is gone already is no matter.
pub(crate) fn kill_group(pid: u32) {
    let Some(pid) = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 1) else { return };
    // SAFETY: kill takes any number and touches no memory of ours.
    unsafe { libc::kill(-pid, libc::SIGKILL) };
}

/// Has the system kill the program when the thread that starts it ends, with all of us or alone: whoever kills a
/// monitor means what it runs too.
pub(crate) fn die_with_us(command: &mut Command) {
    let ask = || {
        // SAFETY: prctl with these numbers touches no memory, and may be called between fork and exec.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: `ask` allocates nothing and takes no lock.
    unsafe { command.pre_exec(ask) };
}

/// Waits until our child `pid` has ended, and leaves it as it is: so its number stays its own until it is reaped.
pub(crate) fn await_end(pid: u32) {
    let mut about = MaybeUninit::<libc::siginfo_t>::uninit();
    loop {
        // SAFETY: `about` is large enough for what the call writes, and nobody reads it.
        let status =
            unsafe { libc::waitid(libc::P_PID, pid, about.as_mut_ptr(), libc::WEXITED | libc::WNOWAIT) };
        if status == 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Bytes in a page of memory.
pub(crate) fn page_bytes() -> u64 {
    // SAFETY: sysconf takes any name and touches no memory of ours.
    positive(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }, 4096)
}

/// Ticks in a second of process time.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: as above.
    positive(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }, 100)
}

fn positive(answer: libc::c_long, fallback: u64) -> u64 {
    u64::try_from(answer).ok().filter(|answer| *answer > 0).unwrap_or(fallback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_a_volume() {
        let root = volume("/").expect("there is a root");
        assert!(root.blocks_kib > 0 && root.available_kib <= root.blocks_kib, "{root:?}");
        assert_eq!(volume("/no/such/path").map_err(|error| error.kind()), Err(io::ErrorKind::NotFound));
        assert!(volume("a\0b").is_err());
    }

    #[test]
    fn users_and_units() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(user_name(4_294_967_290), None);
        assert!(page_bytes() >= 1024 && ticks_per_second() >= 1);
    }
}
