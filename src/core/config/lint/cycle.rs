//! Services that depend on themselves, alone or in a circle.

use std::collections::BTreeMap;

use super::super::model::{Config, Service};
use crate::depend::Expr;

/// A service, by its places in the lists of the configuration.
pub(super) type Place = (usize, usize);

/// The circles among the dependencies: each once, as the services on the way from its first one back to it.
pub(super) fn cycles(config: &Config) -> Vec<Vec<Place>> {
    let edges = edges(config);
    let mut state: BTreeMap<Place, State> = BTreeMap::new();
    let mut found = Vec::new();
    for &start in edges.keys() {
        walk(start, &edges, &mut state, &mut found);
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    OnTheWay,
    Done,
}

type Edges = BTreeMap<Place, Vec<Place>>;

/// Depth first, with a list in the place of the stack: a chain may be as long as the file.
fn walk(start: Place, edges: &Edges, state: &mut BTreeMap<Place, State>, found: &mut Vec<Vec<Place>>) {
    if state.contains_key(&start) {
        return;
    }
    state.insert(start, State::OnTheWay);
    let mut way: Vec<(Place, usize)> = vec![(start, 0)];
    while let Some((here, next)) = way.last_mut() {
        let Some(&to) = edges.get(here).and_then(|targets| targets.get(*next)) else {
            state.insert(*here, State::Done);
            way.pop();
            continue;
        };
        *next += 1;
        match state.get(&to) {
            Some(State::Done) => {}
            Some(State::OnTheWay) => {
                let from = way.iter().position(|(place, _)| *place == to).unwrap_or(0);
                found.push(way[from..].iter().map(|(place, _)| *place).collect());
            }
            None => {
                state.insert(to, State::OnTheWay);
                way.push((to, 0));
            }
        }
    }
}

fn edges(config: &Config) -> Edges {
    let mut places: BTreeMap<(&str, &str), Place> = BTreeMap::new();
    let services = || {
        config.watches.iter().enumerate().flat_map(|(w, watch)| {
            watch.services.iter().enumerate().map(move |(s, service)| ((w, s), watch, service))
        })
    };
    if services().all(|(.., service)| service.depends.is_none()) {
        return Edges::new();
    }
    for (place, watch, service) in services() {
        places.insert((&watch.group, &service.name), place);
    }
    let mut edges = Edges::new();
    for (place, _, service) in services() {
        let targets =
            expressions(service).flat_map(Expr::services).filter_map(|name| places.get(&name).copied());
        let targets: Vec<Place> = targets.collect();
        if !targets.is_empty() {
            edges.insert(place, targets);
        }
    }
    edges
}

/// All that a service depends on, whatever for.
pub(super) fn expressions(service: &Service) -> impl Iterator<Item = &Expr> {
    let lines = service.depends.as_deref().into_iter().flat_map(|depends| {
        [&depends.depend, &depends.alertdepend, &depends.monitordepend, &depends.hostdepend]
    });
    lines.flatten().filter_map(|line| line.expr.as_ref().ok())
}
