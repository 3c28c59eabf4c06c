//! From the text of a dependency expression to its tree: words, then precedence climbing.

use super::{Binary, Comparison, Expr, Name, Node, ParseError};
use crate::timeval::is_blank;

/// Brackets and prefixes nest by recursion; nobody can read as many as this.
const MAX_DEPTH: usize = 50;

/// A chain of operators makes a tree as deep as it is long, and evaluation recurses: the stack sets the limit.
const MAX_OPERATORS: usize = 1000;

/// Reads an expression.
pub(super) fn expression(text: &str) -> Result<Expr, ParseError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens: &tokens, names: Vec::new(), depth: 0, operators: 0 };
    let root = parser.binary(Level::Or)?;
    match parser.peek() {
        None => Ok(Expr { names: parser.names.into(), root }),
        Some(Token { word: Word::Close, span }) => Err(error(*span, "this `)` has no `(`")),
        Some(token) => Err(parser.missing_operator(*token)),
    }
}

fn error(span: (usize, usize), message: impl Into<String>) -> ParseError {
    ParseError { span, message: message.into() }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Token {
    word: Word,
    span: (usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    /// With the position of its colon.
    Service(usize),
    Number(f64),
    Operator(Binary, Level),
    Comparison(Comparison, Level),
    /// `!`
    Bang,
    /// `not`
    Not,
    Open,
    Close,
}

/// How tightly operators bind, as in Perl (`perldoc perlop`): the later the tighter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    OrOr,
    AndAnd,
    Equality,
    Relation,
    Sum,
    Product,
    /// Of no operator: those in front of their operand take just that.
    Operand,
}

impl Level {
    fn next_tighter(self) -> Level {
        match self {
            Level::Or => Level::And,
            Level::And => Level::Not,
            Level::Not => Level::OrOr,
            Level::OrOr => Level::AndAnd,
            Level::AndAnd => Level::Equality,
            Level::Equality => Level::Relation,
            Level::Relation => Level::Sum,
            Level::Sum => Level::Product,
            Level::Product | Level::Operand => Level::Operand,
        }
    }
}

/// Longest first, so that `<=` is not taken for `<`.
#[rustfmt::skip]
const SYMBOLS: [(&str, Word); 15] = [
    ("&&", Word::Operator(Binary::And, Level::AndAnd)),
    ("||", Word::Operator(Binary::Or, Level::OrOr)),
    ("==", Word::Comparison(Comparison::Equal, Level::Equality)),
    ("!=", Word::Comparison(Comparison::NotEqual, Level::Equality)),
    ("<=", Word::Comparison(Comparison::LessOrEqual, Level::Relation)),
    (">=", Word::Comparison(Comparison::GreaterOrEqual, Level::Relation)),
    ("<", Word::Comparison(Comparison::Less, Level::Relation)),
    (">", Word::Comparison(Comparison::Greater, Level::Relation)),
    ("+", Word::Operator(Binary::Add, Level::Sum)),
    ("-", Word::Operator(Binary::Subtract, Level::Sum)),
    ("*", Word::Operator(Binary::Multiply, Level::Product)),
    ("/", Word::Operator(Binary::Divide, Level::Product)),
    ("!", Word::Bang),
    ("(", Word::Open),
    (")", Word::Close),
];

/// What Perl reads as another operator, or what people write for one.
const NOT_SYMBOLS: [&str; 7] = ["++", "--", "**", "//", "=", "&", "|"];

fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if is_blank(first) {
            at += 1;
            continue;
        }
        let (word, length) =
            token(&text[at..]).map_err(|(length, message)| error((at, at + length), message))?;
        tokens.push(Token { word, span: (at, at + length) });
        at += length;
    }
    Ok(tokens)
}

