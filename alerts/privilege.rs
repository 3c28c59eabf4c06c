//! Programs that work only with their set-id bit, in a process that may not use it: NoNewPrivileges of systemd.
//!
//! Postfix's `sendmail` hands the mail to `postdrop`, which is set-gid. Without that it tries for ever and says nothing:
//! so it must be known beforehand.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What programs called `sendmail` start, in their own directory: of Postfix and of nullmailer.
const HELPERS: [&str; 2] = ["postdrop", "nullmailer-queue"];

/// Set-uid and set-gid.
const SET_ID: u32 = 0o6000;

/// Are set-id bits without effect for what this process starts?
#[must_use]
pub fn is_barred() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| says_barred(&status))
}

/// The same of the text of `/proc/PID/status`.
#[must_use]
pub fn says_barred(status: &str) -> bool {
    let value = status.lines().find_map(|line| line.strip_prefix("NoNewPrivs:"));
    value.is_some_and(|value| value.trim() == "1")
}

/// Has this file a set-id bit?
#[must_use]
pub fn is_set_id(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & SET_ID != 0)
}

/// The file whose set-id bit `mailer` needs to hand mail on, if it needs one: its own, or that of its helper.
#[must_use]
pub fn needed_by(mailer: &Path) -> Option<PathBuf> {
    let mailer = fs::canonicalize(mailer).ok()?;
    if is_set_id(&mailer) {
        return Some(mailer);
    }
    let is_sendmail = mailer.file_name().is_some_and(|name| name == "sendmail");
    let mut helpers = HELPERS.iter().map(|name| mailer.with_file_name(name));
    if is_sendmail { helpers.find(|helper| is_set_id(helper)) } else { None }
}

/// The file whose set-id bit `mailer` needs here and now, and does not get. Root needs none.
pub(crate) fn barring(mailer: &Path) -> Option<PathBuf> {
    // This directory belongs to whom we are effectively.
    let is_root = fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    if is_root || !is_barred() { None } else { needed_by(mailer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mailer_needs() {
        let dir = std::env::temp_dir().join(format!("remon-privilege-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("it can be made");
        let file = |name: &str, mode| {
            let path = dir.join(name);
            fs::write(&path, "").expect("it can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
            fs::canonicalize(path).expect("it is there")
        };
        let (plain, sendmail) = (file("plain", 0o755), file("sendmail", 0o755));
        assert_eq!((needed_by(&plain), needed_by(&sendmail)), (None, None));
        let exim = file("exim4", 0o4755);
        assert_eq!(needed_by(&exim), Some(exim));
        let postdrop = file("postdrop", 0o2755);
        assert_eq!((needed_by(&plain), needed_by(&sendmail)), (None, Some(postdrop.clone())));
        let link = dir.join("mailer");
        std::os::unix::fs::symlink("sendmail", &link).expect("it can be made");
        assert_eq!(needed_by(&link), Some(postdrop));
        assert_eq!(needed_by(&dir.join("none")), None);
        fs::remove_dir_all(&dir).expect("it is ours");
    }

    #[test]
    fn what_the_kernel_says() {
        assert!(says_barred("Name:\tmon\nNoNewPrivs:\t1\nSeccomp:\t2\n"));
        assert!(!says_barred("Name:\tmon\nNoNewPrivs:\t0\n") && !says_barred(""));
    }
}
