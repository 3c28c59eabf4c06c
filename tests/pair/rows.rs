//! The rows of the matrix: each fault, what must arrive because of it, and within how many intervals.

use std::time::Duration;

use crate::pairing::{Pairing, Program};
use crate::scene::{Due, Mode, Scene};
use crate::site::{Setup, Side};
use crate::support::wait;
use crate::world::{START, World, set_link};

use Side::{A, B};

/// What both watch in the world, and what one of them watches.
const WEB: &str = "world/web";
const OWN: &str = "own/service";

/// One row.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What happens, and what must come of it.
    pub(crate) title: &'static str,
    play: fn(&mut Scene) -> Result<(), String>,
    /// Why a pairing cannot do it.
    pub(crate) cannot: fn(Pairing) -> Option<&'static str>,
}

impl Row {
    /// Plays it; tells what arrived, and when.
    pub(crate) fn play(&self, scene: &mut Scene) -> Result<String, String> {
        (self.play)(scene)?;
        scene.finish()
    }
}

/// All rows, the longest first so that the last do not keep us waiting.
pub(crate) const ALL: &[Row] = &[
    row("calm", "no fault for 20 intervals: nothing", calm),
    row("exclude", "A's monserverb fails: B's monservera does not", exclude),
    row("clock", "A's clock jumps one hour: nothing; then a service fails: alerts as ever", clock),
    row("cut", "link A-B cut: each alerts once, one upalert each", cut),
    Row {
        cannot: |pairing| {
            pairing.has(Program::Original).then_some(
                "the original keeps no account of what was not delivered, and its remote.monitor does not ask",
            )
        },
        ..row("undelivered", "A's alert path down while a service fails: B takes over at once", undelivered)
    },
    row("duration", "the same without --undelivered: B takes over after failure_duration (10 s)", duration),
    row("stopped", "A stopped by SIGSTOP: TIMEOUT alert from B, upalert after SIGCONT", stopped),
    row("killed", "A killed: B alerts, upalert when it is back", killed),
    row("service", "watched service down and up: one alert, one upalert from each", service),
    row("xmpp", "A's XMPP server down: its mail arrives, its XMPP is counted undelivered", xmpp),
    row("readonly", "A's state directory read-only: alerts as ever", readonly),
    row("restart-ab", "A, then B restarted while a service fails: no alert lost", restart_ab),
    row("restart-ba", "B, then A restarted while a service fails: no alert lost", restart_ba),
    row("restart-both", "both restarted at once while a service fails: no alert lost", restart_both),
];

const fn row(name: &'static str, title: &'static str, play: fn(&mut Scene) -> Result<(), String>) -> Row {
    Row { name, title, play, cannot: |_| None }
}

fn each(make: fn(Side, &str) -> Due, about: &str) -> [Due; 2] {
    [A, B].map(|side| make(side, about))
}

/// The watch of A's mon by B.
fn monservera() -> String {
    B.watch_of_the_other()
}

fn calm(scene: &mut Scene) -> Result<(), String> {
    scene.open(&scene.setup())?;
    scene.quiet(20)?;
    scene.all_well()
}

fn service(scene: &mut Scene) -> Result<(), String> {
    scene.open(&scene.setup())?;
    web_down_and_up(scene)
}

/// The service that both watch fails and recovers, and each tells so once.
fn web_down_and_up(scene: &mut Scene) -> Result<(), String> {
    scene.fault(|world| world.set_web(false))?;
    scene.expect("alerts", &each(Due::alert, WEB), 1, 0)?;
    scene.mend(|world| world.set_web(true))?;
    scene.expect("upalerts", &each(Due::upalert, WEB), 1, 0)
}

fn killed(scene: &mut Scene) -> Result<(), String> {
    scene.open(&scene.setup())?;
    scene.fault(|world| world.site_mut(A).end_daemon("KILL"))?;
    // `CONNECT`, or another word if it died in the middle of a conversation.
    scene.expect("alert", &[Due::alert(B, &monservera()).holding("servera:")], 1, 0)?;
    scene.mend(|world| world.site_mut(A).start_daemon(false))?;
    scene.expect("upalert", &[Due::upalert(B, &monservera())], 1, 0)
}

