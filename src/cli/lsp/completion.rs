//! What can be written where the cursor is.

use remon_core::config::Config;
use remon_core::config::ast::{Ast, Kind, Statement};
use remon_core::config::context::{Context, Inside};
use remon_core::config::help::{self, Keyword, SCALES, UNLESS, Where};
use remon_core::config::lines::Source;
use remon_core::config::names::is_dependency;
use remon_core::timeval::is_blank;
use serde_json::{Value, json};

use super::catalogue::{self, Shelf};
use super::document::Document;
use super::rpc::Failure;

/// More nobody reads; typing on makes them fewer.
const MOST: usize = 1000;

/// Kinds of the protocol.
const FUNCTION: u8 = 3;
const MODULE: u8 = 9;
const VALUE: u8 = 12;
const KEYWORD: u8 = 14;
const FILE: u8 = 17;

/// Something to write.
struct Item {
    text: String,
    kind: u8,
    detail: String,
    page: Option<String>,
}

impl Item {
    fn new(text: impl Into<String>, kind: u8, detail: impl Into<String>) -> Item {
        Item { text: text.into(), kind, detail: detail.into(), page: None }
    }
}

pub(super) fn completion(document: &mut Document, params: &Value) -> Result<Value, Failure> {
    let at = document.offset(&params["position"])?;
    document.checked();
    let document = &*document;
    let Some(config) = document.config() else { return Ok(Value::Null) };
    let source = Source::new(&document.text);
    let statements = Ast::of(&source).statements;
    let line = document.line_of(at);
    let index = statements.partition_point(|statement| (statement.line as usize) < line + 1);
    // A continued line begins above the cursor.
    let first = index.checked_sub(1).map_or(0, |before| statements[before].line as usize);
    let before = document.text[document.line_start(first).min(at)..at].trim_start_matches(is_blank);
    if before.starts_with('#') {
        return Ok(Value::Null);
    }
    let around = Context::of_line(&source, &statements, first as u32 + 1);
    let asked = Asked { config, around, before };
    let typed = asked.typed();
    let mut items = asked.items(&source, &statements);
    items.retain(|item| item.text.starts_with(typed));
    let range = document.range(&(at - typed.len()..at));
    let shown: Vec<Value> = items.iter().take(MOST).map(|item| json_of(item, &range)).collect();
    Ok(json!({"isIncomplete": items.len() > MOST, "items": shown}))
}

fn json_of(item: &Item, range: &Value) -> Value {
    let Item { text, kind, detail, page } = item;
    let mut value = json!({
        "label": text.trim_end(),
        "kind": kind,
        "detail": detail,
        "filterText": text,
        "textEdit": {"range": range, "newText": text},
    });
    if let Some(page) = page {
        value["documentation"] = json!({"kind": "markdown", "value": page});
    }
    value
}

/// Where the cursor is.
struct Asked<'a> {
    config: &'a Config,
    around: Context<'a>,
    /// The line up to the cursor, without its indentation.
    before: &'a str,
}

