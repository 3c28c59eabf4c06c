//! What must hold at every step, seen from outside and compared with the books inside.

use super::*;
use crate::nouns::{AlertKind, OpStatus};
use crate::world::Entry;

/// By service: what a witness has seen of it.
#[derive(Default)]
struct Seen {
    running: u32,
    /// By period: the alerts that were counted at the last look.
    counted: BTreeMap<Arc<str>, u32>,
}

pub(super) struct Witness {
    maxprocs: Option<usize>,
    services: BTreeMap<ServiceKey, Seen>,
    pub(super) runs: u64,
    /// Operators may set counters and status apart.
    forgiving: bool,
    /// `test alert` was asked for: its calls obey no rule.
    test_expected: bool,
}

impl Witness {
    pub(super) fn of(site: &Site) -> Witness {
        Witness {
            maxprocs: site.maxprocs,
            services: BTreeMap::new(),
            runs: 0,
            forgiving: false,
            test_expected: false,
        }
    }

    pub(super) fn expect(&mut self, line: &str) {
        self.test_expected = line.starts_with("test alert");
        self.forgiving |= line.starts_with("clear timers");
    }

    /// All processes are gone.
    pub(super) fn expect_crash(&mut self) {
        self.services.values_mut().for_each(|seen| seen.running = 0);
    }

    /// Looks at what happened since the last look, then into the books.
    pub(super) fn look(&mut self, world: &mut World) {
        for entry in std::mem::take(&mut world.log) {
            self.see(world.engine(), &entry);
        }
        self.test_expected = false;
        let engine = world.engine();
        let running = engine.services.iter().filter(|slot| slot.running.is_some()).count();
        assert_eq!(running, engine.runs.len(), "every run belongs to one service");
        assert!(self.maxprocs.is_none_or(|most| running <= most), "{running} runs at once");
        for id in engine.ids() {
            let slot = engine.slot(id);
            self.read_the_books(engine, slot, id);
            assert!(is_remembered(engine, id), "a due service is forgotten: {}", engine.key(id));
        }
    }

    fn see(&mut self, engine: &Engine, entry: &Entry) {
        match &entry.what {
            Happened::RunStarted { service, .. } => {
                let seen = self.services.entry(service.clone()).or_default();
                seen.running += 1;
                self.runs += 1;
                assert_eq!(seen.running, 1, "two runs of {service}");
                assert!(engine.stopped.is_none(), "a run of {service} while stopped");
            }
            Happened::RunEnded { service, .. } | Happened::RunKilled { service } => {
                self.services.entry(service.clone()).or_default().running -= 1;
            }
            Happened::AlertCalled { service, period: Some(period), kind, .. } if !self.test_expected => {
                self.see_alert(engine, service, period, *kind);
            }
            _ => {}
        }
    }

    fn see_alert(&self, engine: &Engine, key: &ServiceKey, label: &str, kind: AlertKind) {
        let slot =
            engine.slot(engine.find(&key.group, &key.service).expect("alerts are about known services"));
        let period = slot.service.periods.iter().find(|period| *period.label == *label);
        let period = period.expect("alerts stand in a period");
        let before = self.services.get(key).and_then(|seen| seen.counted.get(label)).copied().unwrap_or(0);
        assert!(engine.stopped.is_none(), "{key} alerts while stopped");
        if kind == AlertKind::Up {
            assert!(before > 0 || period.no_comp_alerts, "{key}: an upalert without its alert");
        }
        if kind.is_failure() {
            assert!(slot.state.ack.is_none(), "{key} alerts while acknowledged");
            assert!(!slot.state.disabled, "{key} alerts while disabled");
            assert!(!engine.groups[&key.group].disabled, "{key} alerts while its watch is disabled");
            assert!(period.numalerts.is_none_or(|most| before < most), "{key}: more than numalerts");
        }
    }

    /// What the books say now is what they said before the next event.
    fn read_the_books(&mut self, engine: &Engine, slot: &Slot, id: ServiceId) {
        let state = &slot.state;
        assert_eq!(state.periods.len(), slot.service.periods.len());
        assert!(state.consec_failures > 0 || state.opstatus != OpStatus::Fail || self.forgiving, "{state:?}");
        let seen = self.services.entry(engine.key(id)).or_default();
        for (period, counters) in slot.service.periods.iter().zip(&state.periods) {
            assert!(!counters.upalert_sent || period.no_comp_alerts, "only those need to remember it");
            seen.counted.insert(period.label.clone(), counters.alert_sent);
        }
    }
}

/// A service with an interval is running, or has a deadline, or waits where it will be found.
pub(in super::super) fn is_remembered(engine: &Engine, id: ServiceId) -> bool {
    let slot = engine.slot(id);
    if slot.service.interval.is_none() || slot.running.is_some() {
        return true;
    }
    let deadline = engine.schedule.deadline(id, crate::schedule::Timer::Run);
    let waits = engine.waiting.contains(&id);
    let waits_in_vain = waits
        && engine.stopped.is_none()
        && engine.settings.maxprocs.is_some_and(|most| engine.runs.len() < most);
    let held = engine.held.contains(&id) && slot.service.depends.is_some();
    !waits_in_vain && (deadline.is_some() || waits || held)
}
