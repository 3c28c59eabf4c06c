//! How mail leaves: the options that all mailing alerts share.

use std::time::Duration;

use remon_core::getopt::{self, Options, Takes};
#[cfg(feature = "smtp")]
use remon_core::netdb;

use crate::dispatch::Way;
use crate::invocation::Invocation;
use crate::letter::Letter;
use crate::mime::{self, Envelope};
use crate::sendmail::Sendmail;

/// The options, besides the letters of the alert.
pub(crate) const OPTIONS: [(&str, Takes); 7] = [
    ("smtp", Takes::Value),
    ("smtp-auth", Takes::Value),
    ("tls", Takes::Nothing),
    ("plain", Takes::Nothing),
    ("ca", Takes::Value),
    ("sendmail", Takes::Value),
    ("timeout", Takes::Value),
];

/// How long a way may take.
const DEFAULT_LIMIT: Duration = Duration::from_secs(30);

/// Nobody waits longer for an alert.
const LONGEST_LIMIT: f64 = 3600.0;

/// What `--timeout` asks for.
pub(crate) fn limit(options: &Options) -> Duration {
    let seconds = options.value("timeout").and_then(getopt::leading_number).filter(|seconds| *seconds > 0.0);
    seconds.map_or(DEFAULT_LIMIT, |seconds| Duration::from_secs_f64(seconds.min(LONGEST_LIMIT)))
}

/// The way of the letter to `recipients`, if there are any.
pub(crate) fn way(
    options: &Options,
    invocation: &Invocation,
    letter: &Letter,
    recipients: &[String],
    mailer: &'static str,
) -> Option<Way> {
    if recipients.is_empty() {
        return None;
    }
    let way = match options.truthy("smtp") {
        Some(server) => by_server(options, invocation, letter, recipients, mailer, server),
        None => by_sendmail(options, invocation, letter, recipients, mailer),
    };
    Some(way.unwrap_or_else(|why| Way::Impossible(format!("mail: {why}"))))
}

fn by_sendmail(
    options: &Options,
    invocation: &Invocation,
    letter: &Letter,
    recipients: &[String],
    mailer: &'static str,
) -> Result<Way, String> {
    let mail_name = &invocation.machine.mail_name;
    let envelope = Envelope { recipients, from: None, mailer, now: invocation.now, mail_name };
    let mail = String::from_utf8(mime::compose(letter, &envelope)?).map_err(|error| error.to_string())?;
    Ok(Way::Sendmail(Sendmail {
        program: options.truthy("sendmail").map(str::to_owned),
        from: options.value("f").map(str::to_owned),
        mail: mail.replace("\r\n", "\n").into_bytes(),
        recipients: recipients.len(),
        #[cfg(feature = "smtp")]
        instead: instead(options, invocation, letter, recipients, mailer),
    }))
}

/// The same mail for the server of this machine, if it has a sender's address as a server wants it.
#[cfg(feature = "smtp")]
fn instead(
    options: &Options,
    invocation: &Invocation,
    letter: &Letter,
    recipients: &[String],
    mailer: &'static str,
) -> Option<Box<crate::smtp::Smtp>> {
    let server = crate::sendmail::LOCAL_SERVER.to_string();
    match by_server(options, invocation, letter, recipients, mailer, &server) {
        Ok(Way::Smtp(mail)) => Some(Box::new(mail)),
        _ => None,
    }
}

#[cfg(feature = "smtp")]
fn by_server(
    options: &Options,
    invocation: &Invocation,
    letter: &Letter,
    recipients: &[String],
    mailer: &'static str,
    server: &str,
) -> Result<Way, String> {
    use crate::smtp::{Security, Smtp};
    let mail_name = &invocation.machine.mail_name;
    let us = ["LOGNAME", "USER"].iter().find_map(|name| invocation.variable(name)).unwrap_or("mon");
    let from = mime::address(options.truthy("f").unwrap_or(us), mail_name)?;
    let from_header = from.to_string();
    let envelope = Envelope { recipients, from: Some(&from_header), mailer, now: invocation.now, mail_name };
    let (host, port) = netdb::split_port(server);
    let security = match (options.has("tls") || port == Some("465"), options.has("plain")) {
        (true, _) => Security::FromTheStart,
        (false, true) => Security::Plain,
        (false, false) => Security::StartTls,
    };
    let default_port = if security == Security::FromTheStart { 465 } else { 25 };
    let port =
        port.map_or(Ok(default_port), |port| port.parse().map_err(|_| format!("no port: {server}")))?;
    let addresses = recipients.iter().map(|word| (word.clone(), mime::address(word, mail_name))).collect();
    Ok(Way::Smtp(Smtp {
        host: host.to_owned(),
        port,
        security,
        ca: options.truthy("ca").map(str::to_owned),
        auth_file: options.truthy("smtp-auth").map(str::to_owned),
        hello: mail_name.clone(),
        from,
        recipients: addresses,
        mail: mime::compose(letter, &envelope)?,
    }))
}

#[cfg(not(feature = "smtp"))]
fn by_server(
    _: &Options,
    _: &Invocation,
    _: &Letter,
    _: &[String],
    _: &'static str,
    _: &str,
) -> Result<Way, String> {
    Err("--smtp is not part of this build".to_owned())
}
