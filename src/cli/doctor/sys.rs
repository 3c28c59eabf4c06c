//! What std does not wrap: users, whether one may open a file, and whether something keeps the clock.
#![allow(unsafe_code, reason = "getpwnam, setresuid, faccessat and adjtimex exist in C alone")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// getpwnam and getpwuid answer in memory of their own, which the next call overwrites.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static GUARD: Mutex<()> = Mutex::new(());
    GUARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) home: String,
    pub(super) gid: u32,
}

impl User {
    /// The user of that name.
    pub(super) fn named(name: &str) -> Option<User> {
        let name = CString::new(name).ok()?;
        let _guard = one_at_a_time();
        // SAFETY: the name ends in NUL, and nobody overwrites the answer while we hold the guard.
        unsafe { User::of(libc::getpwnam(name.as_ptr())) }
    }

    /// The user with that number.
    pub(super) fn numbered(uid: u32) -> Option<User> {
        let _guard = one_at_a_time();
        // SAFETY: takes a number, and nobody overwrites the answer while we hold the guard.
        unsafe { User::of(libc::getpwuid(uid)) }
    }

    /// The user that this process acts for.
    pub(super) fn ourselves() -> User {
        // SAFETY: both calls take nothing and cannot fail.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        let home = std::env::var("HOME").unwrap_or_default();
        let known = User::numbered(uid);
        let name = known.as_ref().map_or_else(|| uid.to_string(), |user| user.name.clone());
        let home = if home.is_empty() { known.map(|user| user.home).unwrap_or_default() } else { home };
        User { name, uid, home, gid }
    }

    /// # Safety
    /// `entry` is null, or the answer of getpwnam or getpwuid, which no other call has overwritten.
    unsafe fn of(entry: *const libc::passwd) -> Option<User> {
        // SAFETY: the caller's promise.
        let entry = unsafe { entry.as_ref()? };
        // SAFETY: the strings of an entry end in NUL and live as long as it.
        let text = |field| unsafe { CStr::from_ptr(field) }.to_string_lossy().into_owned();
        let (name, home) = (text(entry.pw_name), text(entry.pw_dir));
        Some(User { name, uid: entry.pw_uid, home, gid: entry.pw_gid })
    }

    /// This process acts for that user from now on, for good.
    ///
    /// # Errors
    /// When the system does not let us; then nothing may be done in the user's name.
    pub(super) fn become_it(&self) -> io::Result<()> {
        let name = CString::new(self.name.as_str())?;
        let done = |status: i32| if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
        // SAFETY: the name ends in NUL; the others take numbers. Groups go first, as they need what the last gives up.
        unsafe {
            done(libc::initgroups(name.as_ptr(), self.gid))?;
            done(libc::setresgid(self.gid, self.gid, self.gid))?;
            done(libc::setresuid(self.uid, self.uid, self.uid))?;
            // Whose files are ours is read from /proc/self, which would be root's after such a change.
            done(libc::prctl(libc::PR_SET_DUMPABLE, 1))
        }
    }
}

/// What is to be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Read,
    Write,
    Execute,
    /// Make and replace files in a directory.
    Fill,
}

/// May this process do that? The reason if not.
pub(super) fn may(path: &Path, wish: Wish) -> Result<(), String> {
    let mode = match wish {
        Wish::Read => libc::R_OK,
        Wish::Write => libc::W_OK,
        Wish::Execute => libc::X_OK,
        Wish::Fill => libc::R_OK | libc::W_OK | libc::X_OK,
    };
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: the name ends in NUL.
    if unsafe { libc::faccessat(libc::AT_FDCWD, name.as_ptr(), mode, libc::AT_EACCESS) } == 0 {
        return Ok(());
    }
    Err(remon_core::reason::of(&io::Error::last_os_error()))
}

/// The first directory on the way to `path` that may not be entered: what is wrong when a file that lets everybody
/// read it cannot be read.
pub(super) fn closed_way(path: &Path) -> Option<PathBuf> {
    let mut way = path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty()).collect::<Vec<_>>();
    way.reverse();
    way.into_iter().find(|dir| dir.is_dir() && may(dir, Wish::Execute).is_err()).map(Path::to_path_buf)
}

/// The unit in which the kernel tells when a process began.
pub(super) fn ticks_a_second() -> u64 {
    // SAFETY: takes a number and changes nothing.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).unwrap_or(100).max(1)
}

/// Does a time service keep the clock? `None` where the kernel does not tell.
pub(super) fn clock_is_kept() -> Option<bool> {
    // SAFETY: all zero is a valid value; without modes the call changes nothing and fills it in.
    let state = unsafe {
        let mut clock = std::mem::zeroed::<libc::timex>();
        libc::adjtimex(&mut clock)
    };
    (state >= 0).then_some(state != libc::TIME_ERROR)
}
