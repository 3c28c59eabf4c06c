//! What is said on an XMPP stream once we are logged in: messages out, their fate back. Touches nothing.
//!
//! A server takes a message without a word, and an unknown recipient comes back as an error some time later. So every
//! domain is sent a ping behind its messages: streams keep their order, and when the answer to the ping is here, so
//! is every error about what went before it. A group chat is entered, and sends our own message back to us.

use tokio_xmpp::jid::{BareJid, Jid};
use tokio_xmpp::minidom::Element;
use tokio_xmpp::parsers::iq::Iq;
use tokio_xmpp::parsers::message::{Id, Lang, Message, MessageType};
use tokio_xmpp::parsers::muc::Muc;
use tokio_xmpp::parsers::muc::muc::History;
use tokio_xmpp::parsers::ping::Ping;
use tokio_xmpp::parsers::presence::{Presence, Type as PresenceType};
use tokio_xmpp::parsers::stanza::Stanza;
use tokio_xmpp::parsers::stanza_error::{DefinedCondition, StanzaError};

use crate::dispatch::Outcome;

/// How often another nickname is tried when ours is taken.
const MOST_NICKNAMES: usize = 3;

/// Says the same to several people and rooms.
pub(crate) struct Exchange {
    text: String,
    nickname: String,
    jobs: Vec<Job>,
}

struct Job {
    /// As it stands in mon.cf.
    word: String,
    /// Of our message, and of the ping behind it.
    id: String,
    state: State,
}

enum State {
    /// Waits for the domain's answer to our ping.
    Sent(Jid),
    /// Waits for the room to let us in, for the so manieth time.
    Entering(BareJid, usize),
    /// Waits for the room to send our message back.
    Said(BareJid),
    Accepted,
    Failed(String),
}

impl Exchange {
    /// `people` and `rooms` are the words of mon.cf.
    pub(crate) fn new(text: &str, nickname: &str, people: &[String], rooms: &[String]) -> Exchange {
        let person = |word: &String| match Jid::new(word) {
            Ok(jid) => State::Sent(jid),
            Err(error) => State::Failed(format!("no address: {error}")),
        };
        let room = |word: &String| match BareJid::new(word) {
            Ok(jid) => State::Entering(jid, 1),
            Err(error) => State::Failed(format!("no room: {error}")),
        };
        let states = people.iter().map(|word| (word, person(word)));
        let states = states.chain(rooms.iter().map(|word| (word, room(word))));
        let job = |(number, (word, state)): (usize, (&String, State))| Job {
            word: word.clone(),
            id: format!("mon-{number}"),
            state,
        };
        Exchange {
            text: clean(text),
            nickname: nickname.to_owned(),
            jobs: states.enumerate().map(job).collect(),
        }
    }

    /// What to send first.
    pub(crate) fn begin(&self) -> Vec<Stanza> {
        self.jobs.iter().flat_map(|job| self.opening(job)).collect()
    }

    fn opening(&self, job: &Job) -> Vec<Stanza> {
        match &job.state {
            State::Sent(jid) => {
                let message = self.message(Message::chat(jid.clone()), &job.id);
                let domain = BareJid::from_parts(None, jid.domain());
                let ping = Iq::from_get(format!("{}-ping", job.id), Ping).with_to(domain.into());
                vec![message, ping.into()]
            }
            State::Entering(room, attempt) => vec![self.enter(room, *attempt)],
            State::Said(_) | State::Accepted | State::Failed(_) => Vec::new(),
        }
    }

    fn message(&self, mut message: Message, id: &str) -> Stanza {
        message.id = Some(Id(id.to_owned()));
        message.with_body(Lang::default(), self.text.clone()).into()
    }

    fn enter(&self, room: &BareJid, attempt: usize) -> Stanza {
        let place = match room.with_resource_str(&self.nickname_for(attempt)) {
            Ok(place) => Jid::from(place),
            Err(_) => Jid::from(room.clone()),
        };
        let quietly = Muc::new().with_history(History::new().with_maxstanzas(0));
        Presence::available().with_to(place).with_payload(quietly).into()
    }