/// The token at the beginning of `rest` and its length, or what is wrong with so many bytes of it.
fn token(rest: &str) -> Result<(Word, usize), (usize, String)> {
    let name = name_length(rest);
    if let Some(service) =
        rest[name..].strip_prefix(':').map(name_length).filter(|length| name > 0 && *length > 0)
    {
        return service_token(rest, name, name + 1 + service);
    }
    if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return number_token(rest, name);
    }
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    match &rest[..length] {
        "" => symbol_token(rest),
        "and" => Ok((Word::Operator(Binary::And, Level::And), length)),
        "or" => Ok((Word::Operator(Binary::Or, Level::Or), length)),
        "not" => Ok((Word::Not, length)),
        word => Err((length, format!("`{word}` is not a service: write group:service"))),
    }
}

/// Names are as long as can be, as in the original: `web:a-db:b` is no difference of two services. And it
/// replaces a name only if that has word characters at both ends: `web:a- db:b` was an error too.
fn service_token(rest: &str, colon: usize, end: usize) -> Result<(Word, usize), (usize, String)> {
    const HINT: &str = "`-` and `.` may be part of a name, so put blanks around an operator";
    let more = rest[end..].strip_prefix(':').map_or(0, |more| 1 + name_length(more));
    let written = &rest[..end + more];
    if more > 0 {
        return Err((written.len(), format!("`{written}` is more than group:service ({HINT})")));
    }
    if written.starts_with(['-', '.']) || written.ends_with(['-', '.']) {
        return Err((end, format!("`{written}` begins or ends with `-` or `.` ({HINT})")));
    }
    Ok((Word::Service(colon), end))
}

fn number_token(rest: &str, word: usize) -> Result<(Word, usize), (usize, String)> {
    let length = number_length(rest);
    if rest.starts_with('0') && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Err((
            length,
            format!("`{}` begins with 0, which makes it octal: write it without", &rest[..length]),
        ));
    }
    let runs_on = rest[length..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    match rest[..length].parse::<f64>() {
        Ok(number) if number.is_finite() && !runs_on => Ok((Word::Number(number), length)),
        _ => Err((
            word.max(length),
            format!("`{}` is neither a service nor a number", &rest[..word.max(length)]),
        )),
    }
}

/// `12`, `.5`, `1.`, `1.5e-3`
fn number_length(text: &str) -> usize {
    let digits = |at: usize| at + text[at..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    let mantissa = if text[whole..].starts_with('.') { digits(whole + 1) } else { whole };
    if !text[mantissa..].starts_with(['e', 'E']) {
        return mantissa;
    }
    let exponent = mantissa + 1 + usize::from(text[mantissa + 1..].starts_with(['+', '-']));
    let end = digits(exponent);
    if end > exponent { end } else { mantissa }
}

fn symbol_token(rest: &str) -> Result<(Word, usize), (usize, String)> {
    if let Some((symbol, word)) = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
        if let Some(foreign) =
            NOT_SYMBOLS.iter().find(|foreign| symbol.len() == 1 && rest.starts_with(**foreign))
        {
            return Err((foreign.len(), format!("`{foreign}` is not an operator here")));
        }
        return Ok((*word, symbol.len()));
    }
    let (found, hint) = match rest.chars().next().unwrap_or_default() {
        '&' => ('&', ": write `&&`"),
        '|' => ('|', ": write `||`"),
        '=' => ('=', ": write `==`"),
        other => (other, ": there are && || ! and or not ( ) == != < > <= >= + - * /"),
    };
    Err((found.len_utf8(), format!("`{found}` is not an operator here{hint}")))
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !is_name(c)).unwrap_or(text.len())
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

