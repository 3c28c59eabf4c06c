//! What a web server asks for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use remon_core::text;

use super::{Rcfile, SYSTEM_RCFILE, VIEWS};
use crate::cli::programs;

/// One call by a web server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// Where this program is on the server, for links.
    pub(super) script: String,
    /// The name of the view asked for, cleaned.
    pub(super) view: Option<String>,
    arguments: BTreeMap<String, String>,
}

impl Request {
    /// The request in the environment, if there is one.
    pub(super) fn from_environment() -> Option<Request> {
        use std::os::unix::ffi::OsStringExt;
        let variable = |name| std::env::var_os(name).map(|value| text::decode(value.into_vec()));
        variable("REQUEST_METHOD")?;
        let or_empty = |name| variable(name).unwrap_or_default();
        Some(Request::new(&or_empty("SCRIPT_NAME"), &or_empty("PATH_INFO"), &or_empty("QUERY_STRING")))
    }

    fn new(script: &str, path_info: &str, query: &str) -> Request {
        // The original splits at `?` alone; links made by others have `&`.
        let pairs = query.split(['?', '&', ';']).filter_map(|pair| pair.split_once('='));
        let arguments: BTreeMap<_, _> = pairs.map(|(name, value)| (unquote(name), unquote(value))).collect();
        let asked =
            Some(path_info).filter(|path| path.len() > 1).or(arguments.get("view").map(String::as_str));
        let view = asked.map(clean).filter(|view| !view.is_empty());
        Request { script: script.to_owned(), view, arguments }
    }

    #[cfg(test)]
    pub(super) fn for_tests(script: &str, query: &str) -> Request {
        Request::new(script, "", query)
    }

    /// An argument that is not empty.
    pub(super) fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The file with the settings for it.
    pub(super) fn rcfile(&self) -> Result<Rcfile, String> {
        if let Some(view) = &self.view {
            return Ok(Rcfile { path: Path::new(VIEWS).join(programs::path(view)), required: true });
        }
        let here = PathBuf::from(".monshowrc");
        let path = if here.is_file() { here } else { PathBuf::from(SYSTEM_RCFILE) };
        Ok(Rcfile { path, required: false })
    }
}

/// A name that cannot leave the directory of the views.
fn clean(name: &str) -> String {
    name.trim_start_matches(['.', '/']).trim_end_matches('/').replace("..", "")
}

fn unquote(text: &str) -> String {
    let bytes = text::encode(text);
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = &bytes[..];
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    while let Some((&byte, tail)) = rest.split_first() {
        let pair = match (byte, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        rest = match pair {
            Some((high, low)) => {
                out.push(high << 4 | low);
                &tail[2..]
            }
            None => {
                out.push(if byte == b'+' { b' ' } else { byte });
                tail
            }
        };
    }
    text::decode(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let request = Request::new("/cgi", "", "detail=web%2Chttp&x=1?watch=we%62&empty=&odd");
        assert_eq!(request.argument("detail"), Some("web,http"));
        assert_eq!(request.argument("watch"), Some("web"));
        assert_eq!((request.argument("empty"), request.argument("odd"), &request.view), (None, None, &None));
        assert_eq!(unquote("a%2g%é+%4"), "a%2g%é %4");
    }

    #[test]
    fn views_stay_in_their_directory() {
        for (path_info, query, view) in [
            ("/lab", "", Some("lab")),
            ("/../../etc/passwd", "", Some("etc/passwd")),
            ("", "view=..%2f..%2fx", Some("x")),
            ("", "view=a/../../b", Some("a///b")),
            ("/", "view=lab", Some("lab")),
            ("/..", "", None),
        ] {
            let request = Request::new("", path_info, query);
            assert_eq!(request.view.as_deref(), view, "{path_info} {query}");
            assert!(request.view.is_none_or(|view| !view.contains("..") && !view.starts_with('/')));
        }
    }
}
