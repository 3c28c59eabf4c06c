//! Gives memory back that nothing needs while mon waits.
//!
//! Reading and checking a configuration touches far more of the executable, and of the heap, than monitoring does,
//! and between two checks nothing is touched at all. The kernel would keep those pages mapped until memory gets
//! short; on the small machines that mon often runs on they are better free for the programs that it starts.
#![expect(unsafe_code, reason = "malloc_trim, madvise and dl_iterate_phdr exist in C alone")]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long after the start, or after a reload, memory is given back first. Each pause from then on is twice as long
/// as the one before, so that what comes late (the record, the first alerts) is soon met as well.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two times. A page that is in use comes back with one minor fault, so that some dozen of
/// them a minute are no work, however busy mon is.
const LONGEST: Duration = Duration::from_secs(60);

/// Gives memory back, for as long as this value lives, some time after something was done. While nothing is done,
/// nobody wakes up for it.
///
/// In a thread of its own: with a hundred thousand services the heap takes a moment to be looked through. One that
/// stays, as starting and ending threads would touch more than is given back.
pub(super) struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Whether the thread knows that something was done; so that telling it costs nothing most of the time.
    told: AtomicBool,
    news: Mutex<News>,
    changed: Condvar,
}

/// What the thread has not yet seen.
#[derive(Default)]
struct News {
    used: bool,
    reloaded: bool,
    end: bool,
}

impl Memory {
    pub(super) fn start() -> io::Result<Memory> {
        let shared = Arc::new(Shared::default());
        let its = shared.clone();
        std::thread::Builder::new().name("memory".to_owned()).spawn(move || its.keep_small(give_back))?;
        Ok(Memory(shared))
    }

    /// Something was done. It wakes the thread at most once a pause.
    pub(super) fn used(&self) {
        if !self.0.told.load(Ordering::Relaxed) && !self.0.told.swap(true, Ordering::Relaxed) {
            self.0.tell(|news| news.used = true);
        }
    }

    /// A configuration was read, and an old one thrown away.
    pub(super) fn reloaded(&self) {
        self.0.tell(|news| news.reloaded = true);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.tell(|news| news.end = true);
    }
}

impl Shared {
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, what: fn(&mut News)) {
        what(&mut self.news());
        self.changed.notify_one();
    }

    /// Calls `give_back` a pause after each use or reload, until the end.
    fn keep_small(&self, mut give_back: impl FnMut()) {
        let mut pause = FIRST;
        let mut news = self.news();
        loop {
            let idle = |news: &mut News| !news.used && !news.reloaded && !news.end;
            news = self.changed.wait_while(news, idle).unwrap_or_else(PoisonError::into_inner);
            let go_on = |news: &mut News| !news.reloaded && !news.end;
            (news, _) =
                self.changed.wait_timeout_while(news, pause, go_on).unwrap_or_else(PoisonError::into_inner);
            if news.end {
                return;
            }
            if news.reloaded {
                pause = FIRST;
                *news = News { used: true, ..News::default() };
                continue;
            }
            news.used = false;
            drop(news);
            // From here on a use counts for the next time.
            self.told.store(false, Ordering::Relaxed);
            give_back();
            pause = (pause * 2).min(LONGEST);
            news = self.news();
        }
    }
}

/// Free pages of the heap, and all of the executable and the libraries that can be read again from their files.
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes a number; whatever is in use stays where it is.
    unsafe {
        libc::malloc_trim(0);
    }
    // SAFETY: the callback is called with valid objects only, before the call returns; it keeps none of them. The
    // loader's lock is held meanwhile, so no object is half mapped.
    #[cfg(target_pointer_width = "64")]
    unsafe {
        libc::dl_iterate_phdr(Some(drop_unwritten), std::ptr::null_mut())
    };
}

/// Drops the pages of those segments of an object that nobody may write to.
///
/// What stands there is what stands in the file, and the next access maps it again. A segment that is read-only
/// only since the loader wrote into it (RELRO) is writable by its flags, and stays; an object whose code the
/// loader has written into (text relocations) stays as a whole.
#[cfg(target_pointer_width = "64")]
unsafe extern "C" fn drop_unwritten(
    object: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    _data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader hands in a valid object, whose table has that many entries.
    let (base, headers) = unsafe {
        let object = &*object;
        (object.dlpi_addr, std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)))
    };
    // SAFETY: the headers are those of the object that is loaded at `base`.
    if unsafe { has_text_relocations(base, headers) } {
        return 0;
    }
    // The table stands in the first of the segments: without a copy, reading on would map it again.
    let segments: Vec<libc::Elf64_Phdr> =
        headers.iter().filter(|header| is_constant(header)).copied().collect();
    // SAFETY: takes a number. It is a power of two.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64;
    for header in segments {
        let start = (base + header.p_vaddr).next_multiple_of(page);
        let end = (base + header.p_vaddr + header.p_memsz) / page * page;
        if start < end {
            // SAFETY: whole pages of one segment that is a private mapping of a file and was never written to:
            // dropping them changes nothing that can be read there. The kernel's own object (vDSO) comes back as well.
            unsafe { libc::madvise(start as *mut libc::c_void, (end - start) as usize, libc::MADV_DONTNEED) };
        }
    }
    0
}

