//! The pages of `monshow` as HTML. Whatever a monitor or an operator wrote is escaped; only the configuration
//! file may bring HTML of its own.

use std::fmt::Write;

use remon_core::nouns::{OpStatus, Wall};
use remon_core::text;
use remon_core::wire::opstatus::StatusLine;

use super::rcfile::Settings;
use super::request::Request;
use super::rows::{self, Row};
use super::snapshot::{Disabled, Key, Snapshot};
use super::text as plain;

/// What all parts of a page need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    pub(super) server: &'a str,
    pub(super) now: Wall,
    pub(super) local: fn(Wall) -> String,
}

const CONTENT_TYPE: &str = "Content-type: text/html\n\n";

/// The page that says what went wrong.
pub(super) fn error(why: &str) -> String {
    let why = html(why);
    format!(
        "{CONTENT_TYPE}<html>\n<head>\n<title> Error </title>\n</head>\n<body>\n<h2> Error </h2>\n<pre>\n{why}\n</pre>\n</body>\n</html>\n"
    )
}

/// The page asked for.
pub(super) fn compose(
    context: &Context<'_>,
    request: &Request,
    snapshot: &Snapshot,
    detail_of: Option<&Key>,
) -> Result<String, String> {
    let mut page = CONTENT_TYPE.to_owned() + &header(context, request, snapshot);
    if request.argument("disabled").is_some_and(|flag| flag != "0") {
        page += &disabled(&snapshot.disabled);
    } else if let Some(key) = detail_of {
        let status = snapshot.services.get(key);
        let status = status.ok_or_else(|| format!("{}/{} not a valid service", key.0, key.1))?;
        page += &detail(context, request, snapshot, key, status);
    } else {
        page += &table(context, request, snapshot);
        if context.settings.show_disabled {
            page += &disabled(&snapshot.disabled);
        }
        if request.argument("watch").is_some() {
            let _ = writeln!(page, "<a href=\"{}\">Back to summary table</a><br>", html(&request.script));
        }
    }
    Ok(page + "</body>\n</html>\n")
}

