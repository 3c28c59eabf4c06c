//! The pages of `monshow` as one JSON object, for other programs.

use remon_core::wire::opstatus::StatusLine;

use super::rows;
use super::snapshot::{Disabled, Key, Snapshot};
use super::text::View;
use crate::cli::json::Json;

/// The services that the text would show, or the one asked for, with all their fields.
pub(super) fn compose(
    view: &View<'_>,
    full: bool,
    snapshot: &Snapshot,
    detail: Option<&Key>,
) -> Result<String, String> {
    let services = match detail {
        Some(key) => {
            let status = snapshot.services.get(key);
            vec![status.ok_or_else(|| format!("{}/{} not a valid service", key.0, key.1))?]
        }
        None => rows::select(snapshot, full).iter().map(|row| row.status).collect(),
    };
    let services = services.into_iter().map(|status| service(snapshot, status)).collect();
    let mut fields = vec![
        ("server", Json::str(view.server)),
        ("time", Json::Number(view.now)),
        ("running", Json::Bool(snapshot.stopped_since.is_none())),
        ("stopped_since", snapshot.stopped_since.map_or(Json::Null, Json::Number)),
        ("services", Json::List(services)),
        ("disabled", disabled(&snapshot.disabled)),
    ];
    if detail.is_some() {
        fields.push(("hosts", texts(&snapshot.hosts)));
        fields.push(("deliveries", Json::List(snapshot.deliveries.iter().map(Json::of_line).collect())));
    }
    Ok(object(fields).text())
}

fn service(snapshot: &Snapshot, status: &StatusLine) -> Json {
    let key = (status.group().to_owned(), status.service().to_owned());
    let description = snapshot.descriptions.get(&key).map_or("", String::as_str);
    let mut value = Json::of_status(status);
    if let Json::Object(fields) = &mut value {
        fields.push(("description".to_owned(), Json::str(description)));
    }
    value
}

fn disabled(disabled: &Disabled) -> Json {
    let services = disabled.services.iter().map(|(group, service)| texts([group, service]));
    let hosts = disabled.hosts.iter().map(|(group, hosts)| (group.clone(), texts(hosts)));
    object(vec![
        ("watches", texts(&disabled.watches)),
        ("services", Json::List(services.collect())),
        ("hosts", Json::Object(hosts.collect())),
    ])
}

fn texts<'a>(words: impl IntoIterator<Item = &'a String>) -> Json {
    Json::List(words.into_iter().map(|word| Json::str(word)).collect())
}

fn object(fields: Vec<(&str, Json)>) -> Json {
    Json::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
