//! A manual page from a help text.

use super::Entry;
use super::usage::Block;

/// The page, in man(7).
pub(super) fn page(entry: &Entry) -> String {
    let title = entry.name.replace(' ', "-");
    let (about, version) = (text(entry.about.trim_end_matches('.')), env!("CARGO_PKG_VERSION"));
    let mut page = format!(
        ".\\\" Written by `mon pages` from what the program says when it is asked for help.\n\
         .TH \"{}\" {} \"\" \"remon {version}\" \"System monitoring\"\n.SH NAME\n{} \\- {about}\n",
        title.to_uppercase(),
        entry.section(),
        text(&title),
    );
    let synopsis = entry.usage.0.iter().find_map(|block| match block {
        Block::Synopsis(lines) => Some(lines),
        _ => None,
    });
    if let Some(lines) = synopsis {
        page += &format!(".SH SYNOPSIS\n{}", verbatim(lines));
    }
    let mut section = "";
    for block in &entry.usage.0 {
        let wanted = match block {
            // What stands before all options describes; what follows them is a note.
            Block::Text(_) | Block::Verbatim(_) if section.is_empty() => "DESCRIPTION",
            Block::Text(_) if section == "OPTIONS" => "NOTES",
            Block::Items(items)
                if section.is_empty()
                    || items.iter().any(|item| item.spec.starts_with('-')) && section != "HEADED" =>
            {
                "OPTIONS"
            }
            Block::Heading(_) => "HEADED",
            _ => section,
        };
        if wanted != section && wanted != "HEADED" {
            page += &format!(".SH {wanted}\n");
        }
        section = wanted;
        page += &rendered(block);
    }
    if entry.name != "mon" {
        page += ".SH SEE ALSO\n.BR mon (8),\n.BR mon.cf (5)\n";
    } else {
        page += ".SH SEE ALSO\n.BR moncmd (1),\n.BR monshow (1),\n.BR monfailures (1),\n.BR mon.cf (5),\n\
                 .BR auth.cf (5),\n.BR mon\\-protocol (7)\n";
    }
    page
}

fn rendered(block: &Block) -> String {
    match block {
        Block::Synopsis(_) => String::new(),
        Block::Heading(words) => format!(".SH {}\n", text(&words.to_uppercase())),
        Block::Text(words) => format!(".PP\n{}\n", text(words)),
        Block::Verbatim(lines) => format!(".PP\n{}", verbatim(lines)),
        Block::Items(items) => {
            let item =
                |item: &super::usage::Item| format!(".TP\n.B {}\n{}\n", text(&item.spec), text(&item.text));
            items.iter().map(item).collect()
        }
    }
}

fn verbatim(lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| text(line) + "\n").collect();
    format!(".nf\n{lines}.fi\n")
}

/// As it is meant to be read: a hyphen that can be copied, no line taken for a request.
fn text(words: &str) -> String {
    let escaped = words.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::super::usage;
    use super::*;

    #[test]
    fn a_page() {
        let usage = usage::parse(
            "usage: a.monitor [-x N] HOST\n\nLooks.\n\n  -x N  a \\ and\n        .more\n\nExit status: 1.\n\nSigns:\n    -\n",
        );
        let entry = Entry { name: "a.monitor".to_owned(), about: "looks at hosts".to_owned(), usage };
        let page = page(&entry);
        let expected = ".SH NAME\na.monitor \\- looks at hosts\n.SH SYNOPSIS\n.nf\na.monitor [\\-x N] HOST\n.fi\n\
            .SH DESCRIPTION\n.PP\nLooks.\n.SH OPTIONS\n.TP\n.B \\-x N\na \\e and .more\n.SH NOTES\n.PP\nExit status: 1.\n\
            .SH SIGNS\n.TP\n.B \\-\n\n.SH SEE ALSO\n";
        assert!(page.contains(expected), "{page}");
        assert!(page.contains(".TH \"A.MONITOR\" 8 "), "{page}");
        assert_eq!(text(".x"), "\\&.x");
    }
}