/// Text as HTML; what cannot be shown becomes U+FFFD or a blank.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text::display(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Text inside the query of a link.
fn query(text: &str) -> String {
    let mut out = String::new();
    for &byte in text::encode(text).iter() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

fn header(context: &Context<'_>, request: &Request, snapshot: &Snapshot) -> String {
    let Settings { colours, refresh, html_header, .. } = context.settings;
    let mut head =
        "<html>\n<head>\n<meta charset=\"utf-8\">\n<title> Operational Status </title>\n".to_owned();
    if let Some(seconds) = refresh {
        head += "<meta http-equiv=\"Pragma\" content=\"no-cache\">\n";
        let _ = writeln!(head, "<meta http-equiv=\"Refresh\" content=\"{}\">", html(seconds));
    }
    let _ = writeln!(
        head,
        "</head>\n<body bgcolor=\"#{}\">\n{html_header}<h1>Operational Status</h1>",
        html(&colours.page)
    );
    head += "<table width=\"100%\">\n<tr>\n<td>\n<table>\n";
    let time = (context.local)(context.now);
    let state = plain::state(snapshot, context.local);
    let facts = [("Server", context.server), ("Time", &time), ("State", &state)];
    let view = request.view.as_deref().map(|view| ("View", view));
    for (name, value) in facts.into_iter().chain(view) {
        let _ = writeln!(head, "<tr><td align=right><b>{name}:</b></td><td> {} </td></tr>", html(value));
    }
    head += "</table>\n</td>\n<td>\n<table>\n<tr><td>Color legend</td></tr>\n";
    for (colour, meaning) in
        [(&colours.ok, "all is OK"), (&colours.fail, "failure"), (&colours.untested, "untested")]
    {
        let _ = writeln!(head, "<tr><td bgcolor=\"#{}\"> {meaning} </td></tr>", html(colour));
    }
    head + "</table>\n</td>\n</tr>\n</table>\n<hr>\n"
}

/// The attribute that colours a row, empty for a status that has no colour.
fn colour(context: &Context<'_>, status: &StatusLine) -> String {
    let colours = &context.settings.colours;
    let colour = match status.opstatus() {
        Some(OpStatus::Ok) => &colours.ok,
        Some(OpStatus::Fail) => &colours.fail,
        Some(OpStatus::Untested) => &colours.untested,
        _ => return String::new(),
    };
    format!(" bgcolor=\"#{}\"", html(colour))
}

fn table(context: &Context<'_>, request: &Request, snapshot: &Snapshot) -> String {
    let rows = rows::select(snapshot, context.settings.full);
    if rows.is_empty() {
        return "<h2> All systems OK </h2>\n".to_owned();
    }
    let colour = html(&context.settings.colours.table);
    let mut table = format!("<table cellpadding=2 cellspacing=1 bgcolor=\"#{colour}\" width=\"100%\">\n<tr>");
    for name in
        ["Dep", "Group", "Service", "Desc.", "Last check", "Next check", "Alerts", "Status", "Summary"]
    {
        let _ = write!(table, "<th>{name}</th>");
    }
    table += "</tr>\n";
    for row in &rows {
        table += &table_row(context, request, snapshot, row);
    }
    table + "</table>\n"
}

fn table_row(context: &Context<'_>, request: &Request, snapshot: &Snapshot, row: &Row<'_>) -> String {
    let (script, status) = (html(&request.script), row.status);
    let (group, service) = (status.group(), status.service());
    let to_detail = format!("{script}?detail={},{}", query(group), query(service));
    let description = snapshot.descriptions.get(&(group.to_owned(), service.to_owned()));
    let word = match row.word() {
        acked @ "ACK FAIL" => format!("<a href=\"{to_detail}\"><b>{acked}</b></a>"),
        word => word.to_owned(),
    };
    let cells = [
        row.dep().to_owned(),
        format!("<a href=\"{script}?watch={}\">{}</a>", query(group), html(group)),
        format!("<a href=\"{to_detail}\">{}</a>", html(service)),
        format!("<small>{}</small>", html(description.map_or("", String::as_str))),
        row.last(context.now),
        row.next(),
        row.alerts(),
        word,
        format!("<small>{}</small>", html(&row.summary(context.settings.summary_len))),
    ];
    let cells = cells.iter().fold(String::new(), |line, cell| line + "<td> " + cell + " </td>");
    format!("<tr{}>{cells}</tr>\n", colour(context, status))
}

fn disabled(disabled: &Disabled) -> String {
    let Disabled { watches, services, hosts } = disabled;
    if watches.is_empty() && services.is_empty() && hosts.is_empty() {
        return "<br>\nNothing is disabled.\n<p>\n".to_owned();
    }
    let mut page = String::new();
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let lines = lines.iter().fold(String::new(), |all, line| all + &html(line) + " <br>\n");
            let _ = write!(page, "<h2> {title} </h2>\n{lines}");
        }
    };
    list("Disabled Watches", watches.iter().cloned().collect());
    list("Disabled Services", services.iter().map(|(group, service)| format!("{group} {service}")).collect());
    list(
        "Disabled Hosts",
        hosts.iter().map(|(group, hosts)| format!("{group}: {}", hosts.join(" "))).collect(),
    );
    page
}

