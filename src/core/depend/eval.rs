//! What a dependency expression says, given the state of the services.

use std::fmt;

use super::{Binary, Comparison, Expr, Node};

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvalError<E> {
    /// The state of a service could not be found out.
    Lookup(E),
    /// As in Perl, dividing by zero is an error.
    DivisionByZero,
}

impl<E: fmt::Display> fmt::Display for EvalError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::Lookup(error) => error.fmt(f),
            EvalError::DivisionByZero => f.write_str("division by zero"),
        }
    }
}

struct DivisionByZero;

impl Expr {
    /// Whether the expression is true, `value` telling for group and service whether that service is good.
    ///
    /// As in the original all services are looked up before anything is evaluated, so an error of any of them
    /// is an error of the whole: `good:a || looping:b` is one.
    ///
    /// # Errors
    /// The first one `value` gives, or a division by zero.
    pub fn evaluate<E>(
        &self,
        value: &mut dyn FnMut(&str, &str) -> Result<bool, E>,
    ) -> Result<bool, EvalError<E>> {
        let good = self.look_up(value).map_err(EvalError::Lookup)?;
        match number(&self.root, &good) {
            Ok(number) => Ok(is_true(number)),
            Err(DivisionByZero) => Err(EvalError::DivisionByZero),
        }
    }

    /// Group and service of those services that are not good, in order of appearance; none if the expression is
    /// true all the same.
    ///
    /// # Errors
    /// The first one `value` gives.
    pub fn culprits<E>(
        &self,
        value: &mut dyn FnMut(&str, &str) -> Result<bool, E>,
    ) -> Result<Vec<(&str, &str)>, E> {
        let good = self.look_up(value)?;
        if number(&self.root, &good).is_ok_and(is_true) {
            return Ok(Vec::new());
        }
        Ok(self.services().zip(good).filter(|(_, good)| !good).map(|(name, _)| name).collect())
    }

    fn look_up<E>(&self, value: &mut dyn FnMut(&str, &str) -> Result<bool, E>) -> Result<Vec<bool>, E> {
        self.services().map(|(group, service)| value(group, service)).collect()
    }
}

/// Perl's idea of truth.
fn is_true(number: f64) -> bool {
    number != 0.0
}

fn truth(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}

/// Perl's `&&` and `||` give one of their operands, and the second is looked at only if need be.
fn number(node: &Node, good: &[bool]) -> Result<f64, DivisionByZero> {
    Ok(match node {
        Node::Service(index) => truth(good[*index as usize]),
        Node::Number(number) => *number,
        Node::Not(inner) => truth(!is_true(number(inner, good)?)),
        Node::Negate(inner) => -number(inner, good)?,
        Node::Binary(operator, operands) => {
            let [left, right] = &**operands;
            let left = number(left, good)?;
            match operator {
                Binary::And if !is_true(left) => left,
                Binary::Or if is_true(left) => left,
                _ => apply(*operator, left, number(right, good)?)?,
            }
        }
        Node::Comparison(first, others) => {
            let mut left = number(first, good)?;
            for (operator, operand) in others {
                let right = number(operand, good)?;
                if !holds(*operator, left, right) {
                    return Ok(truth(false));
                }
                left = right;
            }
            truth(true)
        }
    })
}

fn apply(operator: Binary, left: f64, right: f64) -> Result<f64, DivisionByZero> {
    Ok(match operator {
        Binary::Or | Binary::And => right,
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide if right == 0.0 => return Err(DivisionByZero),
        Binary::Divide => left / right,
    })
}

fn holds(operator: Comparison, left: f64, right: f64) -> bool {
    match operator {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Group `up` is good, group `down` is not, of all others nothing is known.
    fn state(group: &str, service: &str) -> Result<bool, String> {
        match group {
            "up" => Ok(true),
            "down" => Ok(false),
            _ => Err(format!("what is {group}:{service}?")),
        }
    }

    fn value(text: &str) -> Result<bool, EvalError<String>> {
        Expr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).evaluate(&mut state)
    }

    #[test]
    fn values() {
        for (text, expect) in [
            ("up:a", true),
            ("down:a", false),
            ("up:a && up:b", true),
            ("up:a && down:b", false),
            ("down:a || up:b", true),
            ("down:a or down:b", false),
            ("!down:a", true),
            ("not up:a", false),
            ("up:a && !(down:b || down:c)", true),
            ("down:a && down:b || up:c", true),
            ("up:a || down:b && down:c", true),
            ("up:a or down:b and down:c", true),
            ("not down:a and up:b", true),
            ("not down:a && up:b", true),
            ("not up:a && down:b", true),
            ("!up:a && down:b", false),
            ("not (up:a) && down:b", false),
            ("not(down:a) + 1 == 2", true),
            ("1 + not down:a", true),
            ("1 == not 0 && 0", true),
            ("!down:a + 1 == 2", true),
            ("up:a + up:b + down:c >= 2", true),
            ("up:a + down:b + down:c >= 2", false),
            ("up:a - up:b", false),
            ("up:a - up:b - up:c == -1", true),
            ("8 / 4 / 2 == 1", true),
            ("1 + 2 * 3 == 7", true),
            ("1 + 1 < 2 == down:a", true),
            ("- up:a < 0", true),
            ("(up:a + down:b) / 2 > .4", true),
            ("(up:a + down:b) / 2 > 5e-1", false),
            ("2 && 3", true),
            ("down:a != down:b", false),
            ("0.0", false),
            ("0 && 1 / 0", false),
            ("up:a || 1 / down:b", true),
            ("7 <= 7 && 8 != 7", true),
            ("0 < up:a < 2", true),
            ("3 > 2 > 1", true),
            ("3 > 2 > 2", false),
            ("0 != 1 != 0", true),
            ("(3 > 2) > 1", false),
            ("1 < 0 < 1 / 0", false),
        ] {
            assert_eq!(value(text), Ok(expect), "{text}");
        }
    }

    #[test]
    fn errors() {
        for (text, expect) in [
            ("up:a || lost:b", EvalError::Lookup("what is lost:b?".into())),
            ("lost:a + lost:b", EvalError::Lookup("what is lost:a?".into())),
            ("up:a / down:b", EvalError::DivisionByZero),
            ("down:a / 0", EvalError::DivisionByZero),
        ] {
            assert_eq!(value(text), Err(expect), "{text}");
        }
    }

    #[test]
    fn culprits() {
        for (text, expect) in [
            ("up:a && down:b && down:c && down:b", &[("down", "b"), ("down", "c")][..]),
            ("up:a || down:b", &[]),
            ("!up:a", &[]),
            ("1 / down:a", &[("down", "a")]),
        ] {
            let expr = Expr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(expr.culprits(&mut state), Ok(expect.to_vec()), "{text}");
        }
    }
}
