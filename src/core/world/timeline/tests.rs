//! Timelines of small sites: what is told, what is summed up, what is not worth a line.

use proptest::prelude::*;

use super::super::events::{self, Context};
use super::super::simulate::{self, Plan};
use super::*;
use crate::config;

const SITE: &str = "watch web
service ping
interval 1m
monitor p
period day: hr {7-19}
alert page.alert
upalert page.alert up
ackalert page.alert ack
alertafter 2
period night: hr {0-6 20-23}
alert mail.alert 'two words'
alertevery 10m
numalerts 2
";

fn plan(mon_cf: &str, text: &str) -> Plan {
    let configs = [config::load(mon_cf).0];
    let zone = Zone::default();
    let context = Context { configs: &configs, zone: &zone, from: None, recorded: false };
    let (script, diagnostics) = events::parse(text, &context);
    assert_eq!(diagnostics, [], "{text}");
    let until = script.until.unwrap_or_else(|| simulate::usual_end(&script));
    Plan { until, script, seed: 1, ..Plan::default() }
}

fn told(mon_cf: &str, text: &str) -> String {
    told_by(mon_cf, &plan(mon_cf, text))
}

fn told_by(mon_cf: &str, plan: &Plan) -> String {
    simulate::run(mon_cf, plan).expect("a good mon.cf").render(&plan.zone)
}

#[test]
fn a_failure_its_silences_and_its_end() {
    let text = "from 2024-01-01 06:50\n+2m fail web/ping \"w1\"\n+15m ack web/ping \"mine\"\n\
                +20m ok web/ping\nfor 25m\n";
    let expect = "\
Mon 2024-01-01
06:50:00          start        the daemon begins, 1 service
06:51:00          checks       ok
06:52:00          event        fail web/ping \"w1\"
06:52:00          fail         web/ping (was ok): w1
06:52:00-06:59:00 no alert     web/ping [day], 8 times: outside the period
06:52:00          alert        web/ping [night]: mail.alert -s ping -g web -h web -t 1704091920 'two words'
06:53:00-07:09:00 check        web/ping, 17 times: fail: w1
06:53:00-06:59:00 no alert     web/ping [night], 7 times: alertevery: nothing new, and not before Mon 07:02:00
07:00:00-07:04:00 no alert     web/ping [night], 5 times: outside the period
07:00:00          alert        web/ping [day]: page.alert -s ping -g web -h web -t 1704092400
07:01:00          alert        web/ping [day]: page.alert -s ping -g web -h web -t 1704092460
07:02:00          alert        web/ping [day]: page.alert -s ping -g web -h web -t 1704092520
07:03:00          alert        web/ping [day]: page.alert -s ping -g web -h web -t 1704092580
07:04:00          alert        web/ping [day]: page.alert -s ping -g web -h web -t 1704092640
07:05:00          event        ack web/ping \"mine\"
07:05:00          ackalert     web/ping [day]: page.alert -s ping -g web -h web -t 1704092700 -a ack
07:05:00-07:09:00 no alert     web/ping [day], 5 times: the failure is acknowledged
07:05:00-07:09:00 no alert     web/ping [night], 5 times: the failure is acknowledged
07:10:00          event        ok web/ping
07:10:00          ok           web/ping (was fail)
07:10:00          upalert      web/ping [day]: page.alert -s ping -g web -h web -t 1704093000 -u up
07:11:00-07:14:00 checks       ok, 4 times
07:15:00          end
";
    assert_eq!(told(SITE, text), expect);
}

#[test]
fn all_means_a_line_for_everything() {
    let plan = Plan { all: true, ..plan(SITE, "for 5m\n+3m fail web/ping exit 3 \"w1\"\n") };
    let expect = "\
Mon 2024-01-01
00:00:00          start        the daemon begins, 1 service
00:01:00          check        web/ping: ok
00:01:00          ok           web/ping (was untested)
00:02:00          check        web/ping: ok
00:03:00          event        fail web/ping exit 3 \"w1\"
00:03:00          check        web/ping: fail (exit 3): w1
00:03:00          fail         web/ping (was ok, exit 3): w1
";
    let told = told_by(SITE, &plan);
    assert!(told.starts_with(expect), "{told}");
    assert_eq!(told.matches("no alert     web/ping [day]: outside the period\n").count(), 2, "{told}");
}

