//! Starting a process, and waiting for it: posix_spawn and a pidfd.
//!
//! The standard library would do it as well, but for one thing: it gives children SIGPIPE back, and the programs
//! of mon have always been started with SIGPIPE ignored. Mending that between fork and exec would mean to fork,
//! which costs a daemon of 300 MB forty times as much as this.
#![expect(unsafe_code, reason = "posix_spawn, pidfd_open and waitpid exist in C alone")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::ptr;
use std::sync::OnceLock;

use libc::{c_char, c_int, pid_t};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::sys;

/// What to start.
pub(super) struct Start<'a> {
    /// Path of the executable.
    pub(super) path: &'a CStr,
    /// All arguments, the name it is called by first.
    pub(super) args: &'a [CString],
    /// `NAME=value` entries that come to ours, or replace those of the same name.
    pub(super) env: &'a [CString],
    /// Its stdin.
    pub(super) stdin: BorrowedFd<'a>,
    /// Its stdout and stderr.
    pub(super) output: BorrowedFd<'a>,
}

/// A child of ours.
#[derive(Debug)]
pub(super) struct Process {
    pid: pid_t,
    /// Becomes readable when the child has ended.
    end: AsyncFd<OwnedFd>,
}

impl Process {
    /// Starts a process, in a process group of its own. Blocks until it runs its program.
    ///
    /// # Errors
    /// What exec or the system says: nothing was started then.
    pub(super) fn start(start: &Start<'_>) -> io::Result<Process> {
        let pid = spawn(start)?;
        sys::give_back_descriptor_limit(pid);
        // SAFETY: takes numbers; the child has not been waited for, so its number is still its own.
        let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let descriptor = c_int::try_from(descriptor).map_err(io::Error::other)?;
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nobody else knows.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        // SAFETY: an OwnedFd gives the same descriptor as long as it lives, and owns it.
        let end = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE)? };
        Ok(Process { pid, end })
    }

    /// Its process id, which is the id of its process group too.
    pub(super) fn id(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Waits for its end, and leaves it there: its number is still its own.
    pub(super) async fn ended(&self) -> io::Result<()> {
        self.end.readable().await?.retain_ready();
        Ok(())
    }

    /// Waits for its end. To be called until it has answered, and not again.
    pub(super) async fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            let mut readable = self.end.readable().await?;
            let mut status = 0;
            // SAFETY: the pointer is to a local that lives longer than the call.
            match unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG) } {
                0 => readable.clear_ready(),
                -1 => return Err(io::Error::last_os_error()),
                _ => return Ok(ExitStatus::from_raw(status)),
            }
        }
    }
}

fn spawn(start: &Start<'_>) -> io::Result<pid_t> {
    let args = pointers(start.args.iter());
    let env = pointers(start.env.iter().chain(inherited(start.env)));
    let mut pid = 0;
    let setup = Setup::new(start)?;
    // SAFETY: the path ends in NUL; both lists end in a null pointer and point to strings that live longer than the
    // call; setup holds what was initialised for this.
    let error = unsafe {
        libc::posix_spawn(
            &mut pid,
            start.path.as_ptr(),
            &setup.actions,
            &setup.attributes,
            args.as_ptr(),
            env.as_ptr(),
        )
    };
    succeeded(error)?;
    Ok(pid)
}

fn succeeded(error: c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

fn pointers<'a>(strings: impl Iterator<Item = &'a CString>) -> Vec<*mut c_char> {
    strings.map(|string| string.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// Our own environment, but for what `replaced` names and what the service manager says to us alone.
fn inherited(replaced: &[CString]) -> impl Iterator<Item = &CString> {
    static OURS: OnceLock<Vec<CString>> = OnceLock::new();
    let ours = OURS.get_or_init(|| {
        let entry = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        };
        let meant_for_children =
            |(name, _): &(std::ffi::OsString, _)| !super::notify::OURS_ALONE.iter().any(|ours| name == ours);
        std::env::vars_os().filter(meant_for_children).filter_map(entry).collect()
    });
    ours.iter().filter(|entry| !replaced.iter().any(|other| name(other) == name(entry)))
}

fn name(entry: &CString) -> &[u8] {
    entry.as_bytes().split(|&byte| byte == b'=').next().unwrap_or_default()
}

/// What happens in the child before its program begins.
struct Setup {
    actions: libc::posix_spawn_file_actions_t,
    attributes: libc::posix_spawnattr_t,
}

impl Setup {
    fn new(start: &Start<'_>) -> io::Result<Setup> {
        // SAFETY: both are plain data that the calls below initialise before anybody reads it.
        let mut setup: Setup = unsafe { std::mem::zeroed() };
        let (stdin, output) = (start.stdin.as_raw_fd(), start.output.as_raw_fd());
        // SAFETY: pointers to what was just made; descriptors that are open for as long as `start` is borrowed.
        unsafe {
            succeeded(libc::posix_spawn_file_actions_init(&mut setup.actions))?;
            succeeded(libc::posix_spawnattr_init(&mut setup.attributes))?;
            for (ours, theirs) in [(stdin, 0), (output, 1), (output, 2)] {
                succeeded(libc::posix_spawn_file_actions_adddup2(&mut setup.actions, ours, theirs))?;
            }
            let flags = libc::POSIX_SPAWN_SETPGROUP as libc::c_short;
            succeeded(libc::posix_spawnattr_setflags(&mut setup.attributes, flags))?;
            succeeded(libc::posix_spawnattr_setpgroup(&mut setup.attributes, 0))?;
        }
        Ok(setup)
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        // SAFETY: Setup::new initialised both, or left them zeroed, which glibc and musl free as well.
        unsafe {
            libc::posix_spawn_file_actions_destroy(&mut self.actions);
            libc::posix_spawnattr_destroy(&mut self.attributes);
        }
    }
}
