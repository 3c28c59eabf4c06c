//! Worlds at work: the parent deals rows out, each child has a world and plays them.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use crate::pairing::Pairing;
use crate::rows::{self, Row};
use crate::scene::{Mode, Scene};
use crate::world::World;

/// The first argument of a child.
pub(crate) const WORLD: &str = "--world";

/// What a child has of its own. When its first process ends, so does everything that it started.
pub(crate) const KINDS: [&str; 6] = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// Worlds at the same time. They wait for most of their time.
const WORLDS: usize = 4;

/// What came of a row.
pub(crate) type Outcome = Result<String, Failure>;

/// Why a row failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not even begin.
    Broken(String),
    /// What arrived is not what must arrive.
    Row(String),
}

impl Failure {
    /// The words.
    pub(crate) fn why(&self) -> &str {
        let (Failure::Broken(why) | Failure::Row(why)) = self;
        why
    }
}

/// Plays rows in several worlds; the results come in the order of the rows.
pub(crate) fn play(pairing: Pairing, mode: Mode, rows: &[&'static Row]) -> Vec<(&'static Row, Outcome)> {
    let playable = rows.iter().enumerate().filter(|(_, row)| (row.cannot)(pairing).is_none());
    let left = Mutex::new(playable.map(|(index, row)| (index, *row)).collect::<VecDeque<_>>());
    let results = Mutex::new(Vec::new());
    let worlds = WORLDS.min(rows.len());
    thread::scope(|scope| {
        for number in 0..worlds {
            let (left, results) = (&left, &results);
            scope.spawn(move || {
                let mut world = None;
                let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                while let Some((index, row)) = next() {
                    let outcome =
                        Distant::of(&mut world, pairing, mode, number).and_then(|there| there.play(row));
                    if outcome.is_err() {
                        // What a failed row left behind is nobody's business.
                        world = None;
                    }
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, row, outcome));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, ..)| *index);
    results.into_iter().map(|(_, row, outcome)| (row, outcome)).collect()
}

/// A world in a child.
struct Distant {
    child: Child,
    answers: BufReader<ChildStdout>,
    dir: PathBuf,
}

impl Distant {
    /// The world of this worker, made if there is none.
    fn of(
        world: &mut Option<Distant>,
        pairing: Pairing,
        mode: Mode,
        number: usize,
    ) -> Result<&mut Distant, Failure> {
        if world.is_none() {
            let mut fresh = Distant::start(pairing, mode, number).map_err(Failure::Broken)?;
            fresh.answer()?;
            *world = Some(fresh);
        }
        world.as_mut().ok_or_else(|| Failure::Broken("it was just made".to_owned()))
    }

    fn start(pairing: Pairing, mode: Mode, number: usize) -> Result<Distant, String> {
        let said = |error: std::io::Error| error.to_string();
        let dir = std::env::temp_dir().join(format!("remon-pair-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).map_err(said)?;
        let mut command = Command::new("unshare");
        command.args(KINDS).arg(std::env::current_exe().map_err(said)?);
        command.args([WORLD, &pairing.to_string(), &format!("{mode:?}")]).arg(&dir);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(said)?;
        let stdout = child.stdout.take().expect("it is piped");
        Ok(Distant { child, answers: BufReader::new(stdout), dir })
    }

    fn play(&mut self, row: &Row) -> Outcome {
        let stdin = self.child.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{}", row.name)
            .map_err(|error| Failure::Broken(format!("the world has gone: {error}")))?;
        self.answer()
    }

    /// A line: `+` and what arrived, `-` and why not, or `!` and what does not work here.
    fn answer(&mut self) -> Outcome {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|error| Failure::Broken(error.to_string()))?;
        let line = line.trim_end_matches('\n').replace('\r', "\n");
        match line.split_at_checked(1) {
            Some(("+", rest)) => Ok(rest.to_owned()),
            Some(("-", rest)) => Err(Failure::Row(rest.to_owned())),
            Some(("!", rest)) => Err(Failure::Broken(rest.to_owned())),
            _ => Err(Failure::Broken("the world fell over".to_owned())),
        }
    }
}

impl Drop for Distant {
    fn drop(&mut self) {
        // Without input the child ends, and its world with it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        let _ = fs::remove_dir(&self.dir);
    }
}

/// The child: makes a world and plays the rows that it is told, until nobody is left to tell.
pub(crate) fn serve(pairing: &str, mode: &str, dir: &Path) -> ExitCode {
    let Some(pairing) = Pairing::named(pairing) else { return ExitCode::FAILURE };
    let modes = [Mode::Real, Mode::WithoutFaults, Mode::WithoutExclude, Mode::WithNoise];
    let Some(mode) = modes.into_iter().find(|known| format!("{known:?}") == mode) else {
        return ExitCode::FAILURE;
    };
    let (sender, names) = mpsc::channel();
    thread::spawn(move || {
        for name in std::io::stdin().lines().map_while(Result::ok) {
            let _ = sender.send(name);
        }
        // Our parent has gone or wants no more: in the middle of a row or not, this is the end.
        std::process::exit(0);
    });
    let mut world = match World::start(pairing, dir) {
        Ok(world) => world,
        Err(why) => {
            answer(&Err(Failure::Broken(format!("no world: {why}"))));
            return ExitCode::FAILURE;
        }
    };
    answer(&Ok(String::new()));
    for name in names {
        let Some(row) = rows::ALL.iter().find(|row| row.name == name) else { continue };
        let mut scene = Scene::new(&mut world, mode);
        let played = row.play(&mut scene);
        let failure = if scene.opened { Failure::Row } else { Failure::Broken };
        let played = played.map_err(|why| failure(format!("{why}\n{}", world.words())));
        let ended = world.end().map_err(Failure::Broken);
        answer(&played.and_then(|played| ended.map(|()| played)));
    }
    ExitCode::SUCCESS
}

fn answer(outcome: &Outcome) {
    let line = match outcome {
        Ok(text) => format!("+{text}"),
        Err(Failure::Row(text)) => format!("-{text}"),
        Err(Failure::Broken(text)) => format!("!{text}"),
    };
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{}", line.replace('\r', " ").replace('\n', "\r"));
    let _ = stdout.flush();
}
