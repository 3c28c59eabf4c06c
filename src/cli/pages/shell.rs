//! What the shells complete after `mon` and its clients.

use super::Entry;
use super::usage::Item;

/// The names after `mon run`.
fn runnable(entries: &[Entry]) -> Vec<&Entry> {
    entries.iter().filter(|entry| entry.name != "mon" && !entry.name.starts_with("mon ")).collect()
}

/// The words after `mon`, with what they are for.
fn subcommands(entries: &[Entry]) -> Vec<(&str, &str)> {
    let named =
        entries.iter().filter_map(|entry| Some((entry.name.strip_prefix("mon ")?, entry.about.as_str())));
    named.chain([("run", "a built-in monitor, alert or client")]).collect()
}

/// What has completions under its own name.
fn commands(entries: &[Entry]) -> String {
    let clients = entries.iter().filter(|entry| entry.is_client()).map(|entry| entry.name.as_str());
    std::iter::once("mon").chain(clients).collect::<Vec<_>>().join(" ")
}

fn flags(entry: &Entry) -> Vec<&str> {
    entry.usage.options().flat_map(Item::flags).collect()
}

fn names(entries: &[&Entry]) -> String {
    entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(" ")
}

/// For bash-completion, which loads the file of the command's name.
pub(super) fn bash(entries: &[Entry]) -> String {
    let mut cases = String::new();
    for entry in entries {
        let mut words = flags(entry);
        if entry.name == "mon" {
            words.extend(subcommands(entries).iter().map(|(name, _)| *name));
        }
        cases += &format!("        '{}') words='{}' ;;\n", entry.name, words.join(" "));
    }
    let all = names(&runnable(entries));
    format!(
        "# Completions for mon and its clients in bash.\n\
         _mon() {{\n\
         \x20   local cur=${{COMP_WORDS[COMP_CWORD]}} program=${{1##*/}} words=\n\
         \x20   if [ \"$program\" = mon ] && [ \"$COMP_CWORD\" -gt 1 ]; then\n\
         \x20       program=\"mon ${{COMP_WORDS[1]}}\"\n\
         \x20       [ \"$program\" != 'mon run' ] || [ \"$COMP_CWORD\" -eq 2 ] || program=${{COMP_WORDS[2]}}\n\
         \x20   fi\n\
         \x20   case $program in\n\
         {cases}\
         \x20       'mon run') words='{all}' ;;\n\
         \x20   esac\n\
         \x20   mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n\
         \x20   [[ $cur == -* || $program == 'mon run' ]] || mapfile -t -O \"${{#COMPREPLY[@]}}\" COMPREPLY < <(compgen -f -- \"$cur\")\n\
         }}\n\
         complete -o filenames -F _mon {}\n",
        commands(entries)
    )
}

/// For zsh: found by its first line.
pub(super) fn zsh(entries: &[Entry]) -> String {
    let described = |name: &str, text: &str| {
        // A colon ends the word; a quote ends the string.
        format!(" '{}:{}'", name.replace(':', "\\:"), text.replace('\'', "'\\''"))
    };
    let mut cases = String::new();
    for entry in entries {
        let options =
            entry.usage.options().flat_map(|item| item.flags().map(move |flag| (flag, item.text.as_str())));
        let words = if entry.name == "mon" { subcommands(entries) } else { Vec::new() };
        let words: String = options.chain(words).map(|(name, text)| described(name, text)).collect();
        cases += &format!("    '{}') offered=({words} ) ;;\n", entry.name);
    }
    let all: String = runnable(entries).iter().map(|entry| described(&entry.name, &entry.about)).collect();
    format!(
        "#compdef {}\n\
         # Completions for mon and its clients in zsh.\n\
         local program=${{service:t}}\n\
         local -a offered\n\
         if [[ $program == mon ]] && (( CURRENT > 2 )); then\n\
         \x20   program=\"mon $words[2]\"\n\
         \x20   [[ $program == 'mon run' ]] && (( CURRENT > 3 )) && program=$words[3]\n\
         fi\n\
         case $program in\n\
         {cases}\
         \x20   'mon run') offered=({all} ) ;;\n\
         esac\n\
         _describe word offered\n\
         [[ $program == 'mon run' ]] || _files\n",
        commands(entries)
    )
}

/// For fish.
pub(super) fn fish(entries: &[Entry]) -> String {
    let mut lines = String::from("# Completions for mon and its clients in fish.\n");
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    for entry in entries.iter().filter(|entry| !entry.name.contains('.')) {
        let (command, condition) = match entry.name.strip_prefix("mon ") {
            Some(subcommand) => ("mon", format!(" -n '__fish_seen_subcommand_from {subcommand}'")),
            None if entry.name == "mon" => ("mon", " -n __fish_use_subcommand".to_owned()),
            None => (entry.name.as_str(), String::new()),
        };
        for item in entry.usage.options() {
            let flag = |flag: &str| match flag.strip_prefix("--") {
                Some(long) => format!(" -l {long}"),
                None => format!(" -s {}", &flag[1..]),
            };
            let flags: String = item.flags().map(flag).collect();
            let value = if item.takes_value() { " -r" } else { "" };
            lines += &format!("complete -c {command}{condition}{flags}{value} -d {}\n", quoted(&item.text));
        }
    }
    for (name, about) in subcommands(entries) {
        lines += &format!("complete -c mon -n __fish_use_subcommand -a {name} -d {}\n", quoted(about));
    }
    for entry in runnable(entries) {
        let condition = "'__fish_seen_subcommand_from run'";
        lines +=
            &format!("complete -c mon -f -n {condition} -a {} -d {}\n", entry.name, quoted(&entry.about));
    }
    lines
}
