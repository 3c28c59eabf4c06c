//! Dependency expressions: `web:ping && (db1:mysql || db2:mysql)`.
//!
//! The original puts 1 or 0 in the place of each service and has Perl evaluate what results. Here the text is
//! parsed, never run; operators, precedence and values are those of Perl 5.36. Two differences are wanted: a
//! service whose name begins another's (`web:ping`, `web:ping-6`) does not damage it, and a word of Perl that
//! is not listed here (`?:`, `xor`, `**`) is an error, which holds back what depends on it, as errors did before.

mod eval;
mod parse;

use std::fmt;

pub use eval::EvalError;

/// A parsed dependency expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// The services named, each once, in order of appearance.
    names: Box<[Name]>,
    root: Node,
}

/// Why a text is not a dependency expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Byte range of the offending words in the expression.
    pub span: (usize, usize),
    /// What is wrong, in the operator's terms.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

/// `group:service`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    group: Box<str>,
    service: Box<str>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// Index into [`Expr::names`].
    Service(u32),
    /// Not negative, not infinite.
    Number(f64),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Binary, Box<[Node; 2]>),
    /// The first operand, and each further one after its operator: `0 < x <= 2` holds if both do.
    Comparison(Box<Node>, Box<[(Comparison, Node)]>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binary {
    Or,
    And,
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is not one; the place and the reason are in the error.
    pub fn parse(text: &str) -> Result<Expr, ParseError> {
        parse::expression(text)
    }

    /// Group and service of the services named, each once, in order of appearance.
    pub fn services(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|name| (&*name.group, &*name.service))
    }
}

/// The `group:service` names in a text, as often as they stand there and whatever else stands around them: what
/// `list deps` shows and `hostdepend` looks at, also where the text is no expression.
pub fn names_in(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(|c| !is_name(c));
            let group = &rest[..rest.find(|c| !is_name(c))?];
            rest = &rest[group.len()..];
            let Some(after) = rest.strip_prefix(':') else { continue };
            let service = &after[..after.find(|c| !is_name(c)).unwrap_or(after.len())];
            if !service.is_empty() {
                rest = &after[service.len()..];
                return Some((group, service));
            }
        }
    })
}

impl Binary {
    fn symbol(self) -> &'static str {
        match self {
            Binary::Or => "||",
            Binary::And => "&&",
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
        }
    }
}

impl Comparison {
    fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

/// In full brackets, so that precedence shows; parsed again it is the same expression.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_node(&self.root, f)
    }
}

impl Expr {
    fn fmt_node(&self, node: &Node, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match node {
            Node::Service(index) => {
                let Name { group, service } = &self.names[*index as usize];
                write!(f, "{group}:{service}")
            }
            Node::Number(number) => write!(f, "{number}"),
            Node::Not(inner) => {
                f.write_str("!")?;
                self.fmt_operand(inner, f)
            }
            Node::Negate(inner) => {
                f.write_str("- ")?;
                self.fmt_operand(inner, f)
            }
            Node::Binary(operator, operands) => {
                self.fmt_operand(&operands[0], f)?;
                write!(f, " {} ", operator.symbol())?;
                self.fmt_operand(&operands[1], f)
            }
            Node::Comparison(first, others) => {
                self.fmt_operand(first, f)?;
                others.iter().try_for_each(|(operator, operand)| {
                    write!(f, " {} ", operator.symbol())?;
                    self.fmt_operand(operand, f)
                })
            }
        }
    }

    fn fmt_operand(&self, node: &Node, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(node, Node::Service(_) | Node::Number(_)) {
            return self.fmt_node(node, f);
        }
        f.write_str("(")?;
        self.fmt_node(node, f)?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_text() {
        for (text, names) in [
            ("a:x && !b-1.c:y_2 || a:x", &["a:x", "b-1.c:y_2", "a:x"][..]),
            ("a:x b:y", &["a:x", "b:y"]),
            ("a: b:c, :d e:", &["b:c"]),
            ("a:b:c", &["a:b"]),
            ("", &[]),
        ] {
            let found: Vec<String> =
                names_in(text).map(|(group, service)| format!("{group}:{service}")).collect();
            assert_eq!(found, names, "{text}");
        }
    }
}
