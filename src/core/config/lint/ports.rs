//! Ports that are almost those of the service.

use super::super::sink::Sink;
use super::super::values::words;
use super::service::ServiceView;
use super::warning;

/// Services by the names that they are given, and where they answer.
const PORTS: [(&str, &str); 28] = [
    ("amqp", "5672"),
    ("dns", "53"),
    ("ftps", "990"),
    ("http", "80"),
    ("https", "443"),
    ("imap", "143"),
    ("imaps", "993"),
    ("ircd", "6667"),
    ("ldap", "389"),
    ("ldaps", "636"),
    ("mongodb", "27017"),
    ("mysql", "3306"),
    ("nfs", "2049"),
    ("nntp", "119"),
    ("nntps", "563"),
    ("oracle", "1521"),
    ("pop3", "110"),
    ("pop3s", "995"),
    ("postgresql", "5432"),
    ("rdp", "3389"),
    ("redis", "6379"),
    ("rsync", "873"),
    ("sieve", "4190"),
    ("smb", "445"),
    ("smtps", "465"),
    ("ssh", "22"),
    ("submission", "587"),
    ("web", "80"),
];

/// `service https` at port 44: a digit is missing, or two changed places. Whoever moved it took another number.
pub(super) fn check(view: &ServiceView<'_>, sink: &mut Sink<'_>) {
    let Some(line) = view.last("monitor") else { return };
    let name = &*view.service.name;
    let text = view.source.slice(line.rest);
    let all: Vec<&str> = words(text).collect();
    if all.first().and_then(|program| program.rsplit('/').next()) != Some("tcp.monitor") {
        return;
    }
    let ports: Vec<&str> =
        all.windows(2).filter(|pair| matches!(pair[0], "-p" | "--port")).map(|pair| pair[1]).collect();
    let [port] = ports[..] else { return };
    let start = port.as_ptr() as usize - text.as_ptr() as usize;
    let is_half_a_number = port.starts_with(|c: char| c.is_ascii_digit()) && port.parse::<u16>().is_err();
    if is_half_a_number {
        let complaint = warning("W069", format!("`{port}` is no port"), "expected 1 to 65535")
            .help("write a number, or a name of /etc/services".to_owned());
        return sink.warn(line.rest.part(start, start + port.len()), line.line, complaint);
    }
    let Some((_, known)) = PORTS.iter().find(|(service, _)| *service == name) else { return };
    if is_cut_short(port, known) {
        let message = format!("port {port} is almost {known}, where `{name}` answers");
        let complaint = warning("W069", message, "a digit less?").help(format!("did you mean `{known}`?"));
        sink.warn(line.rest.part(start, start + port.len()), line.line, complaint);
    }
}

fn is_cut_short(port: &str, known: &str) -> bool {
    let without = |at: usize| format!("{}{}", &known[..at], &known[at + 1..]);
    let mut digits: Vec<char> = known.chars().collect();
    let mut is_swapped = |at: usize| {
        digits.swap(at, at + 1);
        let swapped: String = digits.iter().collect();
        digits.swap(at, at + 1);
        swapped == port && swapped != known
    };
    (0..known.len()).any(|at| without(at) == port) || (0..known.len() - 1).any(&mut is_swapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_or_swapped_digit_is_told_from_another_port() {
        for (port, known) in [("8", "80"), ("44", "443"), ("434", "443"), ("2094", "2049"), ("532", "5432")] {
            assert!(is_cut_short(port, known), "{port} {known}");
        }
        for (port, known) in [("8080", "80"), ("443", "443"), ("2222", "22"), ("222", "22"), ("8443", "443")]
        {
            assert!(!is_cut_short(port, known), "{port} {known}");
        }
    }
}
