//! The one call into the C library: ending a whole process group.
#![allow(unsafe_code, reason = "std can only signal a child, not what the child started")]

/// Kills the process group whose leader is `pid`. One that is gone already is no matter.
pub(crate) fn kill_group(pid: u32) {
    let Ok(pid) = libc::pid_t::try_from(pid) else { return };
    // SAFETY: kill takes any number and touches no memory of ours.
    unsafe { libc::kill(-pid, libc::SIGKILL) };
}