fn detail(
    context: &Context<'_>,
    request: &Request,
    snapshot: &Snapshot,
    key: &Key,
    status: &StatusLine,
) -> String {
    let (group, service) = key;
    let colour = colour(context, status);
    let mut page = format!("<h2>Detail for {}/{}</h2>\n<table width=\"100%\">\n", html(group), html(service));
    let description = snapshot.descriptions.get(key).map_or("", String::as_str);
    let hosts = snapshot.hosts.join(" ");
    for (name, value) in
        [("Description", description), ("Summary", status.get("last_summary")), ("Hosts", &hosts)]
    {
        let _ = writeln!(
            page,
            "<tr{colour}><td align=right width=\"15%\"><b>{name}:</b></td><td> {} </td></tr>",
            html(value)
        );
    }
    let output = html(status.get("last_detail"));
    let _ = writeln!(
        page,
        "<tr{colour}><td valign=top align=right><b>Detail:</b></td><td><pre>\n{output}\n</pre></td></tr>\n</table>"
    );
    if status.number("ack") != 0 {
        let _ = writeln!(page, "<h2>Acknowledgment of failure</h2>\n{}<p>", html(status.get("ackcomment")));
    }
    page += "<table cellpadding=2 cellspacing=1 bgcolor=\"#CCCCCC\" width=\"100%\">\n";
    for (name, value) in facts(context, status) {
        let _ = writeln!(
            page,
            "<tr><td align=right width=\"15%\"><b>{name}:</b></td><td> {} </td></tr>",
            html(&value)
        );
    }
    page += "</table>\n";
    page += &deliveries(context, &snapshot.deliveries);
    page += &more_information(context, key);
    let script = html(&request.script);
    let _ =
        writeln!(page, "<p>\n<a href=\"{script}?watch={}\">Back to {} table</a>", query(group), html(group));
    page + &format!("<a href=\"{script}\">Back to summary table</a>\n<p>\n")
}