fn stopped(scene: &mut Scene) -> Result<(), String> {
    let setup = scene.setup();
    scene.open(&setup)?;
    scene.fault(|world| {
        world.site(A).signal("STOP");
        Ok(())
    })?;
    scene.expect("alert", &[Due::alert(B, &monservera()).holding("servera:TIMEOUT(")], 1, setup.timeout)?;
    scene.mend(|world| {
        world.site(A).signal("CONT");
        Ok(())
    })?;
    scene.expect("upalert", &[Due::upalert(B, &monservera())], 1, setup.timeout)
}

fn cut(scene: &mut Scene) -> Result<(), String> {
    let setup = scene.setup();
    scene.open(&setup)?;
    let told = |make: fn(Side, &str) -> Due| {
        let of = |side: Side| {
            [make(side, &side.watch_of_the_other()), make(side, &format!("{}/ping", side.other().host()))]
        };
        [A, B].map(of).concat()
    };
    scene.fault(|_| set_link(false))?;
    scene.expect("alerts", &told(Due::alert), 3, setup.timeout)?;
    scene.mend(|_| set_link(true))?;
    scene.expect("upalerts", &told(Due::upalert), 3, setup.timeout)
}

fn xmpp(scene: &mut Scene) -> Result<(), String> {
    scene.open(&scene.setup())?;
    scene.fault(|world| {
        world.site_mut(A).set_xmpp(false)?;
        world.set_web(false)
    })?;
    let told = |make: fn(Side, &str) -> Due| vec![make(A, WEB).by_mail(), make(B, WEB)];
    let (mut alerts, mut upalerts) = (told(Due::alert), told(Due::upalert));
    if !scene.pairing().has(Program::Original) {
        // B cannot know whom A's alert did not reach.
        alerts.push(Due::alert(B, &monservera()).holding("servera([world:web{"));
        upalerts.push(Due::upalert(B, &monservera()));
    }
    scene.expect("alerts", &alerts, 2, 0)?;
    await_undelivered(scene, WEB)?;
    scene.mend(|world| world.set_web(true))?;
    scene.expect("upalerts", &upalerts, 2, 0)
}

/// A keeps account of an alert that did not reach everybody. The original does not.
fn await_undelivered(scene: &mut Scene, about: &str) -> Result<(), String> {
    if scene.pairing().on(A) == Program::Original {
        return Ok(());
    }
    let site = scene.site(A);
    let mut last = String::new();
    let counted = wait::until(START, "the alert to be counted undelivered", || {
        last = site.status(about).unwrap_or_default();
        (last.contains(" alerts_undelivered=1 ") && last.contains(" last_alert_error=")).then_some(())
    });
    counted.map_err(|why| format!("{why}: {last}"))?;
    let deliveries = site.ask("list deliveries")?;
    let (watch, service) = about.split_once('/').unwrap_or((about, ""));
    // Some were told, so the alert's status is 1; its words say which way did not get through.
    let marks = [watch, service, " outcome=exit\\201 ", "xmpp\\20to\\20user@"];
    let about_it = |line: &&String| marks.iter().all(|mark| line.contains(mark));
    deliveries.iter().find(about_it).map(|_| ()).ok_or_else(|| format!("list deliveries: {deliveries:?}"))
}

/// A service of A fails, and A can tell nobody.
fn silence_a(world: &mut World) -> Result<(), String> {
    world.site_mut(A).set_xmpp(false)?;
    world.site(A).set_mail(false)?;
    world.set_service(false)
}

fn duration(scene: &mut Scene) -> Result<(), String> {
    let setup =
        Setup { failure_duration: 10, without_undelivered: true, own_service: Some(A), ..scene.setup() };
    scene.open(&setup)?;
    scene.fault(silence_a)?;
    let due = Due::alert(B, &monservera()).holding("servera([own:service{");
    scene.expect("alert", &[due], 2, setup.failure_duration)?;
    // A rounds to seconds.
    let early = scene.elapsed() + Duration::from_secs(1) < Duration::from_secs(setup.failure_duration.into());
    if early {
        return Err(format!("B took over after {:?} already", scene.elapsed()));
    }
    scene.mend(|world| world.set_service(true))?;
    scene.expect("upalert", &[Due::upalert(B, &monservera())], 2, 0)
}

