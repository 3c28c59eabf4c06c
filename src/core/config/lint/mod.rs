//! What the original starts with although its author can hardly have meant it: warnings.
//!
//! One small function for each check. [`layout`] sees every line as it is read, the checks in [`service`] see
//! each service when it is complete, those in [`whole_file`] everything at the end. A new check is a function
//! and a line in the list of its file; codes are listed here so that none is given twice.
//!
//! | code | what |
//! |---|---|
//! | W001 | lines ignored because a blank line ended their watch |
//! | W002 | lines ignored because no record holds them |
//! | W003 | a record swallows the next one for lack of a blank line |
//! | W004, W005 | watch without hostgroup, hostgroup without watch |
//! | W006 | period that is invalid only sometimes |
//! | W007, W008 | dependency that is no expression, that names an unknown service |
//! | W009 | unbalanced quotes |
//! | W010 | malformed `exit=` prefix |
//! | W011, W012 | service that nothing feeds, interval without monitor |
//! | W013 | `;;` glued to a word |
//! | W014 | host named twice in a group |
//! | W015 | `alertevery` shorter than the interval |
//! | W016 | no number where one belongs |
//! | W017 | words that are dropped |
//! | W018 | watch without services |
//! | W019 | `00s` and the like |
//! | W020 | keyword without a program or expression |
//! | W021 | last line continued but the file ends |
//! | W022 | hostgroup defined twice |
//! | W023 | monitor without interval |
//! | W024 | name of a hostgroup that ends early |
//! | W090 to W099 | what reaches nobody: see `delivery` |

mod delivery;
mod file;
mod layout;
mod line;
mod service;

pub use delivery::nobody_to_call;
pub(super) use file::{Notes, whole_file};
pub(super) use layout::{layout, stray_environment};
pub(super) use line::{
    bad_dependency, empty_dependency, hidden_zero, hostgroup_again, hostgroup_name_cut, no_program,
    not_a_number, period_sometimes_invalid, repeated_hosts, unfinished, watch_without_hostgroup,
    watch_without_services, words_after_watch,
};
pub(super) use service::{ServiceView, service};

use super::sink::Complaint;

/// A warning of that code.
fn warning(code: &'static str, message: String, label: &str) -> Complaint {
    Complaint { code, legacy: None, message, label: label.to_owned(), help: None }
}
