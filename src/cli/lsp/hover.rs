//! What is known of the word under the cursor.

use std::ops::Range;

use remon_core::config::ast::{Ast, Kind, Statement};
use remon_core::config::context::{Context, Inside};
use remon_core::config::explain;
use remon_core::config::help::{self, SCALES, Where};
use remon_core::config::lines::Source;
use remon_core::config::names::{Named, occurrences};
use remon_core::config::{Config, Service};
use remon_core::timeval::is_blank;
use serde_json::{Value, json};

use super::catalogue::Shelf;
use super::document::Document;
use super::rpc::Failure;

/// More hosts do not fit on a screen.
const MOST_HOSTS: usize = 50;

pub(super) fn hover(document: &mut Document, params: &Value) -> Result<Value, Failure> {
    let at = document.offset(&params["position"])?;
    document.checked();
    let document = &*document;
    let source = Source::new(&document.text);
    let ast = Ast::of(&source);
    let line = document.line_of(at) as u32 + 1;
    let index = ast.statements.partition_point(|statement| statement.line < line);
    let Some(statement) = ast.statements.get(index) else { return Ok(Value::Null) };
    let around = Context::of_line(&source, &ast.statements, statement.line);
    let config = document.config();
    let found = keyword(&source, statement, around.inside, at)
        .or_else(|| name(&source, &ast.statements, config, at))
        .or_else(|| word(&source, statement, config, at));
    // What is wrong comes first: the editor shows it in its own words as well.
    let pages: Vec<Page> = wrong(document, at).chain(found).collect();
    let Some(range) = pages.last().map(|(_, range)| range.clone()) else { return Ok(Value::Null) };
    let text: Vec<String> = pages.into_iter().map(|(page, _)| page).collect();
    let contents = json!({"kind": "markdown", "value": text.join("\n\n---\n\n")});
    Ok(json!({"contents": contents, "range": document.range(&range)}))
}

/// The pages of `mon explain` on the diagnostics there.
fn wrong(document: &Document, at: usize) -> impl Iterator<Item = Page> {
    let here = document.diagnostics().iter().filter(move |found| found.span.contains(&at));
    here.filter_map(|found| {
        let explain::Page { code, title, text, .. } = explain::page(found.code)?;
        Some((format!("**{code}: {title}**\n\n{text}"), found.span.clone()))
    })
}

type Page = (String, Range<usize>);

/// The keyword that the statement begins with.
fn keyword(source: &Source<'_>, statement: &Statement, place: Inside, at: usize) -> Option<Page> {
    let text = source.slice(statement.text);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let word = &text[..end];
    let range = source.in_file(statement.text.part(0, end));
    if !range.contains(&at) {
        return None;
    }
    let found = places(statement.kind, place).iter().find_map(|place| help::find(word, *place))?;
    Some((found.page(), range))
}

/// Where to look for the keyword of a statement: where it stands, and then where it should stand.
fn places(kind: Kind, place: Inside) -> &'static [Where] {
    match (kind, place) {
        (Kind::Global, _) => &[Where::Global],
        (Kind::Hostgroup | Kind::Alias | Kind::View | Kind::Watch, _) => &[Where::Record],
        (Kind::Service, _) => &[Where::Watch],
        (Kind::Setting | Kind::Period, Inside::Period) => &[Where::Period, Where::Service],
        (Kind::Setting | Kind::Period, _) => &[Where::Service, Where::Period],
        (Kind::Ignored, _) => &[Where::Record, Where::Watch, Where::Service, Where::Period, Where::Global],
        _ => &[],
    }
}

fn name(source: &Source<'_>, statements: &[Statement], config: Option<&Config>, at: usize) -> Option<Page> {
    let found = occurrences(source, statements).into_iter().find(|found| found.range.contains(&at))?;
    let config = config?;
    let page = match found.named {
        Named::Group(group) => group_page(config, group)?,
        Named::Service(group, name) => service_page(config, group, name)?,
        Named::Alias(_) | Named::View(_) => return None,
    };
    Some((page, found.range))
}

fn group_page(config: &Config, group: &str) -> Option<String> {
    let hosts = config.hostgroups.get(group)?;
    let shown: Vec<&str> = hosts.iter().take(MOST_HOSTS).map(|host| &**host).collect();
    let more = if hosts.len() > MOST_HOSTS { " ..." } else { "" };
    let watch = config.watches.iter().find(|watch| *watch.group == *group);
    let services: Vec<&str> =
        watch.into_iter().flat_map(|watch| &watch.services).map(|service| &*service.name).collect();
    let services = if services.is_empty() { "no services".to_owned() } else { services.join(", ") };
    Some(format!("**{group}**: {services}\n\n`{}{more}`", shown.join(" ")))
}

fn service_page(config: &Config, group: &str, name: &str) -> Option<String> {
    let watch = config.watches.iter().find(|watch| *watch.group == *group)?;
    let service: &Service = watch.services.iter().find(|service| *service.name == *name)?;
    let description = service.description.as_deref().unwrap_or("no description");
    let monitor = service.monitor.as_ref().map(|command| format!("\n\n`monitor {}`", command.text));
    Some(format!("**{group}:{name}**: {description}{}", monitor.unwrap_or_default()))
}

/// A program, or a scale of a period.
fn word(source: &Source<'_>, statement: &Statement, config: Option<&Config>, at: usize) -> Option<Page> {
    let (keyword, rest) = (source.slice(statement.name), source.slice(statement.rest));
    let mut start = 0;
    for word in rest.split(is_blank) {
        let range = source.in_file(statement.rest.part(start, start + word.len()));
        start += word.len() + 1;
        if word.is_empty() || !range.contains(&at) {
            continue;
        }
        if let Some(shelf) = Shelf::of(keyword).filter(|_| statement.kind == Kind::Setting) {
            return Some((shelf.page(word, &config?.globals)?, range));
        }
        if matches!(keyword, "period" | "exclude_period") {
            let (scale, example, about) =
                SCALES.iter().find(|(scale, ..)| word.eq_ignore_ascii_case(scale))?;
            return Some((format!("```mon\n{scale} {example}\n```\n{about}"), range));
        }
    }
    None
}