/// The second table: what is known, under the names of the original; what is empty is left out.
fn facts(context: &Context<'_>, status: &StatusLine) -> Vec<(&'static str, String)> {
    let text = |name: &str| status.get(name).to_owned();
    let moment = |name: &str| match status.number(name) {
        0 => String::new(),
        wall => (context.local)(wall),
    };
    let span = |name: &str| match status.get(name) {
        "" => String::new(),
        _ => rows::hms(status.number(name)),
    };
    let unless_zero = |name: &str, text: String| if status.number(name) == 0 { String::new() } else { text };
    let last_check = match status.number("last_check") {
        0 => String::new(),
        _ => format!("{} ago", rows::since(status, context.now)),
    };
    let running = if status.number("monitor_running") == 0 { "false" } else { "true" };
    let mut facts = vec![
        ("Operational Status", rows::status_text(status)),
        ("Exit Value", text("exitval")),
        ("Dependency", text("depend")),
        ("Monitor Program", text("monitor")),
        ("Last Check", last_check),
        ("Next Check", format!("in {}", rows::span(status.number("timer")))),
        ("Last Success", moment("last_success")),
        ("Last Failure", moment("last_failure")),
        ("First Failure", moment("first_failure")),
        ("Failure Duration", unless_zero("first_failure", span("failure_duration"))),
        ("Schedule Interval", span("interval")),
        ("Exclude Period", text("exclude_period")),
        ("Exclude Hosts", text("exclude_hosts")),
        ("Random Skew", unless_zero("randskew", span("randskew"))),
        ("Alerts Sent", unless_zero("alerts_sent", text("alerts_sent"))),
        ("Last Alert", moment("last_alert")),
        ("Monitor Execution Duration", span("monitor_duration")),
        ("Monitor currently running", running.to_owned()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// How alerts fared, newest last; nothing where there were none.
fn deliveries(context: &Context<'_>, lines: &[StatusLine]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let line = |line| html(&plain::delivery(context.local, line)) + "\n";
    format!("<h2>Alerts</h2>\n<pre>\n{}</pre>\n", lines.iter().map(line).collect::<String>())
}

fn more_information(context: &Context<'_>, key: &Key) -> String {
    let Some(more) = context.settings.links.get(key) else { return String::new() };
    let link = html(&more.link);
    match &more.text {
        Some(text) => format!("<p>\n<h2><a href=\"{link}\">More Information</a></h2>\n{text}\n"),
        None => format!("<p>\n<a href=\"{link}\">{link}</a>\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rcfile;
    use super::*;
    use remon_core::nouns::Civil;

    fn page(query: &str, rc: &str, line: &str) -> Result<String, String> {
        let (settings, _) = rcfile::parse(rc)?;
        let local = |wall| Civil::utc(wall).to_string();
        let context = Context { settings: &settings, server: "127.0.0.1", now: 1_795_346_966, local };
        let status = StatusLine::parse(line).ok_or("no status line")?;
        let key = (status.group().to_owned(), status.service().to_owned());
        let snapshot = Snapshot { services: [(key, status)].into(), ..Snapshot::default() };
        let request = Request::for_tests("/cgi", query);
        let detail = request.argument("detail").map(super::super::detail_key);
        compose(&context, &request, &snapshot, detail.as_ref())
    }

    /// The text a browser would show, blanks squeezed.
    fn visible(page: &str) -> String {
        let (mut text, mut tag) = (String::new(), false);
        for c in page.chars() {
            match c {
                '<' => tag = true,
                '>' => (tag = false, text.push('|')).0,
                c if !tag => text.push(c),
                _ => {}
            }
        }
        let cells = text.split('|').map(str::trim).filter(|cell| !cell.is_empty());
        cells.collect::<Vec<_>>().join("|")
    }

    const EVIL: &str = r"group=<g> service=s opstatus=0 exitval=3 last_check=1795346962 interval=5 first_failure=1795346593 failure_duration=373 last_summary=<script>alert(1)</script> last_detail=&\22 monitor=fail.monitor";

    #[test]
    fn nothing_gets_in_unescaped() {
        for query in ["", "watch=<g>", "detail=<g>,s"] {
            let page = page(query, "", EVIL).expect("the service is there");
            assert!(!page.contains("<script>") && !page.contains("<g>"), "{page}");
            assert!(page.contains("&lt;script&gt;"), "{page}");
        }
        assert!(error("<b>").contains("&lt;b&gt;"));
    }

    #[test]
    fn the_table() {
        let page = page("", "set refresh 60\nset show-disabled\nset html-header\n<i>lab</i>\nEND\n", EVIL)
            .expect("it is there");
        assert!(page.starts_with("Content-type: text/html\n\n<html>") && page.ends_with("</html>\n"));
        assert!(page.contains("content=\"60\"") && page.contains("<i>lab</i>"));
        assert!(page.contains("href=\"/cgi?detail=%3Cg%3E,s\"") && page.contains("<tr bgcolor=\"#e088b7\">"));
        assert!(visible(&page).ends_with(
            "|R|&lt;g&gt;|s|4s|0s|none|FAIL|&lt;script&gt;alert(1)&lt;/script&gt;|Nothing is disabled."
        ));
    }

    #[test]
    fn the_detail() {
        let page = page("detail=%3Cg%3E,s", "link <g> s http://x/?a&b\n", EVIL).expect("it is there");
        let text = visible(&page);
        let expect = "Operational Status:|fail (0)|Exit Value:|3|Monitor Program:|fail.monitor|Last Check:|4s ago|Next Check:|in 0s|\
            First Failure:|Sun Nov 22 11:23:13 2026|Failure Duration:|00:06:13|Schedule Interval:|00:00:05|\
            Monitor currently running:|false|http://x/?a&amp;b|Back to &lt;g&gt; table|Back to summary table";
        assert!(text.ends_with(expect), "{text}");
        assert!(page.contains("href=\"/cgi?watch=%3Cg%3E\""));
    }

    #[test]
    fn how_alerts_fared() {
        let (settings, _) = rcfile::parse("").expect("an empty file will do");
        let local = |wall| Civil::utc(wall).to_string();
        let context = Context { settings: &settings, server: "127.0.0.1", now: 1_795_346_966, local };
        let line = "time=1795346863 group=g service=s kind=alert alert=a.alert try=1 outcome=delivered duration=0.020 last_words=<b>";
        let lines = [StatusLine::parse(line).expect("a good line")];
        let expect = "<h2>Alerts</h2>\n<pre>\nSun Nov 22 11:27:43 2026 alert a.alert: delivered after 0.020 s: &lt;b&gt;\n</pre>\n";
        assert_eq!((deliveries(&context, &lines).as_str(), deliveries(&context, &[]).as_str()), (expect, ""));
    }

    #[test]
    fn other_pages() {
        assert_eq!(page("detail=a,b", "", EVIL), Err("a/b not a valid service".to_owned()));
        let good = EVIL.replace("opstatus=0", "opstatus=1");
        assert!(page("", "", &good).is_ok_and(|page| page.contains("All systems OK")));
        assert!(page("disabled=1", "", &good).is_ok_and(|page| page.contains("Nothing is disabled.")));
    }
}
