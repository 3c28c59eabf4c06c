//! Mail to an SMTP server, by lettre's connection. Each recipient is asked for on its own, so that one who is unknown
//! does not keep the mail from the others.

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use crate::dispatch::{Outcome, no_answer};
use crate::{account, tls};

/// How long the goodbye may take.
const FAREWELL: Duration = Duration::from_millis(200);

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS before the first word.
    FromTheStart,
    /// STARTTLS, if the server has it. To this machine itself only when a CA is named or a password sent.
    StartTls,
    /// None.
    Plain,
}

/// Mail for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Name or address of the server; the name in its certificate.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Encryption.
    pub security: Security,
    /// The file with the only CA to trust.
    pub ca: Option<String>,
    /// The file with name and password.
    pub auth_file: Option<String>,
    /// What we call ourselves.
    pub hello: String,
    /// Envelope sender.
    pub from: Address,
    /// As they stand in mon.cf, with their address or the reason why they have none.
    pub recipients: Vec<(String, Result<Address, String>)>,
    /// The mail, with CRLF line ends.
    pub mail: Vec<u8>,
}

impl Smtp {
    /// Sends.
    pub(crate) fn send(&self, limit: Duration) -> Outcome {
        let mut verdicts = Verdicts::of(self);
        let sent = tls::run(limit, self.converse(&mut verdicts));
        let why = match sent {
            Some(Ok(())) => return verdicts.outcome(None),
            Some(Err(why)) => why,
            None => no_answer(limit),
        };
        verdicts.outcome(Some(&format!("{}:{}: {why}", self.host, self.port)))
    }

    /// Connects, encrypts and logs in as for a mail, and says goodbye.
    pub(crate) fn greet(&self, limit: Duration) -> Result<String, String> {
        let greeted = tls::run(limit, async {
            let mut server = self.connect().await?;
            let how = if server.is_encrypted() { "encrypted" } else { "not encrypted" };
            let _ = tokio::time::timeout(FAREWELL, server.command(Quit)).await;
            Ok(how.to_owned())
        });
        greeted.unwrap_or_else(|| Err(no_answer(limit)))
    }

    async fn converse(&self, verdicts: &mut Verdicts) -> Result<(), String> {
        let mut server = self.connect().await?;
        server.command(Mail::new(Some(self.from.clone()), Vec::new())).await.map_err(words)?;
        for index in 0..self.recipients.len() {
            let Ok(address) = &self.recipients[index].1 else { continue };
            match server.command(Rcpt::new(address.clone(), Vec::new())).await {
                Ok(_) => {}
                Err(refusal) if refusal.status().is_some() => verdicts.refuse(index, words(refusal)),
                Err(broken) => return Err(words(broken)),
            }
        }
        if verdicts.all_refused() {
            server.abort().await;
            return Ok(());
        }
        server.command(Data).await.map_err(words)?;
        server.message(&self.mail).await.map_err(words)?;
        verdicts.sent = true;
        // It has taken the mail; how it says goodbye does not matter, and is not waited for long.
        let _ = tokio::time::timeout(FAREWELL, server.command(Quit)).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let login = self.auth_file.as_deref().map(account::read_login).transpose()?;
        let hello = ClientId::Domain(self.hello.clone());
        let at_once = if self.security == Security::FromTheStart { Some(self.tls()?) } else { None };
        let server = (self.host.as_str(), self.port);
        let server =
            AsyncSmtpConnection::connect_tokio1(server, Some(tls::PER_ADDRESS), &hello, at_once, None).await;
        let mut server = server.map_err(words)?;
        let insists = self.ca.is_some() || login.is_some();
        let worth_it = insists || !is_this_machine(&self.host);
        if self.security == Security::StartTls && worth_it {
            if server.can_starttls() {
                server.starttls(self.tls()?, &hello).await.map_err(words)?;
            } else if insists {
                return Err("the server offers no encryption".to_owned());
            }
        }
        if let Some((user, password)) = login {
            if !server.is_encrypted() {
                return Err("no password is sent without encryption".to_owned());
            }
            let credentials = Credentials::new(user, password);
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            server
                .auth(&mechanisms, &credentials)
                .await
                .map_err(|error| format!("login: {}", words(error)))?;
        }
        Ok(server)
    }

    fn tls(&self) -> Result<TlsParameters, String> {
        let mut builder = TlsParameters::builder(self.host.clone()).certificate_store(CertificateStore::None);
        for root in tls::roots(self.ca.as_deref())? {
            let certificate = Certificate::from_der(root.to_vec()).map_err(|error| error.to_string())?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build_rustls().map_err(|error| error.to_string())
    }
}

/// What the server said, or what went wrong with the connection, without the layers above it.
fn words(error: Error) -> String {
    if error.status().is_some() {
        return error.to_string();
    }
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    text.split(" (os error ").next().unwrap_or(&text).to_owned()
}

/// Mail systems of Debian offer STARTTLS with a certificate that nobody signed; on the way to ourselves there is
/// nobody to hide from.
fn is_this_machine(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// What became of each recipient.
struct Verdicts {
    /// As it stands in mon.cf, with the reason of a refusal.
    recipients: Vec<(String, Option<String>)>,
    /// The server has taken the mail for all who are not refused.
    sent: bool,
}

impl Verdicts {
    fn of(smtp: &Smtp) -> Verdicts {
        let recipient = |(word, address): &(String, Result<Address, String>)| {
            (word.clone(), address.as_ref().err().map(|_| "no address".to_owned()))
        };
        Verdicts { recipients: smtp.recipients.iter().map(recipient).collect(), sent: false }
    }

    fn refuse(&mut self, index: usize, why: String) {
        self.recipients[index].1 = Some(why);
    }

    fn all_refused(&self) -> bool {
        self.recipients.iter().all(|(_, refusal)| refusal.is_some())
    }

    /// `why` is what kept the mail from those who were not refused.
    fn outcome(self, why: Option<&str>) -> Outcome {
        let mut outcome = Outcome::default();
        for (word, refusal) in self.recipients {
            match refusal.as_deref().or(if self.sent { None } else { why }) {
                None => outcome.accepted += 1,
                Some(why) => outcome.failures.push(format!("mail to {word}: {why}")),
            }
        }
        outcome
    }
}
