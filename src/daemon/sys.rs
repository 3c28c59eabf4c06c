//! The few calls of the system that no safe interface offers.
#![expect(unsafe_code, reason = "fork, setsid, umask, getpwnam, getspnam and crypt exist in C alone")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use remon_core::text;

/// Becomes a daemon: in a session of its own that can never get a terminal again, stdin from /dev/null, stdout
/// and stderr to `errfile`. The working directory stays, since relative paths hang off it.
///
/// To be called while there is one thread only.
pub(super) fn become_daemon(errfile: &Path) -> io::Result<()> {
    let output = OpenOptions::new().create(true).append(true).read(true).open(errfile)?;
    let input = File::open("/dev/null")?;
    leave_parent()?;
    // SAFETY: setsid takes nothing and changes only which session this process belongs to.
    if unsafe { libc::setsid() } == -1 {
        return Err(io::Error::last_os_error());
    }
    leave_parent()?;
    // SAFETY: umask takes a number and cannot fail.
    unsafe { libc::umask(0o022) };
    replace(&input, 0)?;
    replace(&output, 1)?;
    replace(&output, 2)
}

fn leave_parent() -> io::Result<()> {
    // SAFETY: there is one thread, so the child finds no lock held by a thread that it does not have.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(()),
        // SAFETY: ends this process without running what belongs to the child now.
        _ => unsafe { libc::_exit(0) },
    }
}

