//! Messages over XMPP: connect, encrypt, log in; what is said then is `exchange`'s affair.

use std::borrow::Cow;
use std::time::Duration;

use futures::{SinkExt, StreamExt as _};
use sasl::common::{ChannelBinding, Credentials};
use tokio::io::{AsyncBufRead, AsyncWrite, BufStream};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_xmpp::error::{AuthError, Error};
use tokio_xmpp::parsers::bind::BindQuery;
use tokio_xmpp::parsers::iq::Iq;
use tokio_xmpp::parsers::ns;
use tokio_xmpp::parsers::stanza::Stanza;
use tokio_xmpp::parsers::starttls::{Nonza, Request};
use tokio_xmpp::parsers::stream_features::StreamFeatures;
use tokio_xmpp::xmlstream::{
    FallibleStreamElement, ReadError, StreamHeader, Timeouts, XmppStream, XmppStreamElement, initiate_stream,
};

use crate::account::{self, Account};
use crate::dispatch::{Outcome, no_answer};
use crate::exchange::{self, Exchange};
use crate::{srv, tls};

/// The port on which a server speaks TLS from the start.
const TLS_PORT: u16 = 5223;

/// How long the goodbye may take; the messages are delivered by then.
const FAREWELL: Duration = Duration::from_millis(100);

/// A message to people and rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xmpp {
    /// The file with our account.
    pub account_file: String,
    /// The file or directory with the only CA to trust.
    pub ca: Option<String>,
    /// What our connection is called, and we in a room: the name of this machine.
    pub resource: String,
    /// Their addresses.
    pub people: Vec<String>,
    /// The addresses of group chats.
    pub rooms: Vec<String>,
    /// What is said.
    pub text: String,
}

type Plain = BufStream<TcpStream>;
type Encrypted = BufStream<TlsStream<TcpStream>>;

impl Xmpp {
    /// Sends.
    pub(crate) fn send(&self, limit: Duration) -> Outcome {
        let mut exchange = Exchange::new(&self.text, &self.resource, &self.people, &self.rooms);
        let why = match account::read_account(&self.account_file) {
            Ok(account) => match tls::run(limit, self.converse(&account, &mut exchange)) {
                Some(Ok(())) => String::new(),
                Some(Err(why)) => format!("{}: {why}", account.domain),
                None => format!("{}: {}", account.domain, no_answer(limit)),
            },
            Err(why) => why,
        };
        exchange.outcome(&why)
    }

    /// Connects, encrypts and logs in as for a message, and hangs up before there is a session: nobody sees us.
    pub(crate) fn greet(&self, limit: Duration) -> Result<String, String> {
        let account = account::read_account(&self.account_file)?;
        let greeted = tls::run(limit, async {
            let mut stream = self.log_in(&account).await?;
            let close = SinkExt::<&XmppStreamElement>::close(&mut stream);
            let _ = tokio::time::timeout(FAREWELL, close).await;
            Ok(format!("{}@{}", account.user, account.domain))
        });
        let greeted = greeted.unwrap_or_else(|| Err(no_answer(limit)));
        greeted.map_err(|why: String| format!("{}@{}: {why}", account.user, account.domain))
    }

    async fn converse(&self, account: &Account, exchange: &mut Exchange) -> Result<(), String> {
        if exchange.is_over() {
            return Ok(());
        }
        let stream = self.log_in(account).await?;
        if self.talk(stream, &self.resource, exchange).await.is_ok() {
            return Ok(());
        }
        // Another alert that logs in at the same time by the same name ends our session. So once more, by a name that
        // nobody else has.
        exchange.interrupt();
        let stream = self.log_in(account).await?;
        self.talk(stream, &format!("{}/{}", self.resource, std::process::id()), exchange).await
    }

    async fn talk(
        &self,
        mut stream: XmppStream<Encrypted>,
        resource: &str,
        exchange: &mut Exchange,
    ) -> Result<(), String> {
        bind(&mut stream, resource).await?;
        let mut answers = exchange.begin();
        loop {
            for stanza in answers {
                let element = XmppStreamElement::Stanza(stanza);
                stream.feed(&element).await.map_err(|error| error.to_string())?;
            }
            SinkExt::<&XmppStreamElement>::flush(&mut stream).await.map_err(|error| error.to_string())?;
            if exchange.is_over() {
                let close = SinkExt::<&XmppStreamElement>::close(&mut stream);
                let _ = tokio::time::timeout(FAREWELL, close).await;
                return Ok(());
            }
            answers = exchange.hear(next(&mut stream).await?);
        }
    }

