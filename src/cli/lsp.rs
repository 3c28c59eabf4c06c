//! `mon lsp`: a language server for mon.cf on standard input and output.
//!
//! One message at a time, in the order in which they come, so every answer is about the text that the client had
//! when it asked. Diagnostics wait until no message is left: who types fast is not told about each letter.

mod actions;
mod catalogue;
mod completion;
mod document;
mod hover;
mod names;
mod rpc;
mod symbols;

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};

use serde_json::{Value, json};

use super::fmt::formatted;
use document::Document;
use rpc::{Failure, Incoming};

/// More diagnostics of one file no editor needs to show.
const MOST_SHOWN: usize = 2000;

/// Arguments of `mon lsp`.
#[derive(Debug, clap::Args)]
pub(crate) struct LspArgs {
    /// Accepted, as some editors add it: there is no other way
    #[arg(long)]
    stdio: bool,
    /// The files are for another machine: do not look for their programs and auth.cf on this one
    #[arg(long)]
    elsewhere: bool,
}

/// Serves until the client says `exit` or goes away. Exit status: 0 if it said `shutdown` before.
pub(crate) fn run(args: &LspArgs) -> ExitCode {
    let (sender, incoming) = mpsc::channel();
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let message = rpc::read(&mut input);
            let last = message == Incoming::End;
            if sender.send(message).is_err() || last {
                return;
            }
        }
    });
    let mut server = Server {
        documents: BTreeMap::new(),
        phase: Phase::Begun,
        elsewhere: args.elsewhere,
        output: io::stdout().lock(),
    };
    match server.serve(&incoming) {
        Ok(()) if server.phase == Phase::ShutDown => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

#[derive(Debug, PartialEq)]
enum Phase {
    Begun,
    Initialized,
    ShutDown,
}

struct Server<W> {
    documents: BTreeMap<String, Document>,
    phase: Phase,
    elsewhere: bool,
    output: W,
}

impl<W: Write> Server<W> {
    fn serve(&mut self, incoming: &Receiver<Incoming>) -> io::Result<()> {
        let mut waiting = VecDeque::new();
        loop {
            waiting.extend(incoming.try_iter());
            if waiting.is_empty() {
                self.publish()?;
                waiting.extend(incoming.recv());
            }
            match waiting.pop_front() {
                None | Some(Incoming::End) => return Ok(()),
                Some(Incoming::Malformed(why)) => {
                    self.respond(&Value::Null, Err(Failure::new(Failure::PARSE, why)))?;
                }
                Some(Incoming::Message(message)) if message["method"] == "exit" => return Ok(()),
                Some(Incoming::Message(message)) => self.message(&message, &waiting)?,
            }
        }
    }

    fn message(&mut self, message: &Value, waiting: &VecDeque<Incoming>) -> io::Result<()> {
        let (id, params) = (&message["id"], &message["params"]);
        let Some(method) = message["method"].as_str() else {
            // An answer to a request of ours, of which there are none, or nonsense.
            let is_answer = !message["result"].is_null() || !message["error"].is_null();
            let failure = Failure::new(Failure::INVALID, "a message has a method");
            return if is_answer { Ok(()) } else { self.respond(id, Err(failure)) };
        };
        if id.is_null() {
            // Nobody waits for an answer to a notification, so what is wrong with it is not said either.
            let _ = self.notification(method, params);
            return Ok(());
        }
        let answer = match self.phase {
            _ if is_cancelled(id, waiting) => Err(Failure::new(Failure::CANCELLED, "cancelled")),
            Phase::Begun if method != "initialize" => {
                Err(Failure::new(Failure::NOT_INITIALIZED, "`initialize` comes first"))
            }
            Phase::ShutDown => Err(Failure::new(Failure::INVALID, "shut down")),
            _ => self.request(method, params),
        };
        self.respond(id, answer)
    }

    fn respond(&mut self, id: &Value, answer: Result<Value, Failure>) -> io::Result<()> {
        let message = match answer {
            Ok(result) => json!({"id": id, "result": result}),
            Err(Failure { code, message }) => json!({"id": id, "error": {"code": code, "message": message}}),
        };
        rpc::write(&mut self.output, message)
    }

    fn notification(&mut self, method: &str, params: &Value) -> Result<(), Failure> {
        let file = &params["textDocument"];
        let uri = || file["uri"].as_str().ok_or_else(|| Failure::params("uri"));
        match method {
            "textDocument/didOpen" => {
                let text = file["text"].as_str().ok_or_else(|| Failure::params("text"))?.to_owned();
                let document = Document::new(uri()?, text, file["version"].clone(), self.elsewhere);
                self.documents.insert(uri()?.to_owned(), document);
            }
            "textDocument/didChange" => {
                let document = self.document(params)?;
                for change in params["contentChanges"].as_array().into_iter().flatten() {
                    document.change(change)?;
                }
                document.set_version(file["version"].clone());
            }
            "textDocument/didClose" => {
                self.documents.remove(uri()?);
                // What is no longer open has no diagnostics.
                let params = json!({"uri": uri()?, "diagnostics": []});
                let _ = rpc::write(&mut self.output, published(params));
            }
            _ => {}
        }
        Ok(())
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value, Failure> {
        match method {
            "initialize" => {
                self.phase = Phase::Initialized;
                return Ok(capabilities());
            }
            "shutdown" => {
                self.phase = Phase::ShutDown;
                return Ok(Value::Null);
            }
            _ => {}
        }
        let answer: fn(&mut Document, &str, &Value) -> Result<Value, Failure> = match method {
            "textDocument/hover" => |document, _, params| hover::hover(document, params),
            "textDocument/completion" => |document, _, params| completion::completion(document, params),
            "textDocument/definition" => names::definition,
            "textDocument/references" => names::references,
            "textDocument/documentHighlight" => |document, _, params| names::highlights(document, params),
            "textDocument/prepareRename" => |document, _, params| names::prepare_rename(document, params),
            "textDocument/rename" => names::rename,
            "textDocument/documentSymbol" => |document, _, _| Ok(symbols::symbols(document)),
            "textDocument/formatting" => |document, _, _| formatting(document),
            "textDocument/codeAction" => actions::actions,
            _ => return Err(Failure::new(Failure::NO_METHOD, format!("no method {method}"))),
        };
        let uri = params["textDocument"]["uri"].as_str().unwrap_or_default().to_owned();
        answer(self.document(params)?, &uri, params)
    }

    fn document(&mut self, params: &Value) -> Result<&mut Document, Failure> {
        let uri = params["textDocument"]["uri"].as_str().ok_or_else(|| Failure::params("uri"))?;
        self.documents.get_mut(uri).ok_or_else(|| Failure::new(Failure::PARAMS, format!("{uri} is not open")))
    }

    /// Sends the diagnostics of every file that has changed.
    fn publish(&mut self) -> io::Result<()> {
        for (uri, document) in self.documents.iter_mut().filter(|(_, document)| !document.published) {
            document.published = true;
            document.checked();
            let document = &*document;
            let found: Vec<Value> =
                document.diagnostics().iter().take(MOST_SHOWN).map(|found| document.shown(found)).collect();
            let mut params = json!({"uri": uri, "diagnostics": found});
            if !document.version().is_null() {
                params["version"] = document.version().clone();
            }
            rpc::write(&mut self.output, published(params))?;
        }
        Ok(())
    }
}

fn published(params: Value) -> Value {
    json!({"method": "textDocument/publishDiagnostics", "params": params})
}

/// Whether the client has taken a request back that is still waiting.
fn is_cancelled(id: &Value, waiting: &VecDeque<Incoming>) -> bool {
    let cancels = |message: &Incoming| match message {
        Incoming::Message(message) => {
            message["method"] == "$/cancelRequest" && message["params"]["id"] == *id
        }
        _ => false,
    };
    waiting.iter().any(cancels)
}

fn capabilities() -> Value {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            // Changes come as ranges.
            "textDocumentSync": {"openClose": true, "change": 2},
            "hoverProvider": true,
            "completionProvider": {"triggerCharacters": [" ", "-", ":", "="]},
            "definitionProvider": true,
            "referencesProvider": true,
            "documentHighlightProvider": true,
            "renameProvider": {"prepareProvider": true},
            "documentSymbolProvider": true,
            "documentFormattingProvider": true,
            "codeActionProvider": {"codeActionKinds": ["quickfix"]},
        },
        "serverInfo": {"name": "mon", "version": env!("CARGO_PKG_VERSION")},
    })
}

