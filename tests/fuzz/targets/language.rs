//! The small languages: periods, dependencies, quoted values.

use remon_core::depend::{Expr, names_in};
use remon_core::nouns::Civil;
use remon_core::period::{Answer, Period};
use remon_core::text::encode;
use remon_core::wire::quote;
use remon_core::{timeval, words};

use super::text_of;

/// A period says yes, no or invalid about any time, and knows when that changes.
pub(super) fn period(bytes: &[u8]) {
    let text = text_of(bytes);
    let period = Period::parse(&text);
    assert_eq!(period.text(), text);
    for wall in [0, 1_795_348_799, 951_782_400, -1, 4_107_542_399] {
        let at = Civil::utc(wall);
        let inside = period.contains(&at);
        assert_eq!(period.evaluate(&at) == Answer::Yes, inside);
        if let Some(change) = period.next_change(wall, Civil::utc, 100_000) {
            assert!(change > wall && period.contains(&Civil::utc(change)) != inside, "{wall}: {change}");
            assert_eq!(period.contains(&Civil::utc(change - 1)), inside, "it changed before {change}");
        }
    }
    let _ = period.verdict();
    let _ = timeval::parse(&text);
}

/// A dependency is an expression or an error that points into the text.
pub(super) fn depend(bytes: &[u8]) {
    let text = text_of(bytes);
    names_in(&text).for_each(|(group, service)| assert!(!group.is_empty() && !service.is_empty()));
    let Ok(expr) = Expr::parse(&text) else { return };
    for good in [true, false] {
        let mut all = |_: &str, _: &str| Ok::<bool, ()>(good);
        let value = expr.evaluate(&mut all);
        let culprits = expr.culprits(&mut all).expect("every service is known");
        assert!(value != Ok(true) || culprits.is_empty(), "true, and yet it has culprits");
        assert!(!good || culprits.is_empty(), "nothing is down");
    }
    assert!(expr.services().count() <= text.len());
}

/// Whatever is spelled comes back, and its spelling is one clean word.
pub(super) fn quote(bytes: &[u8]) {
    let text = text_of(bytes);
    assert_eq!(encode(&text).as_ref(), bytes, "text loses nothing");
    let _ = quote::unescape(&text);
    let clean = |word: &str| word.bytes().all(|b| (33..=126).contains(&b) && b != b'"' && b != b'\'');
    let (plain, quoted) = (quote::escape(&text), quote::escape_quoted(&text));
    assert!(clean(&plain) && clean(&quoted));
    if !bytes.contains(&b'\\') {
        assert_eq!(quote::unescape(&plain), text);
        assert_eq!(quote::unescape(&quoted), text);
    }
    if let Ok(words) = words::split(&text) {
        assert!(words.len() <= text.len() + 1);
    }
    let _ = words::first(&text);
}