    fn nickname_for(&self, attempt: usize) -> String {
        if attempt == 1 { self.nickname.clone() } else { format!("{}-{attempt}", self.nickname) }
    }

    /// The stream was cut: what is not known to have arrived is said again, from the beginning.
    pub(crate) fn interrupt(&mut self) {
        for job in &mut self.jobs {
            if let State::Entering(room, _) | State::Said(room) = &job.state {
                job.state = State::Entering(room.clone(), 1);
            }
        }
    }

    /// Is the fate of every message known?
    pub(crate) fn is_over(&self) -> bool {
        self.jobs.iter().all(|job| matches!(job.state, State::Accepted | State::Failed(_)))
    }

    /// Takes what the server says, and says what to answer.
    pub(crate) fn hear(&mut self, stanza: Stanza) -> Vec<Stanza> {
        match stanza {
            Stanza::Message(message) => self.hear_message(&message),
            Stanza::Presence(presence) => return self.hear_presence(&presence),
            Stanza::Iq(iq) => self.hear_iq(iq),
        }
        Vec::new()
    }

    fn hear_message(&mut self, message: &Message) {
        let id = message.id.as_ref().map(|id| id.0.as_str());
        let from = message.from.as_ref();
        for job in &mut self.jobs {
            let ours = id == Some(job.id.as_str());
            job.state = match (&job.state, &message.type_) {
                (State::Sent(_) | State::Said(_), MessageType::Error) if ours => {
                    State::Failed(error_of(&message.payloads))
                }
                // Some services give messages ids of their own; in the room there is nobody else by our name.
                (State::Said(room), MessageType::Groupchat)
                    if from.is_some_and(|from| from.to_bare() == *room)
                        && (ours || message.bodies.values().any(|body| *body == self.text)) =>
                {
                    State::Accepted
                }
                _ => continue,
            };
        }
    }

    fn hear_presence(&mut self, presence: &Presence) -> Vec<Stanza> {
        let Some(from) = &presence.from else { return Vec::new() };
        let Some(index) = self.jobs.iter().position(|job| {
            matches!(&job.state, State::Entering(room, _) | State::Said(room) if *room == from.to_bare())
        }) else {
            return Vec::new();
        };
        let State::Entering(room, attempt) = &self.jobs[index].state else { return Vec::new() };
        let (room, attempt) = (room.clone(), *attempt);
        let nickname = self.nickname_for(attempt);
        let ours = from.resource().is_some_and(|resource| resource.as_str() == nickname)
            || has_code(&presence.payloads, "110");
        match presence.type_ {
            PresenceType::Error if is_conflict(&presence.payloads) && attempt < MOST_NICKNAMES => {
                self.jobs[index].state = State::Entering(room.clone(), attempt + 1);
                vec![self.enter(&room, attempt + 1)]
            }
            PresenceType::Error => {
                self.jobs[index].state = State::Failed(error_of(&presence.payloads));
                Vec::new()
            }
            // We have just made it, and nobody is in it: an alert into it would be read by nobody.
            PresenceType::None if ours && has_code(&presence.payloads, "201") => {
                self.jobs[index].state = State::Failed("there is no such room".to_owned());
                vec![Presence::unavailable().with_to(from.clone()).into()]
            }
            PresenceType::None if ours => {
                self.jobs[index].state = State::Said(room.clone());
                vec![self.message(Message::groupchat(Jid::from(room)), &self.jobs[index].id)]
            }
            _ => Vec::new(),
        }
    }

    fn hear_iq(&mut self, iq: Iq) {
        let (id, from, lost) = match iq {
            Iq::Result { id, from, .. } => (id, from, None),
            // Whatever else the error says, somebody there has said it.
            Iq::Error { id, from, error, .. } => (id, from, unreachable(&error)),
            Iq::Get { .. } | Iq::Set { .. } => return,
        };
        for job in &mut self.jobs {
            let State::Sent(target) = &job.state else { continue };
            // Only the domain itself may answer for it.
            let is_theirs =
                from.as_ref().is_some_and(|from| from.node().is_none() && from.domain() == target.domain());
            if is_theirs && id.strip_suffix("-ping") == Some(&job.id) {
                job.state = lost.clone().map_or(State::Accepted, State::Failed);
            }
        }
    }