/// `mon fmt`, whatever the editor's own settings say: a file has one layout.
fn formatting(document: &Document) -> Result<Value, Failure> {
    let old = &document.text;
    let new = formatted(old, &document.path).map_err(|why| Failure::new(Failure::FAILED, why.reason()))?;
    if new == *old {
        return Ok(json!([]));
    }
    // Only the lines that differ, so that the cursor stays where it is.
    let same = |left: &str, right: &str| left == right;
    let head: usize = old
        .split_inclusive('\n')
        .zip(new.split_inclusive('\n'))
        .take_while(|(old, new)| same(old, new))
        .map(|(line, _)| line.len())
        .sum();
    let tail: usize = old[head..]
        .split_inclusive('\n')
        .rev()
        .zip(new[head..].split_inclusive('\n').rev())
        .take_while(|(old, new)| same(old, new))
        .map(|(line, _)| line.len())
        .sum();
    let range = document.range(&(head..old.len() - tail));
    Ok(json!([{"range": range, "newText": new[head..new.len() - tail]}]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server in that phase answers to a request while those messages wait.
    fn answer(phase: Phase, method: &str, waiting: &[Value]) -> String {
        let mut server = Server { documents: BTreeMap::new(), phase, elsewhere: true, output: Vec::new() };
        let waiting = waiting.iter().cloned().map(Incoming::Message).collect();
        server.message(&json!({"id": "a", "method": method}), &waiting).expect("a vector takes everything");
        String::from_utf8(server.output).expect("JSON")
    }

    #[test]
    fn a_request_that_was_taken_back_is_not_worked_on() {
        let cancel = |id: Value| json!({"method": "$/cancelRequest", "params": {"id": id}});
        let asked = |waiting: &[Value]| answer(Phase::Initialized, "shutdown", waiting);
        assert!(asked(&[json!({}), cancel(json!("a"))]).contains("-32800"));
        assert!(asked(&[cancel(json!("b")), cancel(json!(1))]).contains("\"result\":null"));
    }

    #[test]
    fn the_phases_are_kept() {
        assert!(answer(Phase::Begun, "shutdown", &[]).contains("-32002"));
        assert!(answer(Phase::Begun, "initialize", &[]).contains("hoverProvider"));
        assert!(answer(Phase::ShutDown, "initialize", &[]).contains("-32600"));
    }

    /// Every request at every place of every file of tests/config is answered, by something or nothing.
    #[test]
    fn any_place_can_be_asked_about() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config");
        let methods = ["hover", "completion", "definition", "references", "documentHighlight", "rename"];
        let mut server = Server {
            documents: BTreeMap::new(),
            phase: Phase::Initialized,
            elsewhere: false,
            output: Vec::new(),
        };
        let mut asked = 0;
        for entry in std::fs::read_dir(folder).expect("tests/config can be listed") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "cf") {
                continue;
            }
            let text = remon_core::text::decode(std::fs::read(&path).expect("a file"));
            let lines: Vec<usize> = text.split('\n').map(str::len).collect();
            server.documents.insert("f".into(), Document::new("f", text, Value::Null, false));
            for (line, length) in lines.into_iter().enumerate() {
                for character in (0..=length).step_by(3) {
                    let at = json!({"line": line, "character": character});
                    let params = json!({"textDocument": {"uri": "f"}, "position": at, "newName": "new"});
                    for method in methods {
                        let answer = server.request(&format!("textDocument/{method}"), &params);
                        assert!(answer.is_ok() || method == "rename", "{method} {at}: {answer:?}");
                        asked += 1;
                    }
                    let range = json!({"start": at, "end": {"line": line, "character": length}});
                    let params = json!({"textDocument": {"uri": "f"}, "range": range});
                    assert!(server.request("textDocument/codeAction", &params).is_ok());
                }
            }
        }
        assert!(asked > 10_000);
    }
}
