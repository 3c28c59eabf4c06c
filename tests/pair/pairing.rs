//! Which program runs on which server.

use std::fmt;

use crate::site::Side;

/// A mon daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Ours,
    /// The Perl program, with its own `remote.monitor`.
    Original,
}

/// The programs of A and B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pairing {
    a: Program,
    b: Program,
}

/// All that are tried.
pub(crate) const ALL: [Pairing; 3] = [
    Pairing { a: Program::Ours, b: Program::Ours },
    Pairing { a: Program::Original, b: Program::Ours },
    Pairing { a: Program::Ours, b: Program::Original },
];

impl Pairing {
    pub(crate) fn on(self, side: Side) -> Program {
        if side == Side::A { self.a } else { self.b }
    }

    pub(crate) fn has(self, program: Program) -> bool {
        self.a == program || self.b == program
    }

    /// The pairing of a name as it is shown.
    pub(crate) fn named(name: &str) -> Option<Pairing> {
        ALL.into_iter().find(|pairing| pairing.to_string() == name)
    }
}

impl fmt::Display for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |program| if program == Program::Ours { "remon" } else { "perl" };
        write!(f, "{}-{}", name(self.a), name(self.b))
    }
}
