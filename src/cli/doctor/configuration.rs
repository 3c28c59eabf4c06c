//! mon.cf as `mon check` sees it, with what that says about this machine sorted to where it belongs.

use std::path::Path;

use remon_core::config::{Config, Diagnostic, Place, diagnostic, look_around};

use super::counted;
use super::report::{Area, Finding};
use super::sys::{self, Wish};
use crate::daemon::load::{origins, read_checked};
use crate::daemon::lookout::Flags;

/// The configuration, if the daemon could use it, and what is to be said of it.
pub(super) fn read(file: &Path, flags: &Flags) -> (Option<Config>, Vec<Finding>) {
    let area = Area::Configuration;
    let m4 = flags.m4();
    let (config, text, mut diagnostics) = match read_checked(file, m4.as_deref()) {
        Ok(read) => read,
        Err(error) => {
            let advice = match sys::closed_way(file) {
                Some(dir) => format!("let the user that mon runs as enter {}", dir.display()),
                // To write another over one that is only closed would be the end of it.
                None if file.is_file() && sys::may(file, Wish::Read).is_err() => {
                    let shown = file.display();
                    format!("let the user that mon runs as read it: chgrp mon {shown}; chmod 640 {shown}")
                }
                None if file.is_file() => "see what is wrong with m4, or with the file".to_owned(),
                None => "write one, or name it with -c FILE".to_owned(),
            };
            return (None, vec![area.fault(error.to_string(), advice)]);
        }
    };
    let usable = !diagnostics.iter().any(Diagnostic::is_error);
    if usable {
        diagnostics.extend(look_around(&text, &config, &flags.surroundings(&config)));
    }
    let statedir = flags.places(&config.globals).statedir.display().to_string();
    diagnostics.retain(|found| !is_said_elsewhere(found, &statedir));
    let origins = origins(file, m4.as_deref(), &text);
    let located = origins.locate(&text, &diagnostics);
    let mut findings = located.iter().map(|(place, found)| finding(place, found)).collect::<Vec<_>>();
    let services = config.watches.iter().map(|watch| watch.services.len()).sum::<usize>();
    let name = file.display();
    if usable && services == 0 {
        findings.push(area.warning(format!("{name} has no service: nothing is watched"), ""));
    } else if usable && findings.iter().all(|finding| finding.area != area) {
        findings.push(area.well(format!("{name}: {}", counted(services, "service"))));
    }
    (usable.then_some(config), findings)
}

/// What the doctor looks at more closely: scripts that cannot work, and the state directory.
fn is_said_elsewhere(found: &Diagnostic, statedir: &str) -> bool {
    found.code == "W030" || (found.code == "W064" && found.message.ends_with(&format!(" {statedir}")))
}

fn finding(place: &Place<'_>, found: &Diagnostic) -> Finding {
    let text = format!("{}:{}: {}", place.file, place.line, diagnostic::shown(&found.message));
    let more = format!("mon explain {}", found.code);
    let advice = found.help.as_deref().map_or(more, diagnostic::shown);
    // A daemon starts without its programs, but nothing is watched or nobody told; without auth.cf it does not start.
    match found.code {
        _ if found.is_error() => Area::Configuration.fault(text, advice),
        "W027" | "W028" | "W031" => Area::Programs.fault(text, advice),
        "W029" => Area::Programs.warning(text, advice),
        "W047" => Area::Files.fault(text, advice),
        "W048" | "W064" => Area::Files.warning(text, advice),
        _ => Area::Configuration.warning(text, advice),
    }
}
