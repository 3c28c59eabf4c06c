//! Going from a name to its definition, to all of its places, and giving it another.

use std::collections::BTreeMap;

use remon_core::config::ast::Ast;
use remon_core::config::lines::Source;
use remon_core::config::names::{Named, Occurrence, Role, may_be_called, occurrences};
use serde_json::{Value, json};

use super::document::Document;
use super::rpc::Failure;

/// All names of a document, and which of them the client points at.
struct Names<'s> {
    all: Vec<Occurrence<'s>>,
    pointed: Option<usize>,
    /// It points at the `SELF` before a service.
    is_own: bool,
}

/// What stands for the group of the watch itself.
const OWN: &str = "SELF:";

impl<'s> Names<'s> {
    fn of(source: &'s Source<'_>, document: &Document, params: &Value) -> Result<Names<'s>, Failure> {
        let at = document.offset(&params["position"])?;
        let all = occurrences(source, &Ast::of(source).statements);
        // Behind the last letter of a name still is the name.
        let on_name = |found: &Occurrence<'_>| found.range.start <= at && at <= found.range.end;
        let pointed = all.iter().position(on_name).or_else(|| {
            let own = |found: &Occurrence<'_>| document.text[..found.range.start].ends_with(OWN);
            let before =
                |found: &Occurrence<'_>| found.range.start - OWN.len() <= at && at < found.range.start;
            all.iter().position(|found| own(found) && before(found))
        });
        let is_own = pointed.is_some_and(|pointed| !on_name(&all[pointed]));
        Ok(Names { all, pointed, is_own })
    }

    /// Every place of the name pointed at.
    fn same(&self) -> impl Iterator<Item = &Occurrence<'s>> {
        let named = self.pointed.map(|pointed| self.all[pointed].named);
        self.all.iter().filter(move |found| Some(found.named) == named)
    }

    /// Where the name pointed at is defined: a watch does that only where there is no hostgroup.
    fn definitions(&self) -> Vec<&Occurrence<'s>> {
        let with = |role: Role| self.same().filter(|found| found.role == role).collect::<Vec<_>>();
        let defined = with(Role::Defines);
        if defined.is_empty() { with(Role::Watches) } else { defined }
    }
}

pub(super) fn definition(document: &mut Document, uri: &str, params: &Value) -> Result<Value, Failure> {
    let source = Source::new(&document.text);
    let names = Names::of(&source, document, params)?;
    Ok(places(names.definitions(), document, uri))
}

pub(super) fn references(document: &mut Document, uri: &str, params: &Value) -> Result<Value, Failure> {
    let source = Source::new(&document.text);
    let names = Names::of(&source, document, params)?;
    let definitions = names.definitions();
    let with_definition = params["context"]["includeDeclaration"] != false;
    let wanted = names.same().filter(|found| with_definition || !definitions.contains(found));
    Ok(places(wanted, document, uri))
}

fn places<'o>(found: impl IntoIterator<Item = &'o Occurrence<'o>>, document: &Document, uri: &str) -> Value {
    let place = |found: &Occurrence<'_>| json!({"uri": uri, "range": document.range(&found.range)});
    found.into_iter().map(place).collect()
}

pub(super) fn highlights(document: &Document, params: &Value) -> Result<Value, Failure> {
    let source = Source::new(&document.text);
    let names = Names::of(&source, document, params)?;
    // 2: is read here, 3: is written here.
    let kind = |role: Role| if role == Role::Mentions { 2 } else { 3 };
    let mark =
        |found: &Occurrence<'_>| json!({"range": document.range(&found.range), "kind": kind(found.role)});
    Ok(names.same().map(mark).collect())
}

pub(super) fn prepare_rename(document: &Document, params: &Value) -> Result<Value, Failure> {
    let source = Source::new(&document.text);
    let names = Names::of(&source, document, params)?;
    let found = renamable(&names, document)?;
    Ok(json!({"range": document.range(&found.range), "placeholder": found.named.name()}))
}

pub(super) fn rename(document: &mut Document, uri: &str, params: &Value) -> Result<Value, Failure> {
    let new = params["newName"].as_str().ok_or_else(|| Failure::params("newName"))?;
    let source = Source::new(&document.text);
    let names = Names::of(&source, document, params)?;
    let named = renamable(&names, document)?.named;
    let refuse = |why: String| Err(Failure::new(Failure::FAILED, why));
    if !may_be_called(new) {
        return refuse(format!("`{new}` is no name: they are made of letters, digits, `_`, `.` and `-`"));
    }
    let renamed = match named {
        Named::Group(_) => Named::Group(new),
        Named::Service(group, _) => Named::Service(group, new),
        Named::Alias(_) => Named::Alias(new),
        Named::View(_) => Named::View(new),
    };
    if named != renamed && names.all.iter().any(|found| found.named == renamed) {
        return refuse(format!("there is a `{new}` already"));
    }
    let edit = |found: &Occurrence<'_>| json!({"range": document.range(&found.range), "newText": new});
    let edits: Vec<Value> = names.same().map(edit).collect();
    Ok(json!({"changes": BTreeMap::from([(uri, edits)])}))
}

/// The name pointed at, if another can be given to it.
fn renamable<'n, 's>(names: &'n Names<'s>, document: &Document) -> Result<&'n Occurrence<'s>, Failure> {
    let refuse = |why: String| Err(Failure::new(Failure::FAILED, why));
    let pointed = names.pointed.filter(|_| !names.is_own);
    let Some(found) = pointed.and_then(|pointed| names.all.get(pointed)) else {
        return refuse("there is no group, service, alias or view here".to_owned());
    };
    let name = found.named.name();
    if document.uses_m4() {
        return refuse("the file uses m4, and macros may name it too".to_owned());
    }
    match (found.named, names.definitions().first()) {
        (_, None) => refuse(format!("`{name}` is not defined in this file")),
        (Named::Group(_), Some(definition)) if definition.role == Role::Watches => refuse(format!(
            "the watch `{name}` has no hostgroup, so its name is the host that is watched: write `hostgroup {name} {name}` \
             above it first"
        )),
        _ => Ok(found),
    }
}