#[test]
fn orders_restarts_and_what_is_refused() {
    let text = "+30s ack web/ping\n+90s fail web/ping takes 40s\n+2m10s restart\n+3m disable watch web\n\
                +4m30s reset\n+5m command stop\n+6m hangup\nfor 10m\n";
    let expect = "\
Mon 2024-01-01
00:00:00          start        the daemon begins, 1 service
00:00:30          event        ack web/ping \"\"
00:00:30          refused      520 service is in a non-failure state
00:01:00          checks       ok
00:01:30          event        fail web/ping takes 40s \"web\"
00:02:10          event        restart
00:02:10          start        a new daemon begins
00:03:00          event        disable watch web
00:03:50          fail         web/ping (was untested): web
00:03:50          no alert     web/ping [day]: the watch is disabled
00:03:50          no alert     web/ping [night]: the watch is disabled
00:04:30          event        command reset
00:04:30          ended        web/ping: the run was going on
";
    let told = told(SITE, text);
    assert!(told.starts_with(expect), "{told}");
}

#[test]
fn clocks_change_in_a_line_of_their_own() {
    let mut plan = plan(SITE, "for 3h\n+2h fail web/ping\n");
    plan.zone.change_at(0, 3600);
    plan.zone.change_at(plan.script.from + 3600, 7200);
    let told = told_by(SITE, &plan);
    assert!(
        told.contains("\n02:00:00          clock        clocks go forward to 03:00:00\n04:00:00"),
        "{told}"
    );
    let back = Zone::default();
    plan.zone = back;
    plan.zone.change_at(plan.script.from + 3600, -3600);
    let told = told_by(SITE, &plan);
    assert!(told.contains("\n01:00:00          clock        clocks go back to 00:00:00\n01:00:00"), "{told}");
}

#[test]
fn what_a_monitor_prints_makes_no_lines() {
    let told = told(SITE, "for 3m\n+1m fail web/ping \"a\\tb\\rc \u{1} d\"\n");
    assert!(told.contains("(was untested): a b c   d\n"), "{told}");
}

#[test]
fn redistributions_are_told_and_good_checks_are_no_silence() {
    let mon_cf =
        "watch w\nservice s\ninterval 1m\nmonitor p\nredistribute r.alert x\nperiod\nalert a\nupalert a\n";
    let told = told(mon_cf, "for 3m\n");
    assert_eq!(
        told.matches("redistribute w/s: r.alert -s s -g w -h w -t ").count(),
        3,
        "start, and two checks: {told}"
    );
    assert!(!told.contains("no upalert"), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens, a simulation ends, and tells the same story again.
    #[test]
    fn two_runs_are_equal(
        lines in proptest::collection::vec((0..3600_u32, 0..16_usize), 0..12),
        seed: u64,
        all: bool,
    ) {
        const WHATS: [&str; 16] = [
            "ok web/ping", "fail web/ping \"w1\"", "fail web/ping \"w2\" takes 90s", "fail web/ping signal 9",
            "fail web/ping not-started \"x\"", "trap web/ping", "trap web/ping ok", "ack web/ping \"a\"",
            "disable web/ping", "enable web/ping", "restart all", "reset keepstate", "stop", "start",
            "command set web ping opstatus unknown", "test alert web/ping",
        ];
        let mon_cf = format!("randstart = 1m\n{}", SITE.replace("interval 1m", "interval 1m\nrandskew 20s"));
        let text: String = lines.iter().map(|(at, what)| format!("+{at}s {}\n", WHATS[*what])).collect();
        let plan = Plan { seed, all, ..plan(&mon_cf, &text) };
        let told = told_by(&mon_cf, &plan);
        prop_assert!(told.ends_with("end\n"), "{}", told);
        prop_assert_eq!(&told, &told_by(&mon_cf, &plan));
    }
}
