//! How messages leave over XMPP: the options that the two alerts with XMPP share.

use remon_core::getopt::{Options, Takes};

use crate::dispatch::Way;
use crate::invocation::Invocation;
use crate::letter;

/// The options.
pub(crate) const OPTIONS: [(&str, Takes); 2] = [("room", Takes::Value), ("xmpp-account", Takes::Value)];

/// A detail longer than this is cut: the strictest servers refuse stanzas beyond 64 KiB, and XML spells some
/// characters in five.
#[cfg(feature = "xmpp")]
pub(crate) const MOST_DETAIL: usize = 40 << 10;

/// The way of `headline` and `text` to the people of `-x` and the rooms, if there are any. `text` is made with room
/// for so many bytes of detail.
pub(crate) fn way(
    options: &Options,
    invocation: &Invocation,
    headline: &str,
    text: impl Fn(usize) -> String,
) -> Option<Way> {
    let (people, rooms) = (letter::list(options, "x"), letter::list(options, "room"));
    if people.is_empty() && rooms.is_empty() {
        return None;
    }
    Some(through(options, invocation, people, rooms, headline, text))
}

#[cfg(feature = "xmpp")]
fn through(
    options: &Options,
    invocation: &Invocation,
    people: Vec<String>,
    rooms: Vec<String>,
    headline: &str,
    text: impl Fn(usize) -> String,
) -> Way {
    let home = invocation.variable("HOME").unwrap_or_default();
    let account_file =
        options.truthy("xmpp-account").map_or_else(|| format!("{home}/.sendxmpprc"), str::to_owned);
    Way::Xmpp(crate::xmpp::Xmpp {
        account_file,
        ca: options.truthy("ca").map(str::to_owned),
        resource: invocation.machine.host.clone(),
        people,
        rooms,
        text: format!("{headline}\n{}", text(MOST_DETAIL)),
    })
}

#[cfg(not(feature = "xmpp"))]
fn through(
    _: &Options,
    _: &Invocation,
    _: Vec<String>,
    _: Vec<String>,
    _: &str,
    _: impl Fn(usize) -> String,
) -> Way {
    Way::Impossible("xmpp: not part of this build".to_owned())
}