    /// The result; `why` is what kept the rest from coming.
    pub(crate) fn outcome(self, why: &str) -> Outcome {
        let mut outcome = Outcome::default();
        for Job { word, state, .. } in self.jobs {
            match state {
                State::Accepted => outcome.accepted += 1,
                State::Failed(why) => outcome.failures.push(format!("xmpp to {word}: {why}")),
                State::Sent(_) | State::Entering(..) | State::Said(_) => {
                    outcome.failures.push(format!("xmpp to {word}: {why}"));
                }
            }
        }
        outcome
    }
}

/// The text as XML can hold it: other control characters show as their pictures.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let picture = |c: char| match u32::from(c) {
        0x09 | 0x0a => c,
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(' '),
        0x7f => '\u{2421}',
        0xfffe | 0xffff => char::REPLACEMENT_CHARACTER,
        _ => c,
    };
    text.chars().map(picture).collect()
}

/// `service-unavailable: why`, of the error among the payloads of a stanza.
fn error_of(payloads: &[Element]) -> String {
    let error = payloads.iter().find_map(|payload| StanzaError::try_from(payload.clone()).ok());
    error.as_ref().map_or_else(|| "refused".to_owned(), describe)
}

fn describe(error: &StanzaError) -> String {
    let condition = condition(&error.defined_condition);
    match error.texts.values().next().filter(|text| !text.is_empty()) {
        Some(text) => format!("{condition}: {text}"),
        None => condition,
    }
}

