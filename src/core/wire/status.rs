//! One line of `list opstatus`.

use std::fmt::Write as _;

use super::deliveries;
use super::quote::{escape_into, escape_quoted_into};
use crate::config::Dependency;
use crate::engine::OpstatusRow;

/// Appends the line. The order of the fields is part of the protocol; new ones may only be appended.
pub(super) fn write_line(out: &mut String, row: &OpstatusRow<'_>) {
    let OpstatusRow { group, service, state, timer, running, reloaded, now, .. } = row;
    let depends = service.depends.as_deref();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "group={group} service={} opstatus={} last_opstatus={} exitval=",
        service.name,
        state.opstatus.code(),
        state.last_opstatus.code(),
    );
    match state.exitval {
        Some(exit) => push_number(out, exit),
        None => out.push_str("undef"),
    }
    let _ = write!(out, " timer={timer} last_success={} last_trap={}", state.last_success, state.last_trap);
    out.push_str(" last_traphost= last_check=");
    state.last_check.iter().for_each(|&time| push_number(out, time));
    out.push_str(" ack=");
    push_number(out, state.ack.as_ref().map_or(0, |ack| ack.at));
    push_text(out, "ackcomment", state.ack.as_ref().map(|ack| &*ack.comment));
    let _ = write!(out, " alerts_sent={} depstatus=", state.alerts_sent(service));
    let depends_on_good = state.depend_status.filter(|_| !reloaded);
    depends_on_good.iter().for_each(|&good| out.push(if good { '1' } else { '0' }));
    let text = |depend: Option<&Option<Dependency>>| depend.and_then(|d| d.as_ref()).map(|d| d.text.clone());
    push_text(out, "depend", text(depends.map(|d| &d.depend)).as_deref());
    push_text(out, "hostdepend", text(depends.map(|d| &d.hostdepend)).as_deref());
    push_text(out, "monitordepend", text(depends.map(|d| &d.monitordepend)).as_deref());
    push_text(out, "alertdepend", text(depends.map(|d| &d.alertdepend)).as_deref());
    push_text(out, "monitor", service.monitor.as_ref().map(|monitor| &*monitor.text));
    push_text(out, "last_summary", state.last_summary.as_deref());
    push_text(out, "last_detail", state.last_detail.as_deref());
    push_optional(out, row, *running, *now);
    out.push('\n');
}

/// The fields that are there only where they have something to say.
fn push_optional(out: &mut String, row: &OpstatusRow<'_>, running: bool, now: i64) {
    let (service, state) = (row.service, row.state);
    push_time(out, "last_failure", state.last_failure);
    if let Some(interval) = state.interval(service) {
        let _ = write!(out, " interval={interval} monitor_duration=");
        match state.monitor_duration {
            Some(took) => push_number(out, took.as_secs() as i64),
            None => out.push_str("-1"),
        }
        out.push_str(if running { " monitor_running=1" } else { " monitor_running=0" });
    }
    if let Some(period) = service.exclude_period.as_ref().filter(|period| !period.text().is_empty()) {
        out.push_str(" exclude_period=");
        escape_into(out, period.text());
    }
    if !service.exclude_hosts.is_empty() {
        out.push_str(" exclude_hosts=");
        for (index, host) in service.exclude_hosts.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "\\20" });
            escape_into(out, host);
        }
    }
    if let Some(skew) = service.randskew {
        let _ = write!(out, " randskew={skew}");
    }
    push_time(out, "last_alert", state.last_alert());
    if let Some(first) = state.first_failure.filter(|&first| first != 0) {
        let _ = write!(out, " first_failure={first} failure_duration={}", now.saturating_sub(first));
    }
    if let Some(attempt) = row.last_undelivered {
        let _ = write!(out, " alerts_undelivered={}", row.undelivered);
        push_text(out, "last_alert_error", Some(&deliveries::error_of(attempt)));
    }
}

fn push_text(out: &mut String, name: &str, text: Option<&str>) {
    out.push(' ');
    out.push_str(name);
    out.push('=');
    if let Some(text) = text {
        escape_quoted_into(out, text);
    }
}

fn push_time(out: &mut String, name: &str, time: i64) {
    if time != 0 {
        let _ = write!(out, " {name}={time}");
    }
}

fn push_number(out: &mut String, number: i64) {
    let _ = write!(out, "{number}");
}