fn undelivered(scene: &mut Scene) -> Result<(), String> {
    let setup = Setup { own_service: Some(A), ..scene.setup() };
    scene.open(&setup)?;
    scene.fault(silence_a)?;
    let due = Due::alert(B, &monservera()).holding("servera([own:service{");
    scene.expect("alert", &[due], 2, 0)?;
    scene.mend(|world| world.set_service(true))?;
    scene.expect("upalert", &[Due::upalert(B, &monservera())], 2, 0)
}

fn exclude(scene: &mut Scene) -> Result<(), String> {
    let setup = Setup {
        failure_duration: 2,
        own_service: Some(B),
        without_exclude: scene.mode == Mode::WithoutExclude,
        ..scene.setup()
    };
    scene.open(&setup)?;
    let by_a = A.watch_of_the_other();
    scene.fault(|world| world.set_service(false))?;
    let dues = [Due::alert(B, OWN), Due::alert(A, &by_a).holding("serverb([own:service{")];
    scene.expect("alerts", &dues, 2, setup.failure_duration)?;
    // Far longer than it takes B to see what A reports.
    scene.quiet(10)?;
    let status = scene.site(B).status(&monservera())?;
    if !status.contains(" opstatus=1 ") {
        return Err(format!("B reports what A reports: {status}"));
    }
    scene.mend(|world| world.set_service(true))?;
    scene.expect("upalerts", &[Due::upalert(B, OWN), Due::upalert(A, &by_a)], 2, 0)
}

fn clock(scene: &mut Scene) -> Result<(), String> {
    scene.site(A).fake_clock()?;
    scene.open(&scene.setup())?;
    scene.fault(|world| world.site(A).set_clock("+1h"))?;
    scene.quiet(5)?;
    let [ours, theirs] = [B, A].map(|side| scene.site(side).clock());
    let off = theirs? - ours?;
    if !(3500..3700).contains(&off) {
        return Err(format!("A's clock is {off} s off"));
    }
    web_down_and_up(scene)
}

fn readonly(scene: &mut Scene) -> Result<(), String> {
    scene.site(A).set_readonly(true)?;
    let state = scene.site(A).dir.join("state").display().to_string();
    if scene.site(A).space.sh(&format!("touch {state}/x 2>&1")).is_ok() {
        return Err("it can be written".to_owned());
    }
    scene.open(&scene.setup())?;
    web_down_and_up(scene)?;
    scene.all_well()
}

fn restart_ab(scene: &mut Scene) -> Result<(), String> {
    restarts(scene, |world| [A, B].into_iter().try_for_each(|side| restart(world, side)))
}

fn restart_ba(scene: &mut Scene) -> Result<(), String> {
    restarts(scene, |world| [B, A].into_iter().try_for_each(|side| restart(world, side)))
}

fn restart_both(scene: &mut Scene) -> Result<(), String> {
    restarts(scene, |world| {
        [A, B].into_iter().try_for_each(|side| world.site_mut(side).end_unit())?;
        [A, B].into_iter().try_for_each(|side| world.site_mut(side).start_daemon(false))
    })
}

fn restart(world: &mut World, side: Side) -> Result<(), String> {
    world.site_mut(side).end_unit()?;
    world.site_mut(side).start_daemon(false)
}

/// The service fails, and as soon as both know, they are restarted: in the middle of their alerts.
fn restarts(scene: &mut Scene, all: fn(&mut World) -> Result<(), String>) -> Result<(), String> {
    scene.open(&scene.setup())?;
    // A daemon that is down for a moment may be noticed.
    for side in [A, B] {
        let about = side.watch_of_the_other();
        scene.allow(&[Due::alert(side, &about).times(0, 2), Due::upalert(side, &about).times(0, 2)]);
    }
    scene.fault(|world| {
        world.set_web(false)?;
        for side in [A, B] {
            let fails = || world.site(side).status(WEB).is_ok_and(|line| line.contains(" opstatus=0 "));
            wait::until(START, "the service to fail", || fails().then_some(()))?;
        }
        all(world)
    })?;
    // What was told before is told again: no state of alerts is kept, and one too many is better than none.
    scene.expect("alerts", &each(Due::alert, WEB).map(|due| due.times(1, 2)), 3, 0)?;
    scene.quiet(2)?;
    scene.mend(|world| world.set_web(true))?;
    scene.expect("upalerts", &each(Due::upalert, WEB), 2, 0)
}
