//! The user: logged in on both XMPP servers, with a mailbox in the world, noting what arrives and when.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::site::Side;
use crate::support::xmpp::Reader;

/// Between two looks into the mailbox.
const PAUSE: Duration = Duration::from_millis(20);

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Mail,
    Xmpp,
}

/// A message from one of the two servers.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) way: Way,
    pub(crate) from: Side,
    /// `ALERT` or `UPALERT`.
    pub(crate) kind: String,
    /// `watch/service`.
    pub(crate) about: String,
    pub(crate) summary: String,
    /// What stands below the line of dashes.
    pub(crate) detail: String,
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arrival { way, from, kind, about, summary, detail, .. } = self;
        write!(f, "{way:?} from {from:?}: {kind} {about}: {summary} [{}]", detail.trim())
    }
}

impl Arrival {
    /// Reads `ALERT watch/service: summary (time)` and the text below it.
    fn parse(way: Way, from: Side, subject: &str, text: &str) -> Arrival {
        let (kind, rest) = subject.split_once(' ').unwrap_or((subject, ""));
        let (about, summary) = rest.split_once(": ").unwrap_or((rest, ""));
        let (kind, about, summary) = (kind.to_owned(), about.to_owned(), summary.to_owned());
        let detail = text.rsplit_once("----\n").map_or("", |(_, detail)| detail).to_owned();
        Arrival { at: Instant::now(), way, from, kind, about, summary, detail }
    }
}

type Arrivals = Arc<Mutex<Vec<Arrival>>>;

/// What has arrived so far.
pub(crate) struct Collector {
    arrivals: Arrivals,
    online: [Arc<AtomicBool>; 2],
}

impl Collector {
    /// Begins to collect; the mailbox is a folder with a file for each mail.
    pub(crate) fn start(mailbox: PathBuf) -> Collector {
        let arrivals = Arrivals::default();
        let online = [Side::A, Side::B].map(|side| {
            let (online, arrivals) = (Arc::new(AtomicBool::new(false)), arrivals.clone());
            let shared = online.clone();
            thread::spawn(move || read_messages(side, &online, &arrivals));
            shared
        });
        let of_mail = arrivals.clone();
        thread::spawn(move || read_mail(&mailbox, &of_mail));
        Collector { arrivals, online }
    }

    /// Whether the user is logged in on that server.
    pub(crate) fn is_online(&self, side: Side) -> bool {
        self.online[side as usize].load(Ordering::SeqCst)
    }

    /// What has arrived since this was last asked.
    pub(crate) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.arrivals.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn note(arrivals: &Arrivals, arrival: Arrival) {
    arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
}

/// Stays logged in, for as long as there is a server.
fn read_messages(side: Side, online: &AtomicBool, arrivals: &Arrivals) {
    let domain = format!("{}.example.com", side.host());
    loop {
        if let Ok(mut reader) = Reader::log_in_at((side.address(), 5222), &domain, "user", None) {
            online.store(true, Ordering::SeqCst);
            while let Ok((_, body)) = reader.next_message() {
                note(
                    arrivals,
                    Arrival::parse(Way::Xmpp, side, body.lines().next().unwrap_or_default(), &body),
                );
            }
            online.store(false, Ordering::SeqCst);
        }
        thread::sleep(PAUSE);
    }
}

fn read_mail(mailbox: &Path, arrivals: &Arrivals) {
    let mut seen = BTreeSet::new();
    loop {
        for entry in fs::read_dir(mailbox).into_iter().flatten().flatten() {
            if seen.insert(entry.file_name()) {
                let mail = fs::read(entry.path()).map(|bytes| crate::support::latin1(&bytes));
                let mail = mail.unwrap_or_default();
                let side = if mail.contains("by servera.example.com") { Side::A } else { Side::B };
                note(arrivals, Arrival::parse(Way::Mail, side, &subject(&mail), &mail));
            }
        }
        thread::sleep(PAUSE);
    }
}

/// The subject, with what was folded.
fn subject(mail: &str) -> String {
    let mut lines = mail.lines().skip_while(|line| !line.starts_with("Subject: "));
    let first = lines.next().unwrap_or_default().trim_start_matches("Subject: ").to_owned();
    lines.take_while(|line| line.starts_with([' ', '\t'])).fold(first, |text, line| text + line)
}
