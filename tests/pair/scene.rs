//! A row as it is played: faults, what must arrive because of them, and nothing else.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use crate::collector::{Arrival, Way};
use crate::pairing::{Pairing, Program};
use crate::site::{INTERVAL, Setup, Side, Site};
use crate::support::wait;
use crate::world::{START, World};

/// What a loaded machine may take on top of a number of intervals: programs to start, mail to be handed on.
const SLACK: Duration = Duration::from_secs(12);

/// How long nothing more may come at the end of a row.
const AFTERMATH: u32 = 3;

/// Between two looks at what has arrived.
const PAUSE: Duration = Duration::from_millis(10);

/// A message that must arrive, or may.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    from: Side,
    kind: &'static str,
    about: String,
    /// What the summary must hold.
    holds: &'static str,
    /// How many must and how many may come: by mail, by XMPP.
    times: [(u32, u32); 2],
}

impl Due {
    /// An alert, once by each way.
    pub(crate) fn alert(from: Side, about: &str) -> Due {
        Due { from, kind: "ALERT", about: about.to_owned(), holds: "", times: [(1, 1); 2] }
    }

    /// An upalert, once by each way.
    pub(crate) fn upalert(from: Side, about: &str) -> Due {
        Due { kind: "UPALERT", ..Due::alert(from, about) }
    }

    /// With this in its summary.
    pub(crate) fn holding(self, holds: &'static str) -> Due {
        Due { holds, ..self }
    }

    /// By mail only.
    pub(crate) fn by_mail(self) -> Due {
        Due { times: [(1, 1), (0, 0)], ..self }
    }

    /// How many must and how many may come by each way.
    pub(crate) fn times(self, least: u32, most: u32) -> Due {
        Due { times: [(least, most); 2], ..self }
    }

    fn is_met(&self) -> bool {
        self.times.iter().all(|(least, _)| *least == 0)
    }

    /// Takes an arrival that is the one, or one of those, that it waits for.
    fn takes(&mut self, arrival: &Arrival) -> bool {
        let Arrival { way, from, kind, about, summary, .. } = arrival;
        let same =
            (self.from, self.kind, &self.about) == (*from, kind, about) && summary.contains(self.holds);
        let (least, most) = &mut self.times[usize::from(*way == Way::Xmpp)];
        let wanted = same && *most > 0;
        if wanted {
            *most -= 1;
            *least = least.saturating_sub(1);
        }
        wanted
    }
}

/// What is to be proved of a row itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// That it holds.
    Real,
    /// That it fails when its fault does not happen.
    WithoutFaults,
    /// That the row about `--exclude` fails without it.
    WithoutExclude,
    /// That it fails when one message too many arrives.
    WithNoise,
}

/// A row while it is played.
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) mode: Mode,
    /// Whether both daemons were up and well: what fails before that proves nothing.
    pub(crate) opened: bool,
    dues: Vec<Due>,
    since: Instant,
    arrived: usize,
    report: String,
}

impl Scene<'_> {
    pub(crate) fn new(world: &mut World, mode: Mode) -> Scene<'_> {
        Scene {
            world,
            mode,
            opened: false,
            dues: Vec::new(),
            since: Instant::now(),
            arrived: 0,
            report: String::new(),
        }
    }

    /// The configuration that most rows want. The original answers one command a second, so it is given the time
    /// that the shipped files give.
    pub(crate) fn setup(&self) -> Setup {
        let slow = self.world.pairing.has(Program::Original);
        Setup { timeout: if slow { 10 } else { 3 }, ..Setup::default() }
    }

    pub(crate) fn pairing(&self) -> Pairing {
        self.world.pairing
    }

    pub(crate) fn site(&mut self, side: Side) -> &mut Site {
        self.world.site_mut(side)
    }

    /// Starts both daemons and waits until each has found everything well.
    pub(crate) fn open(&mut self, setup: &Setup) -> Result<(), String> {
        self.world.begin(setup)?;
        self.all_well()?;
        self.opened = true;
        self.look()
    }

    /// Every service of both is well, or soon is.
    pub(crate) fn all_well(&self) -> Result<(), String> {
        for side in [Side::A, Side::B] {
            let mut last = Vec::new();
            let well = wait::until(START, &format!("all to be well at {}", side.host()), || {
                last = self.world.site(side).ask("list opstatus").unwrap_or_default();
                let good = last.iter().filter(|line| line.contains(" opstatus=1 ")).count();
                (good == self.world.site(side).services()).then_some(())
            });
            well.map_err(|why| format!("{why}: {}", last.join("\n")))?;
        }
        Ok(())
    }

    /// Does something bad. What is expected next is measured from here.
    pub(crate) fn fault(
        &mut self,
        what: impl FnOnce(&mut World) -> Result<(), String>,
    ) -> Result<(), String> {
        self.look()?;
        self.since = Instant::now();
        if self.mode == Mode::WithoutFaults { Ok(()) } else { what(self.world) }
    }

    /// Makes it good. What is expected next is measured from here.
    pub(crate) fn mend(&mut self, what: impl FnOnce(&mut World) -> Result<(), String>) -> Result<(), String> {
        self.look()?;
        self.since = Instant::now();
        what(self.world)
    }

    /// These must arrive within so many intervals since the last fault, and so many seconds of time-outs.
    pub(crate) fn expect(
        &mut self,
        word: &str,
        dues: &[Due],
        intervals: u32,
        seconds: u32,
    ) -> Result<(), String> {
        self.dues.extend_from_slice(dues);
        let limit = INTERVAL * intervals + Duration::from_secs(seconds.into()) + SLACK;
        while !self.dues.iter().all(Due::is_met) {
            if self.since.elapsed() > limit {
                let missing = self.dues.iter().filter(|due| !due.is_met()).collect::<Vec<_>>();
                return Err(format!("{word}: within {limit:?} there was no {missing:#?}"));
            }
            self.look()?;
            thread::sleep(PAUSE);
        }
        let seconds = self.since.elapsed().as_secs_f64();
        let comma = if self.report.is_empty() { "" } else { "; " };
        let _ = write!(self.report, "{comma}{word} {seconds:.1} s");
        let _ = write!(self.report, " ({:.1})", seconds / INTERVAL.as_secs_f64());
        Ok(())
    }

    /// These may arrive, but need not.
    pub(crate) fn allow(&mut self, dues: &[Due]) {
        self.dues.extend_from_slice(dues);
    }

    /// How long ago the last fault was.
    pub(crate) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// For so many intervals nothing may come.
    pub(crate) fn quiet(&mut self, intervals: u32) -> Result<(), String> {
        let end = Instant::now() + INTERVAL * intervals;
        while Instant::now() < end {
            self.look()?;
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The end of a row: nothing more comes.
    pub(crate) fn finish(&mut self) -> Result<String, String> {
        if self.mode == Mode::WithNoise {
            self.world.site(Side::B).send_noise()?;
        }
        self.quiet(AFTERMATH)?;
        Ok(match self.arrived {
            0 => "nothing".to_owned(),
            count => format!("{count} messages: {}", self.report),
        })
    }

    /// Takes what has arrived; what was not due is an error.
    fn look(&mut self) -> Result<(), String> {
        for arrival in self.world.collector.take() {
            if !self.dues.iter_mut().any(|due| due.takes(&arrival)) {
                let late = arrival.at.duration_since(self.since).as_secs_f64();
                return Err(format!("{late:.1} s after the last change there was, not due: {arrival}"));
            }
            self.arrived += 1;
        }
        Ok(())
    }
}