    async fn log_in(&self, account: &Account) -> Result<XmppStream<Encrypted>, String> {
        let domain = account.domain.as_str();
        let (tcp, port) = connect(account).await?;
        let encrypted = if port == TLS_PORT { tcp } else { start_tls(tcp, domain).await? };
        let encrypted = tls::encrypt(encrypted, domain, self.ca.as_deref()).await?;
        let (features, stream) = open(BufStream::new(encrypted), domain).await?;
        let mut mechanisms = features.sasl_mechanisms;
        // Whoever has a password does not want to be a stranger.
        mechanisms.remove("ANONYMOUS");
        let credentials = Credentials::default()
            .with_username(account.user.as_str())
            .with_password(account.password.as_str())
            .with_channel_binding(ChannelBinding::None);
        let stream =
            tokio_xmpp::client_login(stream, mechanisms, credentials).await.map_err(login_failure)?;
        let stream = stream.send_header(header(domain)).await.map_err(|error| error.to_string())?;
        Ok(stream.recv_features().await.map_err(|error| error.to_string())?.1)
    }
}

/// Gives our session its name.
async fn bind(stream: &mut XmppStream<Encrypted>, resource: &str) -> Result<(), String> {
    let request = Iq::from_set("bind", BindQuery::new(Some(resource.to_owned())));
    let request = XmppStreamElement::Stanza(request.into());
    stream.send(&request).await.map_err(|error| error.to_string())?;
    loop {
        match next(stream).await? {
            Stanza::Iq(Iq::Result { id, .. }) if id == "bind" => return Ok(()),
            Stanza::Iq(Iq::Error { id, error, .. }) if id == "bind" => {
                return Err(format!("no session: {}", exchange::condition(&error.defined_condition)));
            }
            _ => {}
        }
    }
}

/// A connection to the server of the account, and the port of it.
async fn connect(account: &Account) -> Result<(TcpStream, u16), String> {
    let targets = match &account.host {
        Some(host) => vec![(host.clone(), account.port.unwrap_or(5222))],
        None => match account.port {
            Some(port) => vec![(account.domain.clone(), port)],
            None => srv::targets(&account.domain).await,
        },
    };
    let mut first_failure = None;
    for (host, port) in targets {
        match tls::connect(&host, port).await {
            Ok(stream) => return Ok((stream, port)),
            Err(why) => first_failure = first_failure.or(Some(format!("{host}:{port}: {why}"))),
        }
    }
    Err(first_failure.unwrap_or_else(|| "it has no server".to_owned()))
}

fn header(domain: &str) -> StreamHeader<'_> {
    StreamHeader { to: Some(Cow::Borrowed(domain)), from: None, id: None }
}

/// Begins a stream. The overall time-out is above us, so silence is not counted here.
async fn open<Io: AsyncBufRead + AsyncWrite + Unpin>(
    io: Io,
    domain: &str,
) -> Result<(StreamFeatures, XmppStream<Io>), String> {
    let stream = initiate_stream(io, ns::JABBER_CLIENT, header(domain), Timeouts::default()).await;
    let stream = stream.map_err(|error| error.to_string())?;
    stream.recv_features().await.map_err(|error| error.to_string())
}

/// Asks for encryption; without it no password is sent.
async fn start_tls(tcp: TcpStream, domain: &str) -> Result<TcpStream, String> {
    let (features, mut stream): (_, XmppStream<Plain>) = open(BufStream::new(tcp), domain).await?;
    if !features.can_starttls() {
        return Err("the server offers no encryption".to_owned());
    }
    let request = XmppStreamElement::Starttls(Nonza::Request(Request));
    stream.send(&request).await.map_err(|error| error.to_string())?;
    match element(&mut stream).await? {
        XmppStreamElement::Starttls(Nonza::Proceed(_)) => Ok(stream.into_inner().into_inner()),
        _ => Err("the server refuses to encrypt".to_owned()),
    }
}

/// The next stanza.
async fn next<Io: AsyncBufRead + AsyncWrite + Unpin>(stream: &mut XmppStream<Io>) -> Result<Stanza, String> {
    loop {
        if let XmppStreamElement::Stanza(stanza) = element(stream).await? {
            return Ok(stanza);
        }
    }
}

/// The next thing that we understand; what we do not is none of ours.
async fn element<Io: AsyncBufRead + AsyncWrite + Unpin>(
    stream: &mut XmppStream<Io>,
) -> Result<XmppStreamElement, String> {
    loop {
        match stream.next().await {
            Some(Ok(FallibleStreamElement::Ok(XmppStreamElement::StreamError(error)))) => {
                return Err(error.to_string());
            }
            Some(Ok(FallibleStreamElement::Ok(element))) => return Ok(element),
            Some(
                Ok(FallibleStreamElement::Err(_)) | Err(ReadError::ParseError(_) | ReadError::SoftTimeout),
            ) => {}
            Some(Err(ReadError::HardError(error))) => return Err(remon_core::reason::of(&error)),
            Some(Err(ReadError::StreamFooterReceived)) | None => {
                return Err("the server closed the connection".to_owned());
            }
        }
    }
}

fn login_failure(error: Error) -> String {
    match error {
        Error::Auth(AuthError::Fail(condition)) => {
            format!("the server refused the login: {}", exchange::condition(&condition))
        }
        Error::Auth(AuthError::NoMechanism) => "the server knows no way to log in that we know".to_owned(),
        other => format!("login: {other}"),
    }
}
