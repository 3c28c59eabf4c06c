//! Replacing a state file so that nothing can be lost: at once, or not at all. What only we need lies in a folder
//! of its own beside it, `remon`, so that the original finds its state directory as it left it.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::sys;

/// The folder, below the one that has the state files.
pub(super) const OWN: &str = "remon";
/// Damaged files kept of one name; the last of them is written over.
const MOST_DAMAGED: usize = 9;

/// Writes beside and renames over: a crash leaves the old file or the new one, never half of one. Like the
/// original, which writes in place, this goes through links and keeps who owns the file and who may read it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let old = target.metadata().ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        // A device or a pipe, /dev/null for one, must not become a file.
        return fs::write(&target, bytes);
    }
    let replaced = unnamed(&target, old.as_ref(), bytes).or_else(|_| named(&target, old.as_ref(), bytes));
    match (replaced, old) {
        // Nobody had to wait for the first file of its name to be safe on the disk.
        (Ok(file), None) => file.sync_data(),
        (Ok(_), Some(_)) => Ok(()),
        // Only the file may be written, not its folder: then there is no other way.
        (Err(error), Some(_)) if error.kind() == io::ErrorKind::PermissionDenied => fs::write(&target, bytes),
        (Err(error), _) => Err(error),
    }
}

/// By a file that has no name until all is in it: however slow the disk is, nobody sees anything but the old file or
/// the new one. Not every file system has such files.
fn unnamed(target: &Path, old: Option<&Metadata>, bytes: &[u8]) -> io::Result<File> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let file = File::options().write(true).custom_flags(libc::O_TMPFILE).open(folder)?;
    fill(&file, old, bytes)?;
    put_in_place(target, |scratch| sys::name_file(&file, scratch))?;
    Ok(file)
}

/// By a file beside it.
fn named(target: &Path, old: Option<&Metadata>, bytes: &[u8]) -> io::Result<File> {
    let mut made = None;
    put_in_place(target, |scratch| {
        let file = made.insert(File::create(scratch)?);
        fill(file, old, bytes)
    })?;
    made.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Has `make` make a file beside `target`, which then takes its place.
fn put_in_place(target: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let scratch = beside(target, ".new")?;
    // What a crash left there.
    let _ = fs::remove_file(&scratch);
    let replaced = make(&scratch).and_then(|()| fs::rename(&scratch, target));
    if replaced.is_err() {
        let _ = fs::remove_file(&scratch);
    }
    // A folder with nothing in it is one thing more to wonder about; one with something stays.
    let _ = scratch.parent().map(fs::remove_dir);
    replaced
}

/// Writes. An old file goes only when the new one is safe on the disk, which takes the disk its time.
fn fill(mut file: &File, old: Option<&Metadata>, bytes: &[u8]) -> io::Result<()> {
    if let Some(old) = old {
        // Only root can give files away; without that the new file is ours.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
        file.set_permissions(old.permissions())?;
    }
    file.write_all(bytes)?;
    if old.is_some() { file.sync_data() } else { Ok(()) }
}

/// Keeps a copy of a damaged file before the next save replaces it; returns where. The copy of another damage
/// stays.
pub(super) fn keep_damaged(path: &Path) -> io::Result<PathBuf> {
    let bytes = fs::read(path)?;
    for number in 1.. {
        let suffix = if number == 1 { ".damaged".to_owned() } else { format!(".damaged.{number}") };
        let copy = beside(path, &suffix)?;
        match fs::read(&copy) {
            Ok(kept) if kept == bytes => return Ok(copy),
            Ok(_) if number < MOST_DAMAGED => {}
            _ => return fs::write(&copy, &bytes).map(|()| copy),
        }
    }
    unreachable!("the last number returns")
}

/// The name of a file of ours that belongs to `path`; the folder is made when it is first needed.
fn beside(path: &Path, suffix: &str) -> io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(".")).join(OWN);
    DirBuilder::new().recursive(true).mode(0o755).create(&folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    Ok(folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_when_it_changes_and_nothing_is_left_beside_it() {
        let dir = std::env::temp_dir().join(format!("remon-replace-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("it can be made");
        let path = dir.join("opstatus");
        let inode = || fs::metadata(&path).expect("it is there").ino();
        replace(&path, b"one\n").expect("a new file");
        let first = inode();
        // Held open, so that its number is not given to the next.
        let held = File::open(&path).expect("it is there");
        replace(&path, b"two\n").expect("another");
        assert_ne!(inode(), first, "half a file can never be seen");
        assert_eq!(fs::read(&path).expect("it is there"), b"two\n");
        drop(held);
        let target = path.canonicalize().expect("it is there");
        let old = fs::metadata(&target).expect("it is there");
        named(&target, Some(&old), b"three\n").expect("where no file is without a name");
        assert_eq!(fs::read(&path).expect("it is there"), b"three\n");
        let left: Vec<_> =
            fs::read_dir(&dir).expect("it is there").flatten().map(|e| e.file_name()).collect();
        assert_eq!(left, ["opstatus"]);
        fs::remove_dir_all(&dir).expect("it is ours");
    }
}