fn replace(file: &File, descriptor: i32) -> io::Result<()> {
    use std::os::fd::AsRawFd as _;
    // SAFETY: both are open descriptors of this process; dup2 replaces the second by the first.
    if unsafe { libc::dup2(file.as_raw_fd(), descriptor) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
/// The limit of open files that we were started with; what we start gets it too.
static GIVEN_LIMIT: OnceLock<libc::rlimit> = OnceLock::new();

/// Allows so many open files, where the system lets us: each run of a monitor takes two. A limit that suffices
/// stays as it is.
pub(super) fn raise_descriptor_limit(needed: usize) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a pointer to a local that lives longer than they run.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 && limit.rlim_cur < needed as libc::rlim_t {
            GIVEN_LIMIT.get_or_init(|| limit);
            limit.rlim_cur = limit.rlim_max;
            // Where it is refused the old limit goes on, and runs that do not fit are reported one by one.
            let _ = libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Gives a process that was just started the limit of open files that we were started with.
pub(super) fn give_back_descriptor_limit(pid: libc::pid_t) {
    if let Some(limit) = GIVEN_LIMIT.get() {
        // SAFETY: prlimit gets a pointer to a static; the process is a child that has not been waited for.
        unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, limit, std::ptr::null_mut()) };
    }
}

/// Sends a signal to a process group that we started.
pub(super) fn signal_group(leader: u32, signal: i32) {
    if let Ok(group) = i32::try_from(leader)
        && group > 1
    {
        // SAFETY: kill takes numbers. The leader has not been waited for, so its number is still its own.
        unsafe { libc::kill(-group, signal) };
    }
}

/// Everything else on this machine goes before this process, also where memory is short.
pub(super) fn yield_to_others() {
    // SAFETY: setpriority takes numbers; 0 is this process.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
    // Where it is refused we are as others are.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Gives a name to a file that was opened without one (`O_TMPFILE`), in its file system.
pub(super) fn name_file(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd as _;
    use std::os::unix::ffi::OsStrExt as _;
    let by_number = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    let path = CString::new(path.as_os_str().as_bytes())?;
    let (here, follow) = (libc::AT_FDCWD, libc::AT_SYMLINK_FOLLOW);
    // SAFETY: both strings end in NUL and outlive the call; std's hard_link would link the link in /proc itself.
    match unsafe { libc::linkat(here, by_number.as_ptr(), here, path.as_ptr(), follow) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[link(name = "crypt")]
unsafe extern "C" {
    fn crypt_r(key: *const c_char, setting: *const c_char, data: *mut c_void) -> *mut c_char;
}

/// libxcrypt needs 32 KiB of scratch memory, the old one of glibc 128 KiB.
const CRYPT_DATA: usize = 131_232 / 8 + 1;

/// Whether `password` has that crypt(3) hash, of any kind that the system's library knows. Takes its time, and
/// the same time for every password: to be called off the run loop.
pub(super) fn password_matches(password: &str, hash: &str) -> bool {
    let (Ok(key), Ok(setting)) = (c_string(password), c_string(hash)) else { return false };
    let mut data = vec![0u64; CRYPT_DATA];
    // SAFETY: both strings end in NUL, and the zeroed scratch memory is as large as any crypt library needs.
    let hashed = unsafe { crypt_r(key.as_ptr(), setting.as_ptr(), data.as_mut_ptr().cast()) };
    if hashed.is_null() {
        return false;
    }
    // SAFETY: not null, so it points to a string in `data`, which is still there.
    let hashed = unsafe { CStr::from_ptr(hashed) }.to_bytes();
    // A failure is told by `*0`; an empty or locked entry is no hash of anything.
    let is_a_hash = hashed.len() >= 13 && !hashed.starts_with(b"*");
    is_a_hash && equal_in_constant_time(hashed, setting.as_bytes())
}

fn c_string(text: &str) -> Result<CString, std::ffi::NulError> {
    CString::new(text::encode(text).into_owned())
}

fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |different, (x, y)| different | (x ^ y)) == 0
}

/// What stands in /etc/passwd where the hash is in /etc/shadow.
const SHADOWED: &CStr = c"x";

/// The password hash of a system user, where this process may see it.
pub(super) fn system_password(user: &str) -> Option<String> {
    /// getpwnam answers in memory of its own, which the next call overwrites.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let name = c_string(user).ok()?;
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // SAFETY: the name ends in NUL, and nobody else asks while we hold the guard.
    let entry = unsafe { libc::getpwnam(name.as_ptr()) };
    if entry.is_null() {
        return None;
    }
    // SAFETY: not null, so it is an entry whose password is a string, valid until the next call.
    let hash = unsafe { CStr::from_ptr((*entry).pw_passwd) };
    if hash != SHADOWED {
        return Some(text::decode(hash.to_bytes().to_vec()));
    }
    // Perl's getpwnam does the same: whoever may read the shadow file sees its hashes.
    // SAFETY: as above; getspnam too answers in memory of its own.
    let entry = unsafe { libc::getspnam(name.as_ptr()) };
    if entry.is_null() {
        return None;
    }
    // SAFETY: not null, so it is an entry whose password is a string, valid until the next call.
    let hash = unsafe { CStr::from_ptr((*entry).sp_pwdp) };
    Some(text::decode(hash.to_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by crypt(3) of libxcrypt for the password `se cret`.
    const HASHES: [&str; 9] = [
        "abDvG9NTPp/1M",
        "_J9..rasmMmZwPXbRDOc",
        "$1$abcdefgh$DVuLYHjDhfNuwQY5aLev/1",
        "$5$saltstring$K4Y60WJF4ce82Kg.XHpoBHYT1hrssVs0Sc96saJl5v5",
        "$6$saltstring$EM25pGYFabRkI792T.gfdC90JX9.lJ5CLgnnvtkY5wTb..hTPd6JRPdPySM7to.ylihpMdAUU/ezPlTkGA7OA/",
        "$2b$05$abcdefghijklmnopqrstuuSi5t5MU9ATKRSnauHSt0KxSk7lEk8iC",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$f1Xeu3lybmRqzUUrjpMOqOPCLbYrcWn.WuAfWQwgdu9",
        "$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$tLl5oYHezLCsqrk2qW97h3ougGx6tqKgFyvo8BBBBj4",
        "$7$CU..../....2Q9obwLhin8qvQl6sisAO/$VcJHMO0jlAzWj61NNDV5NCSPV3vcUx/x4SdEuCIyeM0",
    ];

    #[test]
    fn hashes_of_every_kind() {
        for hash in HASHES {
            assert!(password_matches("se cret", hash), "{hash}");
            for wrong in ["", "se", "se cre", "Se cret", "se cr\u{e9}t", hash] {
                assert!(!password_matches(wrong, hash), "{wrong} {hash}");
            }
            let cut = &hash[..hash.len() - 1];
            assert!(!password_matches("se cret", cut), "{cut}");
        }
    }

    #[test]
    fn what_is_no_hash_matches_nothing() {
        let no_hashes =
            ["", "*", "!", "!!", "x", "xx", "*0", "*1", "$6$", "$6$saltstring$", "$9$unknown$hash", "secret"];
        for hash in no_hashes {
            for password in ["", "x", "*0", "secret", hash] {
                assert!(!password_matches(password, hash), "{password} {hash}");
            }
        }
        assert!(!password_matches("se cret\0more", HASHES[0]), "a NUL does not end a password");
    }

    #[test]
    fn bytes_of_any_encoding_make_a_password() {
        let hash = "$6$saltstring$Y2Ia8wUMiyxYz4WeWHj0N7cuO3qg1X1mZYDcpqGlfly7pIEioKTA3wHzanvcXWSRFXK/a94QccrkgYYK4Ddzb/";
        assert!(password_matches(&text::decode(b"secr\xe9t\xc3\xbc".to_vec()), hash));
    }

    #[test]
    fn a_user_who_is_not_there_has_no_password() {
        assert_eq!(system_password("nobody by this name"), None);
        assert_eq!(system_password("ro\0ot"), None);
    }
}