struct Parser<'a> {
    text: &'a str,
    /// What is not read yet.
    tokens: &'a [Token],
    names: Vec<Name>,
    /// Brackets and prefixes open at the moment.
    depth: usize,
    /// Operators seen so far.
    operators: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.first()
    }

    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Operands joined by operators that bind at least as tightly as `loosest`.
    fn binary(&mut self, loosest: Level) -> Result<Node, ParseError> {
        let mut left = self.operand()?;
        while let Some(token) = self.peek() {
            left = match token.word {
                Word::Operator(operator, level) if level >= loosest => {
                    self.operator(*token)?;
                    Node::Binary(operator, Box::new([left, self.binary(level.next_tighter())?]))
                }
                Word::Comparison(_, level) if level >= loosest => {
                    Node::Comparison(Box::new(left), self.comparisons(level)?)
                }
                _ => break,
            };
        }
        Ok(left)
    }

    /// `< b <= c`: all that is compared on one level.
    fn comparisons(&mut self, common: Level) -> Result<Box<[(Comparison, Node)]>, ParseError> {
        let mut others = Vec::new();
        while let Some(Token { word: Word::Comparison(operator, level), .. }) = self.peek()
            && *level == common
        {
            self.operator(self.tokens[0])?;
            others.push((*operator, self.binary(level.next_tighter())?));
        }
        Ok(others.into())
    }

    /// Takes an operator.
    fn operator(&mut self, token: Token) -> Result<(), ParseError> {
        self.next();
        self.operators += 1;
        match self.operators > MAX_OPERATORS {
            true => Err(error(token.span, format!("more than {MAX_OPERATORS} operators"))),
            false => Ok(()),
        }
    }

    fn operand(&mut self) -> Result<Node, ParseError> {
        let Some(token) = self.next() else { return Err(self.missing_operand(None)) };
        match token.word {
            Word::Service(colon) => Ok(Node::Service(self.name(*token, colon))),
            Word::Number(number) => Ok(Node::Number(number)),
            Word::Bang => Ok(Node::Not(self.nested(*token, Self::operand)?)),
            Word::Not => Ok(Node::Not(self.nested(*token, Self::after_not)?)),
            Word::Operator(Binary::Subtract, _) => Ok(Node::Negate(self.nested(*token, Self::operand)?)),
            Word::Operator(Binary::Add, _) => Ok(*self.nested(*token, Self::operand)?),
            Word::Open => Ok(*self.nested(*token, |p| p.bracketed(*token))?),
            Word::Operator(..) | Word::Comparison(..) | Word::Close => {
                Err(self.missing_operand(Some(*token)))
            }
        }
    }

    /// `not` binds loosely, but a bracket right behind it makes it a function: `not (a) && b` is `(!a) && b`.
    fn after_not(&mut self) -> Result<Node, ParseError> {
        match self.peek() {
            Some(Token { word: Word::Open, .. }) => self.operand(),
            _ => self.binary(Level::Not),
        }
    }

    fn bracketed(&mut self, open: Token) -> Result<Node, ParseError> {
        let inner = self.binary(Level::Or)?;
        match self.peek() {
            Some(Token { word: Word::Close, .. }) => {
                self.next();
                Ok(inner)
            }
            Some(token) => Err(self.missing_operator(*token)),
            None => Err(error(open.span, "this `(` is never closed")),
        }
    }

    fn nested(
        &mut self,
        token: Token,
        inner: impl FnOnce(&mut Self) -> Result<Node, ParseError>,
    ) -> Result<Box<Node>, ParseError> {
        if self.depth == MAX_DEPTH {
            return Err(error(
                token.span,
                format!("more than {MAX_DEPTH} brackets or prefixes inside each other"),
            ));
        }
        self.depth += 1;
        let node = inner(self);
        self.depth -= 1;
        node.map(Box::new)
    }

    /// The index of that service, which is new or was named before.
    fn name(&mut self, token: Token, colon: usize) -> u32 {
        let (group, service) = self.written(token).split_at(colon);
        let name = Name { group: group.into(), service: service[1..].into() };
        let index = self.names.iter().position(|known| *known == name).unwrap_or(self.names.len());
        if index == self.names.len() {
            self.names.push(name);
        }
        u32::try_from(index).expect("there are at most as many names as operators, and one")
    }

    fn written(&self, token: Token) -> &'a str {
        &self.text[token.span.0..token.span.1]
    }

    fn missing_operand(&self, found: Option<Token>) -> ParseError {
        let end = self.text.len();
        match found {
            Some(token) => {
                error(token.span, format!("a service is missing before `{}`", self.written(token)))
            }
            None if self.text.trim_matches(is_blank).is_empty() => {
                error((0, end), "no service is named: write group:service")
            }
            None => error((end, end), "a service is missing at the end"),
        }
    }

    fn missing_operator(&self, token: Token) -> ParseError {
        let written = self.written(token);
        let before = self.text[..token.span.0].trim_end_matches(is_blank);
        let left =
            &before[before.len() - before.chars().rev().take_while(|c| is_name(*c) || *c == ':').count()..];
        let message = match token.word {
            Word::Service(_) if left.contains(':') => {
                format!(
                    "no operator between `{left}` and `{written}`: if both are needed, write `{left} && {written}`"
                )
            }
            _ => format!("no operator before `{written}`: write `&&` if both sides are needed"),
        };
        error(token.span, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn precedence_shows_in_brackets() {
        for (text, expect) in [
            ("web:ping", "web:ping"),
            ("a:x&&b:y", "a:x && b:y"),
            ("a:x && b:y || c:z", "(a:x && b:y) || c:z"),
            ("a:x || b:y && c:z", "a:x || (b:y && c:z)"),
            ("a:x or b:y || c:z and d:w", "a:x || ((b:y || c:z) && d:w)"),
            ("!a:x && b:y", "(!a:x) && b:y"),
            ("not a:x && b:y", "!(a:x && b:y)"),
            ("not a:x and b:y", "(!a:x) && b:y"),
            ("not (a:x) && b:y", "(!a:x) && b:y"),
            ("not(a:x)", "!a:x"),
            ("!!a:x", "!(!a:x)"),
            ("a:x - b:y - c:z", "(a:x - b:y) - c:z"),
            ("a:x + b:y * 2 >= 3 == 1", "((a:x + (b:y * 2)) >= 3) == 1"),
            ("a:x -1", "a:x - 1"),
            ("a:x-1", "a:x-1"),
            ("2-1", "2 - 1"),
            ("- -a.b:c_d", ""),
            ("- - a.b:c_d", "- (- a.b:c_d)"),
            ("+ .5 + 1. + 1e2 + 2.5E-1", "((0.5 + 1) + 100) + 0.25"),
            ("0 < a:x <= 2 != b:y", "(0 < a:x <= 2) != b:y"),
            ("1 == (2 == 3) == 4", "1 == (2 == 3) == 4"),
            ("android:x or not:y", "android:x || not:y"),
        ] {
            let printed = Expr::parse(text).map(|expr| expr.to_string()).unwrap_or_default();
            assert_eq!(printed, expect, "{text}");
        }
    }

    #[test]
    fn services_come_once_each_in_order() {
        let expr = Expr::parse("b:2 && (a:1 || b:2) && b:3 > 0").expect("a good expression");
        assert_eq!(expr.services().collect::<Vec<_>>(), [("b", "2"), ("a", "1"), ("b", "3")]);
    }

    #[test]
    fn mistakes_show_the_place_and_the_reason() {
        for (text, marked, message) in [
            ("", "", "no service is named: write group:service"),
            ("  ", "  ", "no service is named: write group:service"),
            ("a:x b:y", "b:y", "no operator between `a:x` and `b:y`: if both are needed, write `a:x && b:y`"),
            (
                "(a:x b:y)",
                "b:y",
                "no operator between `a:x` and `b:y`: if both are needed, write `a:x && b:y`",
            ),
            ("a:x (b:y)", "(", "no operator before `(`: write `&&` if both sides are needed"),
            ("a:x !b:y", "!", "no operator before `!`: write `&&` if both sides are needed"),
            ("a:x 1", "1", "no operator before `1`: write `&&` if both sides are needed"),
            ("a:x &&", "", "a service is missing at the end"),
            ("&& a:x", "&&", "a service is missing before `&&`"),
            ("a:x && || b:y", "||", "a service is missing before `||`"),
            ("()", ")", "a service is missing before `)`"),
            ("(a:x", "(", "this `(` is never closed"),
            ("a:x)", ")", "this `)` has no `(`"),
            ("a:x & b:y", "&", "`&` is not an operator here: write `&&`"),
            ("a:x | b:y", "|", "`|` is not an operator here: write `||`"),
            ("a:x = 1", "=", "`=` is not an operator here: write `==`"),
            ("a:x ** 2", "**", "`**` is not an operator here"),
            (
                "a:x ? 1",
                "?",
                "`?` is not an operator here: there are && || ! and or not ( ) == != < > <= >= + - * /",
            ),
            (
                "a:x && ü",
                "ü",
                "`ü` is not an operator here: there are && || ! and or not ( ) == != < > <= >= + - * /",
            ),
            ("web", "web", "`web` is not a service: write group:service"),
            ("a:x AND b:y", "AND", "`AND` is not a service: write group:service"),
            ("a: x", "a", "`a` is not a service: write group:service"),
            (
                "a:x-b:y",
                "a:x-b:y",
                "`a:x-b:y` is more than group:service (`-` and `.` may be part of a name, so put blanks around an operator)",
            ),
            (
                "a:x -b:y",
                "-b:y",
                "`-b:y` begins or ends with `-` or `.` (`-` and `.` may be part of a name, so put blanks around an operator)",
            ),
            ("010", "010", "`010` begins with 0, which makes it octal: write it without"),
            ("1x", "1x", "`1x` is neither a service nor a number"),
            ("1e999", "1e999", "`1e999` is neither a service nor a number"),
        ] {
            let error = Expr::parse(text).expect_err(text);
            assert_eq!(
                (&text[error.span.0..error.span.1], error.message.as_str()),
                (marked, message),
                "{text}"
            );
        }
    }

    #[test]
    fn size_is_bounded() {
        for (piece, end) in
            [("(", "a:x"), ("!", "a:x"), ("not ", "a:x"), ("- ", "a:x"), ("a:x && ", "a:x"), ("1 - ", "a:x")]
        {
            let message = Expr::parse(&(piece.repeat(100_000) + end)).expect_err(piece).message;
            assert!(message.starts_with("more than"), "{message}");
        }
        let long = "a:x + ".repeat(MAX_OPERATORS) + "a:x";
        let sum = Expr::parse(&long).expect("just short enough");
        assert_eq!(sum.evaluate::<()>(&mut |_, _| Ok(true)), Ok(true));
    }

    fn an_expression() -> impl Strategy<Value = String> {
        let leaf = prop_oneof!["[a-z][a-z.-]?[0-9]:[a-z0-9_]{1,3}", "[1-9][0-9]?", "0\\.[0-9]{1,3}"];
        leaf.prop_recursive(5, 40, 2, |inner| {
            let operator =
                prop::sample::select(SYMBOLS[..12].iter().map(|(symbol, _)| *symbol).collect::<Vec<_>>());
            prop_oneof![
                inner.clone().prop_map(|x| format!("not {x}")),
                inner.clone().prop_map(|x| format!("! ({x})")),
                (inner.clone(), operator, inner).prop_map(|(x, operator, y)| format!("({x}) {operator} {y}")),
            ]
        })
    }

    proptest! {
        #[test]
        fn printed_and_parsed_again_it_is_the_same(text in an_expression()) {
            if let Ok(expr) = Expr::parse(&text) {
                prop_assert_eq!(Expr::parse(&expr.to_string()), Ok(expr));
            }
        }

        #[test]
        fn any_text_is_answered(text in "([a-c:1-3.() !&|<>=+*/-]|and|or|not|.){0,20}") {
            if let Err(error) = Expr::parse(&text) {
                prop_assert!(text.get(error.span.0..error.span.1).is_some());
            }
        }
    }
}
