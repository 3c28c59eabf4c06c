//! The parts of a help text: usage lines, paragraphs, options with what they mean.

/// A help text, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Usage(pub(super) Vec<Block>);

/// What stands between two empty lines, or below a heading.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// How it is called.
    Synopsis(Vec<String>),
    /// `Exit status:` on a line of its own.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// What may be given, each with its meaning.
    Items(Vec<Item>),
    /// Lines that must stay as they are.
    Verbatim(Vec<String>),
}

/// An option or an argument.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// `-p PORT`.
    pub(super) spec: String,
    pub(super) text: String,
}

impl Item {
    /// The options it stands for: `-M, --m4[=<PATH>]` is two.
    pub(super) fn flags(&self) -> impl Iterator<Item = &str> {
        let words = self.spec.split([' ', ',']).filter(|word| word.starts_with('-') && word.len() > 1);
        words.map(|word| word.split(['[', '=']).next().unwrap_or(word))
    }

    /// Does a value follow?
    pub(super) fn takes_value(&self) -> bool {
        self.spec.split([' ', ',']).any(|word| !word.is_empty() && !word.starts_with(['-', '[']))
    }
}

impl Usage {
    /// All options.
    pub(super) fn options(&self) -> impl Iterator<Item = &Item> {
        let items =
            self.0.iter().flat_map(|block| if let Block::Items(items) = block { &items[..] } else { &[] });
        items.filter(|item| item.spec.starts_with('-'))
    }
}

/// Takes a help text apart; whatever it is, nothing of it is lost.
pub(super) fn parse(text: &str) -> Usage {
    let mut blocks = Vec::new();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    for chunk in lines.split(|line| line.is_empty()).filter(|chunk| !chunk.is_empty()) {
        let (first, rest) = (chunk[0], &chunk[1..]);
        if first.to_ascii_lowercase().starts_with("usage:") {
            blocks.push(synopsis(chunk));
        } else if first.ends_with(':')
            && !first.starts_with(' ')
            && rest.iter().all(|line| line.starts_with(' '))
        {
            blocks.push(Block::Heading(first.trim_end_matches(':').to_owned()));
            if !rest.is_empty() {
                blocks.push(indented(rest));
            }
        } else if chunk.iter().all(|line| line.starts_with(' ')) {
            blocks.push(indented(chunk));
        } else {
            blocks.push(Block::Text(chunk.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")));
        }
    }
    Usage(blocks)
}

/// Lines that begin below the first one's word keep their places.
fn synopsis(chunk: &[&str]) -> Block {
    let width = "usage: ".len();
    // A line that begins further left than that loses nothing.
    let cut = |line: &str| -> String {
        line.get(width..).filter(|rest| !rest.is_empty()).unwrap_or(line).to_owned()
    };
    Block::Synopsis(chunk.iter().map(|line| cut(line)).collect())
}

fn indented(lines: &[&str]) -> Block {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let least = lines.iter().map(|line| indent(line)).min().unwrap_or(0);
    let dashed = lines[0].trim_start().starts_with('-');
    if !dashed && !lines[0].trim_start().contains("  ") {
        return Block::Verbatim(lines.iter().map(|line| line[least..].to_owned()).collect());
    }
    let mut items: Vec<Item> = Vec::new();
    for line in lines {
        let word = line.trim_start();
        // `      --long` stands below `  -s, --long`; what is further in belongs to the item before.
        let begins =
            if dashed { word.starts_with('-') && indent(line) <= least + 4 } else { indent(line) == least };
        match items.last_mut() {
            Some(item) if !begins => {
                let blank = if item.text.is_empty() { "" } else { " " };
                item.text += &format!("{blank}{word}");
            }
            _ => {
                let (spec, text) = word.split_once("  ").unwrap_or((word, ""));
                items.push(Item { spec: spec.to_owned(), text: text.trim_start().to_owned() });
            }
        }
    }
    Block::Items(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "\
usage: tcp.monitor [-p PORT]
                   HOST...

Connects to every
host.

  -p PORT     number
              or name
      --help  this text
  -s -g
              as given

Commands:
    ack GROUP
    list
";

    fn item(spec: &str, text: &str) -> Item {
        Item { spec: spec.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn our_own_texts() {
        let lines = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        let items =
            vec![item("-p PORT", "number or name"), item("--help", "this text"), item("-s -g", "as given")];
        let expected = vec![
            Block::Synopsis(lines(&["tcp.monitor [-p PORT]", "            HOST..."])),
            Block::Text("Connects to every host.".to_owned()),
            Block::Items(items),
            Block::Heading("Commands".to_owned()),
            Block::Verbatim(lines(&["ack GROUP", "list"])),
        ];
        assert_eq!(parse(OURS).0, expected);
    }

    #[test]
    fn texts_of_clap() {
        let usage = parse(
            "Find it\n\nUsage: mon check [FILE]\n\nArguments:\n  [FILE]  The file\n\nOptions:\n  -M, --m4[=<PATH>]  Run\n  -h, --help         Print\n",
        );
        let options: Vec<&Item> = usage.options().collect();
        assert_eq!(options[0].flags().collect::<Vec<_>>(), ["-M", "--m4"]);
        assert_eq!(options.len(), 2);
        assert!(!options[0].takes_value() && !options[1].takes_value());
        assert!(item("-p PORT", "").takes_value() && item("--at <EPOCH>", "").takes_value());
        assert!(!item("-s -g -h", "").takes_value() && !item("-l [type]", "").takes_value());
    }

    #[test]
    fn odd_texts_are_kept() {
        assert_eq!(parse("").0, []);
        assert_eq!(parse("usage:").0, [Block::Synopsis(vec!["usage:".to_owned()])]);
        assert_eq!(parse("usage: ä").0, [Block::Synopsis(vec!["ä".to_owned()])]);
        assert_eq!(parse("x:\n").0, [Block::Heading("x".to_owned())]);
    }
}
