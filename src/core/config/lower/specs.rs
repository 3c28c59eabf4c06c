//! Period specifications, each read once however often it is used.

use std::sync::Arc;

use super::super::intern::Interner;
use crate::period::{Period, Validity};

/// The specifications seen so far.
#[derive(Default)]
pub(super) struct Specs {
    texts: Interner,
    specs: Vec<(Arc<Period>, Validity)>,
}

impl Specs {
    /// The shared specification for `text`, and when it is valid.
    pub(super) fn spec(&mut self, text: &str) -> (Arc<Period>, Validity) {
        let index = self.texts.index(text);
        if index == self.specs.len() {
            let period = Period::parse(text);
            let validity = period.verdict();
            self.specs.push((Arc::new(period), validity));
        }
        let (period, validity) = &self.specs[index];
        (Arc::clone(period), *validity)
    }
}
