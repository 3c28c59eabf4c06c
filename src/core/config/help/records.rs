//! Keywords that begin records, and `service`.

use super::{Keyword, Where, keyword};

pub(super) const KEYWORDS: &[Keyword] = &[
    keyword(
        Where::Record,
        "hostgroup",
        "NAME [HOST...]",
        "",
        "A group of hosts: what monitors get as arguments. Lines below it are more hosts, down to the next blank line.",
    ),
    keyword(
        Where::Record,
        "watch",
        "NAME",
        "",
        "The services of a hostgroup. A blank line ends it, so there must be none inside. Without a hostgroup of that \
         name above, one is made whose only host is NAME. The watch `default` with a service `default` takes the traps \
         that nothing else takes.",
    ),
    keyword(
        Where::Record,
        "view",
        "NAME MEMBER...",
        "",
        "What clients show under that name: groups, and single services as `group:service`. Lines below it are more \
         members, down to the next blank line.",
    ),
    keyword(
        Where::Record,
        "alias",
        "NAME",
        "",
        "Free text for clients: the lines below it, down to the next blank line.",
    ),
    keyword(
        Where::Watch,
        "service",
        "NAME",
        "",
        "One question about the hosts of the watch. What it does stands below: `interval`, `monitor`, then one or more \
         `period`. Its name is unique in the watch.",
    ),
];