impl<'a> Asked<'a> {
    /// The word being written, as far as it is.
    fn typed(&self) -> &'a str {
        let word = self.before.rsplit(is_blank).next().unwrap_or_default();
        // Operators and brackets end a word of an expression.
        if self.is_expression() { word.rsplit(['(', '!', '&', '|']).next().unwrap_or_default() } else { word }
    }

    fn keyword(&self) -> &'a str {
        let end = self.before.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &self.before[..end.unwrap_or(self.before.len())]
    }

    fn is_expression(&self) -> bool {
        is_dependency(self.keyword())
    }

    fn in_watch(&self) -> bool {
        matches!(self.around.inside, Inside::Watch | Inside::Service | Inside::Period)
    }

    fn items(&self, source: &Source<'_>, statements: &[Statement]) -> Vec<Item> {
        let in_list = matches!(self.around.inside, Inside::Hostgroup | Inside::View | Inside::Alias);
        match self.around.inside {
            Inside::View if self.keyword() != "view" => self.members(),
            _ if !self.before.contains(is_blank) => self.keywords(),
            _ if !self.in_watch() && self.before.contains('=') => self.values(Where::Global),
            _ if in_list && !matches!(self.keyword(), "hostgroup" | "alias" | "view") => Vec::new(),
            _ if self.in_watch() => self.arguments(source, statements),
            _ => self.record(source, statements),
        }
    }

    fn keywords(&self) -> Vec<Item> {
        let here: &[Where] = match self.around.inside {
            Inside::Outside => &[Where::Record, Where::Global],
            Inside::Hostgroup | Inside::Alias | Inside::View => &[],
            Inside::Watch => &[Where::Watch],
            Inside::Service => &[Where::Service, Where::Watch],
            Inside::Period => &[Where::Period, Where::Watch],
        };
        // A period can be followed by another.
        let again = help::find("period", Where::Service).filter(|_| self.around.inside == Inside::Period);
        let found = help::keywords().filter(|keyword| here.contains(&keyword.place)).chain(again);
        found.map(keyword_item).collect()
    }

    /// After `hostgroup`, `watch` and `view`.
    fn record(&self, source: &Source<'_>, statements: &[Statement]) -> Vec<Item> {
        let named = |kind: Kind| {
            let lines = statements.iter().filter(move |statement| statement.kind == kind);
            lines.map(|statement| source.slice(statement.name)).collect::<Vec<_>>()
        };
        let (mut missing, have, detail) = match self.keyword() {
            "watch" => (named(Kind::Hostgroup), named(Kind::Watch), "hostgroup without a watch"),
            "hostgroup" => (named(Kind::Watch), named(Kind::Hostgroup), "watch without a hostgroup"),
            "view" if self.word_number() > 1 => return self.members(),
            _ => return Vec::new(),
        };
        if self.word_number() > 1 {
            return Vec::new();
        }
        missing.retain(|name| !have.contains(name));
        missing.into_iter().map(|name| Item::new(name, MODULE, detail)).collect()
    }

    /// Which word of the line is being written; the keyword is 0.
    fn word_number(&self) -> usize {
        self.before.split(is_blank).filter(|word| !word.is_empty()).count()
            - usize::from(!self.before.ends_with(is_blank))
    }

    fn arguments(&self, source: &Source<'_>, statements: &[Statement]) -> Vec<Item> {
        let keyword = self.keyword();
        match keyword {
            "exclude_hosts" => {
                let hosts = self.around.group.and_then(|group| self.config.hostgroups.get(group));
                let hosts = hosts.into_iter().flatten();
                hosts.map(|host| Item::new(&**host, VALUE, "host of the group")).collect()
            }
            "period" | "exclude_period" => {
                let item = |(scale, example, about): &(&str, &str, &str)| {
                    Item::new(format!("{scale} {example}"), VALUE, *about)
                };
                SCALES.iter().map(item).collect()
            }
            "alertevery" if self.word_number() > 1 => {
                UNLESS.iter().map(|(word, about)| Item::new(*word, VALUE, *about)).collect()
            }
            "watch" | "hostgroup" | "view" => self.record(source, statements),
            _ if is_dependency(keyword) => self.services(),
            _ => match Shelf::of(keyword) {
                Some(shelf) => self.command(shelf),
                None if self.around.inside == Inside::Period => self.values(Where::Period),
                None => self.values(Where::Service),
            },
        }
    }

    fn values(&self, place: Where) -> Vec<Item> {
        let keyword = help::find(self.keyword(), place);
        let values = keyword.map(help::values).unwrap_or_default();
        let first = self.before.ends_with(is_blank) || self.word_number() <= 2;
        values.iter().filter(|_| first).map(|value| Item::new(*value, VALUE, "")).collect()
    }

    /// A program, or what it takes.
    fn command(&self, shelf: Shelf) -> Vec<Item> {
        let words: Vec<&str> = self.before.split(is_blank).filter(|word| !word.is_empty()).skip(1).collect();
        let done = self.word_number() - 1;
        let prefixed = shelf == Shelf::Alerts && words.first().is_some_and(|word| word.starts_with("exit="));
        match done.checked_sub(usize::from(prefixed)) {
            None => Vec::new(),
            Some(0) => {
                let programs = shelf.programs(&self.config.globals).into_iter();
                let mut items: Vec<Item> =
                    programs.map(|(name, about)| Item::new(name, FUNCTION, about)).collect();
                if shelf == Shelf::Alerts && !prefixed {
                    items.push(Item::new("exit=", KEYWORD, "only for these exit statuses"));
                }
                items
            }
            Some(_) => {
                let usage = words.get(usize::from(prefixed)).and_then(|name| shelf.usage(name));
                let usage = usage.unwrap_or_default();
                let options = catalogue::options(&usage).into_iter();
                let mut items: Vec<Item> =
                    options.map(|(option, about)| Item::new(option, VALUE, about)).collect();
                if shelf == Shelf::Monitors {
                    items.push(Item::new(";;", KEYWORD, "do not add the hosts"));
                }
                items
            }
        }
    }

    /// What a dependency can name: groups first, then the services of the one that is named.
    fn services(&self) -> Vec<Item> {
        let (prefix, group) = match self.typed().split_once(':') {
            Some(("SELF", _)) => ("SELF", self.around.group.unwrap_or_default()),
            Some((group, _)) => (group, group),
            None => {
                let own = self.around.group.unwrap_or_default();
                return self.services_of("SELF", own).chain(self.groups(":")).collect();
            }
        };
        self.services_of(prefix, group).collect()
    }

    /// The services of a group as `prefix:service`; not the one that is being written.
    fn services_of(&self, prefix: &str, group: &str) -> impl Iterator<Item = Item> {
        let watch = self.config.watches.iter().find(|watch| *watch.group == *group);
        let own = self.around.service.filter(|_| self.around.group == Some(group));
        let services = watch.into_iter().flat_map(|watch| &watch.services);
        services.filter(move |service| Some(&*service.name) != own).map(move |service| {
            let about = service.description.as_deref().unwrap_or_default();
            Item::new(format!("{prefix}:{}", service.name), FILE, about)
        })
    }

    fn groups(&self, suffix: &str) -> impl Iterator<Item = Item> {
        self.config.watches.iter().map(move |watch| {
            Item::new(
                format!("{}{suffix}", watch.group),
                MODULE,
                format!("{} services", watch.services.len()),
            )
        })
    }

    fn members(&self) -> Vec<Item> {
        match self.typed().split_once(':') {
            Some((group, _)) => self.services_of(group, group).collect(),
            None => self.groups("").collect(),
        }
    }
}

fn keyword_item(keyword: &'static Keyword) -> Item {
    let text = match (keyword.place, keyword.arguments) {
        (Where::Global, _) => format!("{} = ", keyword.word),
        (_, "") => keyword.word.to_owned(),
        _ => format!("{} ", keyword.word),
    };
    Item { text, kind: KEYWORD, detail: keyword.syntax(), page: Some(keyword.page()) }
}