/// The spelling of the protocol: `service-unavailable`.
pub(crate) fn condition(condition: &impl std::fmt::Debug) -> String {
    let debug = format!("{condition:?}");
    let name = debug.chars().take_while(char::is_ascii_alphanumeric);
    let mut out = String::new();
    for c in name {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn unreachable(error: &StanzaError) -> Option<String> {
    match error.defined_condition {
        DefinedCondition::RemoteServerNotFound | DefinedCondition::RemoteServerTimeout => {
            Some(describe(error))
        }
        _ => None,
    }
}

fn is_conflict(payloads: &[Element]) -> bool {
    error_of(payloads).starts_with("conflict")
}

/// Does the room's word about a presence hold this status?
fn has_code(payloads: &[Element], code: &str) -> bool {
    payloads
        .iter()
        .flat_map(Element::children)
        .any(|child| child.name() == "status" && child.attr("code") == Some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(people: &[&str], rooms: &[&str]) -> Exchange {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        Exchange::new("a\x1b[1m <b>&\r\nü\u{ffff}", "servera", &words(people), &words(rooms))
    }

    fn stanza(xml: &str) -> Stanza {
        let xml = xml.replacen(' ', " xmlns='jabber:client' ", 1);
        let element: Element = xml.parse().unwrap_or_else(|error| panic!("{xml}: {error}"));
        match element.name() {
            "message" => Message::try_from(element).expect("a message").into(),
            "presence" => Presence::try_from(element).expect("a presence").into(),
            _ => Iq::try_from(element).expect("an iq").into(),
        }
    }

    fn said(stanzas: Vec<Stanza>) -> String {
        let words = stanzas.into_iter().map(|stanza| match stanza {
            Stanza::Message(message) => format!("message {}", message.to.expect("it has a target")),
            Stanza::Presence(presence) => {
                format!("{:?} {}", presence.type_, presence.to.expect("it has a target"))
            }
            Stanza::Iq(iq) => format!("ping {}", iq.to().expect("it has a target")),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    const ERROR: &str = "<error type='cancel'><service-unavailable \
                         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

    #[test]
    fn text_that_xml_can_hold() {
        assert_eq!(exchange(&[], &[]).text, "a\u{241b}[1m <b>&\nü\u{fffd}");
    }

    #[test]
    fn what_was_cut_off_is_said_again_and_only_that() {
        let mut exchange = exchange(&["a@x.example", "b@x.example"], &["ops@rooms.example"]);
        exchange.begin();
        exchange.hear(stanza("<iq type='result' id='mon-0-ping' from='x.example'/>"));
        exchange.hear(stanza(
            "<presence from='ops@rooms.example/servera'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <status code='110'/></x></presence>",
        ));
        exchange.interrupt();
        let expect = "message b@x.example, ping x.example, None ops@rooms.example/servera";
        assert_eq!(said(exchange.begin()), expect);
    }

    #[test]
    fn people() {
        let mut exchange =
            exchange(&["a@x.example", "b@x.example", "c@y.example/phone", "not an@@address"], &[]);
        let expect = "message a@x.example, ping x.example, message b@x.example, ping x.example, \
                      message c@y.example/phone, ping y.example";
        assert_eq!(said(exchange.begin()), expect);
        exchange.hear(stanza("<iq type='result' id='mon-0-ping' from='x.example'/>"));
        exchange
            .hear(stanza(&format!("<message type='error' id='mon-1' from='b@x.example'>{ERROR}</message>")));
        assert!(!exchange.is_over());
        // An answer behind the error changes nothing.
        exchange.hear(stanza("<iq type='result' id='mon-1-ping' from='x.example'/>"));
        let lost = ERROR.replace("service-unavailable", "remote-server-not-found");
        exchange.hear(stanza(&format!("<iq type='error' id='mon-2-ping' from='y.example'>{lost}</iq>")));
        assert!(exchange.is_over());
        let outcome = exchange.outcome("");
        assert_eq!(outcome.accepted, 1);
        assert_eq!(outcome.failures.len(), 3);
        assert_eq!(outcome.failures[0], "xmpp to b@x.example: service-unavailable");
        assert_eq!(outcome.failures[1], "xmpp to c@y.example/phone: remote-server-not-found");
        assert!(outcome.failures[2].starts_with("xmpp to not an@@address: no address: "), "{outcome:?}");
    }

    #[test]
    fn a_server_without_ping_still_answers() {
        let mut exchange = exchange(&["a@x.example"], &[]);
        exchange.hear(stanza(&format!("<iq type='error' id='mon-0-ping' from='x.example'>{ERROR}</iq>")));
        assert_eq!(exchange.outcome("").accepted, 1);
    }

    #[test]
    fn rooms() {
        let mut exchange = exchange(&[], &["ops@rooms.example"]);
        assert_eq!(said(exchange.begin()), "None ops@rooms.example/servera");
        assert_eq!(said(exchange.hear(stanza("<presence from='ops@rooms.example/carol'/>"))), "");
        let conflict = ERROR.replace("service-unavailable", "conflict");
        let taken = format!("<presence type='error' from='ops@rooms.example/servera'>{conflict}</presence>");
        assert_eq!(said(exchange.hear(stanza(&taken))), "None ops@rooms.example/servera-2");
        let entered = exchange.hear(stanza("<presence from='ops@rooms.example/servera-2'/>"));
        assert_eq!(said(entered), "message ops@rooms.example");
        exchange.hear(stanza(
            "<message type='groupchat' from='ops@rooms.example/carol'><body>hi</body></message>",
        ));
        assert!(!exchange.is_over());
        exchange.hear(stanza("<message type='groupchat' id='mon-0' from='ops@rooms.example/servera-2'/>"));
        assert!(exchange.is_over());
        assert_eq!(exchange.outcome("").accepted, 1);
    }

    #[test]
    fn rooms_that_will_not_do() {
        for (answer, why) in [
            (
                format!("<presence type='error' from='r@x.example/servera'>{ERROR}</presence>"),
                "service-unavailable",
            ),
            (
                "<presence from='r@x.example/servera'><x xmlns='http://jabber.org/protocol/muc#user'>\
                 <status code='201'/></x></presence>"
                    .to_owned(),
                "there is no such room",
            ),
        ] {
            let mut exchange = exchange(&[], &["r@x.example"]);
            exchange.hear(stanza(&answer));
            assert_eq!(exchange.outcome("").failures, [format!("xmpp to r@x.example: {why}")]);
        }
        let silent = exchange(&["a@x.example"], &["r@x.example"]).outcome("no answer");
        assert_eq!(silent.failures, ["xmpp to a@x.example: no answer", "xmpp to r@x.example: no answer"]);
    }
}