/// Whether a segment holds what is the same in the file for ever.
#[cfg(target_pointer_width = "64")]
fn is_constant(header: &libc::Elf64_Phdr) -> bool {
    header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0
}

/// Whether the loader had to write into segments that are not writable.
///
/// # Safety
///
/// `headers` must be those of an object that is loaded at `base`.
#[cfg(target_pointer_width = "64")]
unsafe fn has_text_relocations(base: u64, headers: &[libc::Elf64_Phdr]) -> bool {
    const DT_NULL: u64 = 0;
    const DT_TEXTREL: u64 = 22;
    const DT_FLAGS: u64 = 30;
    const DF_TEXTREL: u64 = 4;
    let Some(dynamic) = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC) else { return false };
    // SAFETY: by the ABI, pairs of a tag and a value, ended by the tag DT_NULL; the segment stays mapped.
    let entries = unsafe {
        let count = dynamic.p_memsz as usize / size_of::<[u64; 2]>();
        std::slice::from_raw_parts((base + dynamic.p_vaddr) as *const [u64; 2], count)
    };
    entries
        .iter()
        .take_while(|[tag, _]| *tag != DT_NULL)
        .any(|[tag, value]| *tag == DT_TEXTREL || (*tag == DT_FLAGS && value & DF_TEXTREL != 0))
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;

    /// Resident kilobytes that are pages of files.
    fn resident_of_files() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).expect("a kernel since 4.5");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    #[test]
    fn only_use_and_reloads_cause_it_and_only_once() {
        const LIMIT: Duration = Duration::from_secs(30);
        let memory = Memory(Arc::default());
        let (sender, given_back) = std::sync::mpsc::channel();
        let its = memory.0.clone();
        let thread =
            std::thread::spawn(move || its.keep_small(|| sender.send(()).expect("somebody listens")));
        let idle = || given_back.recv_timeout(FIRST + FIRST / 2).is_err();
        assert!(idle(), "nothing was done yet");
        for _ in 0..3 {
            memory.used();
        }
        assert_eq!(given_back.recv_timeout(LIMIT), Ok(()));
        assert!(idle(), "three uses are one reason");
        memory.reloaded();
        assert_eq!(given_back.recv_timeout(LIMIT), Ok(()));
        memory.used();
        drop(memory);
        thread.join().expect("the thread ends, in the middle of a pause too");
    }

    #[test]
    fn pages_of_the_executable_are_given_back() {
        // Reading every page of our own code and constants maps them.
        unsafe extern "C" fn touch(object: *mut libc::dl_phdr_info, _: usize, sum: *mut libc::c_void) -> i32 {
            // SAFETY: as in `drop_unwritten`; readable segments are mapped from end to end.
            unsafe {
                let (object, sum) = (&*object, &mut *sum.cast::<u64>());
                let headers = std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum));
                let constant =
                    |h: &&libc::Elf64_Phdr| h.p_type == libc::PT_LOAD && h.p_flags & libc::PF_W == 0;
                for header in headers.iter().filter(constant) {
                    let bytes = (object.dlpi_addr + header.p_vaddr) as *const u8;
                    for at in (0..header.p_memsz as usize).step_by(4096) {
                        *sum += u64::from(bytes.add(at).read_volatile());
                    }
                }
            }
            1 // The first object is the executable.
        }
        let mut sum = 0u64;
        // SAFETY: the callback gets the address of `sum`, which lives longer than the call.
        unsafe { libc::dl_iterate_phdr(Some(touch), (&raw mut sum).cast()) };
        let before = resident_of_files();
        give_back();
        let after = resident_of_files();
        // Other tests run meanwhile and map again what they need.
        assert!(after + 1024 < before, "{before} kB before, {after} kB after");
        let mut again = 0u64;
        // SAFETY: as above.
        unsafe { libc::dl_iterate_phdr(Some(touch), (&raw mut again).cast()) };
        assert_eq!(again, sum, "every page reads as before");
    }
}
