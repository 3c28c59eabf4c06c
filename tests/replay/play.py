"""Plays the scenarios of the conformance kit with our daemon only, and keeps what is needed to play them again.

    play.py KIT OUT MON [PATTERN...]

For each scenario a line of JSON on standard output, once it is over: its name, its directory (below OUT, with the
daemon's record in state/remon, the calls in alert.log), and how its daemon was started. The oracle of a scenario that
takes over from one program to the other is our daemon too: then what it does is recorded as well.
"""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import sys

KIT, OUT, MON = sys.argv[1:4]
PATTERNS = sys.argv[4:]
# Mostly they wait.
AT_ONCE = 10
PROGRAM = re.compile(r"^\s*(?:(monitor)|(?:up|startup|ack|disable)?alert|redistribute)\s+(?:exit=\S+\s+)?(\S+)",
                     re.MULTILINE | re.IGNORECASE)

sys.dont_write_bytecode = True
sys.path.insert(0, KIT)
import kit                                                      # noqa: E402
import importlib.machinery                                      # noqa: E402
import importlib.util                                           # noqa: E402


class Player(kit.Driver):
    """Notes what a simulation must be told, and ends the daemon in such a way that it can write its record."""

    def __init__(self, name):
        self.configs, self.first, self.state = [], None, None
        super().__init__([MON], [MON], "candidate", name, keep=True)

    def write(self, rel, text):
        super().write(rel, text)
        if rel == self.cfname:
            self.snapshot()

    def snapshot(self):
        """Keeps mon.cf as it is now; its number stands before its name, which may end in .m4."""
        copy = self.path("past.%d.%s" % (len(self.configs), os.path.basename(self.cfname)))
        shutil.copy(self.path(self.cfname), copy)
        self.configs.append(copy)

    def _spawn(self, argv):
        if self.state is None:
            self.state = self.path("state.before")
            shutil.copytree(self.path("state"), self.state)
            self.first = {"argv": argv[1:], "config": self.configs[-1] if self.configs else None}
        return super()._spawn(argv)

    def missing(self):
        """The programs that its configurations name and that are not there."""
        names = set()
        for path in self.configs:
            with open(path, encoding="latin-1") as f:
                for monitor, program in PROGRAM.findall(f.read()):
                    names.add((program, "mon*" if monitor else "alert.d"))
        return sorted({n for n, place in names if not glob.glob(self.path(place + "/" + glob.escape(n)))})

    def calls(self):
        """The words of every alert that was called; what a log line of ours would not show as it is, is a `?`."""
        return [[re.sub("[^ -~]+", "?", word) for word in [r["name"]] + r["argv"]] for r in self.alert_log()]

    def loggers(self):
        """The alerts that note their calls."""
        return [os.path.basename(p) for p in glob.glob(self.path("alert.d/*")) if b"alert.log" in open(p, "rb").read()]

    def cleanup(self):
        p = self.proc
        if p is not None and p.poll() is None and hasattr(p, "pid"):
            os.kill(p.pid, 15)
            self.wait_exit(15)
        super().cleanup()


def play(item):
    name, scenario = item
    d, error = Player(name), None
    try:
        scenario(d)
    except Exception as e:                                      # noqa: BLE001
        error = "%s: %s" % (type(e).__name__, e)
    finally:
        d.cleanup()
    place = os.path.join(OUT, name.replace("/", "-"))
    moved = lambda path: path and path.replace(d.dir, place, 1)
    told = {"name": name, "place": place, "was": d.dir, "error": error, "missing": d.missing(), "calls": d.calls(),
            "loggers": d.loggers(),
            "configs": [moved(c) for c in d.configs],
            "first": moved(d.first["config"]) if d.first else None,
            "argv": d.first["argv"] if d.first else [], "state": moved(d.state)}
    shutil.move(d.dir, place)
    return told


def main():
    loader = importlib.machinery.SourceFileLoader("run", os.path.join(KIT, "run"))
    run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
    loader.exec_module(run)
    todo = [(n, f) for n, f in run.load(os.path.join(KIT, "scenarios")) if run.wanted(n, PATTERNS)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for told in concurrent.futures.as_completed([pool.submit(play, item) for item in todo]):
            print(json.dumps(told.result()), flush=True)


main()
