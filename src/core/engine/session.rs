//! Clients: who they are, and the one gate that every command passes.

use std::net::IpAddr;

use super::Engine;
use super::answer::Answer;
use super::command::{Command, Password};
use super::effect::{Effect, Level};
use super::event::ClientId;
use crate::auth::Auth;
use crate::nouns::Now;
use crate::text;
use crate::timeval::is_blank;

/// What is shown of a line in the log: enough to know it again.
const MOST_SHOWN: usize = 300;

/// What is known of a connected client.
#[derive(Debug)]
pub struct Session {
    /// Where it comes from.
    pub peer: IpAddr,
    /// As whom it has logged in.
    pub user: Option<String>,
    /// The view it has selected.
    pub view: Option<String>,
}

impl Engine {
    pub(super) fn client_connected(
        &mut self,
        client: ClientId,
        peer: IpAddr,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        if self.settings.clientallow.allows(peer) {
            self.clients.insert(client, Session { peer, user: None, view: None });
            self.chatter.log(peer, Level::Info, format!("client connection from {peer}"), now, out);
        } else {
            self.chatter.log(peer, Level::Notice, format!("closing unwanted client: {peer}"), now, out);
            out.push(Effect::Close { client });
        }
    }

    pub(super) fn client_gone(&mut self, client: ClientId) {
        self.clients.remove(&client);
    }

    pub(super) fn session(&self, client: ClientId) -> Option<&Session> {
        self.clients.get(&client)
    }

    /// The gate: nothing a client says is looked at before it has passed here. Deny by default.
    pub(super) fn command(
        &mut self,
        client: ClientId,
        line: &str,
        command: Command,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let Some(session) = self.clients.get(&client) else { return };
        let peer = session.peer;
        let permitted = command.word().is_none_or(|word| self.auth.permits(session.user.as_deref(), word));
        let text = format!("client command \"{}\"", shown(line, &command));
        if permitted && command.changes_something() {
            out.push(Effect::said(session.user.as_deref(), line, &command));
            out.push(Effect::log(Level::Info, text));
        } else if !line.is_empty() {
            self.chatter.log(peer, Level::Info, text, now, out);
        }
        if permitted {
            self.obey(client, command, now, out);
        } else {
            let user = session.user.as_deref().unwrap_or_default();
            let word = command.word().unwrap_or_default();
            let text = format!("user '{user}' at {peer} tried '{word}', not authorized");
            self.chatter.log(peer, Level::Err, text, now, out);
            out.push(Effect::reply(client, Answer::Refused));
        }
    }

    pub(super) fn login(client: ClientId, user: String, password: Password, out: &mut Vec<Effect>) {
        out.push(Effect::Authenticate { client, user, password });
    }

    pub(super) fn authenticated(
        &mut self,
        client: ClientId,
        user: String,
        accepted: bool,
        now: &Now,
        out: &mut Vec<Effect>,
    ) {
        let Some(session) = self.clients.get_mut(&client) else { return };
        let name = text::cut(&user, MOST_SHOWN);
        let (level, text) = if accepted {
            (Level::Info, format!("authenticated {name}"))
        } else {
            (Level::Warning, format!("login as '{name}' from {} failed", session.peer))
        };
        self.chatter.log(session.peer, level, text, now, out);
        if accepted {
            session.user = Some(user);
        }
        out.push(Effect::reply(client, Answer::Login { accepted }));
    }

    pub(super) fn set_view(&mut self, client: ClientId, words: Vec<String>, out: &mut Vec<Effect>) {
        let mut words = words.into_iter();
        let (view, more) = (words.next(), words.next());
        let answer = match view {
            _ if more.is_some() => Answer::UnknownSetview,
            Some(view) if !self.views.contains_key(view.as_str()) => Answer::UnknownView(view),
            view => {
                if let Some(session) = self.clients.get_mut(&client) {
                    session.view.clone_from(&view);
                }
                Answer::ViewSelected(view)
            }
        };
        out.push(Effect::reply(client, answer));
    }

    pub(super) fn auth_read(&mut self, client: Option<ClientId>, auth: Option<Auth>, out: &mut Vec<Effect>) {
        let answer = match auth {
            Some(auth) => {
                self.auth = auth;
                out.push(Effect::AuthChanged);
                Answer::Reloaded { known: true }
            }
            None => Answer::ReloadFailed,
        };
        out.extend(client.map(|client| Effect::reply(client, answer)));
    }

    /// The rules in force, for those who check traps.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.auth
    }
}

/// A line as the log shows it. What is no command may be a login with a slip of the finger: its password stays out.
fn shown<'a>(line: &'a str, command: &Command) -> std::borrow::Cow<'a, str> {
    match command {
        Command::Invalid => match line.trim_start_matches(is_blank).split_once(is_blank) {
            Some((word, _)) => format!("{} ...", text::cut(word, MOST_SHOWN)).into(),
            None => text::cut(line, MOST_SHOWN),
        },
        _ => text::cut(line, MOST_SHOWN),
    }
}
