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
//! | W016 | no number, or no yes or no, where one belongs |
//! | W017 | words that are dropped |
//! | W018 | watch without services |
//! | W019 | `00s` and the like |
//! | W020 | keyword without a program or expression |
//! | W021 | last line continued but the file ends |
//! | W022 | hostgroup defined twice |
//! | W023 | monitor without interval |
//! | W024 | name of a hostgroup that ends early |
//! | W025, W026 | service without a period, period without an alert |
//! | W027 to W031 | programs: see [`super::surroundings`] |
//! | W032 | dependencies that lead back to their beginning |
//! | W033, W034 | period that never comes, periods that tell the same people twice |
//! | W035, W039 | `alertafter` that is never reached, that counts failures and not minutes |
//! | W036, W037 | `alertevery` without effect, upalert that is never sent |
//! | W038 | monitor that takes longer than its interval: see [`super::surroundings`] |
//! | W040, W041 | `exit=` ranges that never match, that overlap |
//! | W042 | characters that look like others |
//! | W043 | hosts that look like options |
//! | W044 to W050 | the other server, auth.cf, clients: see [`super::surroundings`] |
//! | W051, W052 | `exclude_hosts` and views that name what is not there |
//! | W053, W060 | arguments that a program of ours does not know: see [`super::surroundings`] |
//! | W054 | a name that is almost another one |
//! | W055 | times too long to be meant |
//! | W056 | hostgroup without hosts |
//! | W057 | said before |
//! | W058, W059 | lines joined, comments behind a line |
//! | W061 | what others depend on is looked at too seldom |
//! | W062 | address that is none |
//! | W063, W065 | name in a period that is read as another, scale given twice |
//! | W064 | directory that is not there: see [`super::surroundings`] |
//! | W066, W067 | times unlike the others in the file, times that do not go together |
//! | W068 | way to log in that there is not |
//! | W069 | port that is almost that of the service |
//! | W090 to W099 | what reaches nobody: see `delivery` |

mod addresses;
mod alerting;
mod chars;
mod cycle;
mod day_names;
mod delivery;
mod file;
mod layout;
mod line;
mod names;
mod neighbours;
mod networks;
mod overlap;
mod pace;
mod ports;
mod proportion;
mod service;
mod slips;
mod times;
mod units;
mod vocabulary;
mod walk;
mod words_astray;

pub(super) use addresses::{authtypes, global as global_address};
pub(super) use chars::disguises;
pub(super) use day_names::{read_as_another, scale_twice};
pub(super) use delivery::nobody_to_call;
pub(super) use file::{Notes, whole_file};
pub(super) use layout::{layout, stray_environment};
pub(super) use line::{
    bad_dependency, empty_dependency, hidden_zero, hostgroup_again, hostgroup_name_cut, no_program,
    not_a_number, odd_flag, period_sometimes_invalid, repeated_hosts, unfinished, watch_without_services,
    words_after_watch,
};
pub(super) use service::{ServiceView, service};
pub(super) use times::global as global_time;
pub(super) use walk::{At, walk};
pub(super) use words_astray::{global_again, hosts as odd_hosts, joined_global};

use super::sink::Complaint;

/// A warning of that code.
pub(super) fn warning(code: &'static str, message: String, label: &str) -> Complaint {
    Complaint { code, legacy: None, message, label: label.to_owned(), help: None }
}
