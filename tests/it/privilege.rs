//! Where systemd's NoNewPrivileges takes set-id bits away: mail gets through by another way or it is said why not, and
//! who runs such programs is warned.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::network::Network;
use crate::support::servers::Postfix;
use crate::support::{Daemon, Place, skipped, subject, subject_is_oracle, wait};

/// What `/proc/self/status` shows of it.
const NOBODY: [&str; 6] = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"];

/// A directory that everybody can reach, with the subject in it: the build may be where only we are.
struct Open(PathBuf);

impl Open {
    fn new(name: &str) -> Open {
        let dir = std::env::temp_dir().join(format!("remon-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("it can be made");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).expect("it is ours");
        fs::copy(subject(), dir.join("mon")).expect("the subject is there");
        Open(dir)
    }

    fn program(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.join(name);
        fs::write(&path, text.replace("@AT@", &self.0.to_string_lossy())).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        path.display().to_string()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs an alert as nobody, who may not gain anything.
fn alert(network: &Network, open: &Open, words: &[&str]) -> Output {
    let mut command = network.command("setpriv");
    command.args(NOBODY).arg("--").arg(open.0.join("mon")).arg("run").arg(words[0]);
    command.args(["-g", "web", "-s", "http", "-S", "SIMPLE MARK"]).args(&words[1..]).current_dir("/");
    command.stdin(Stdio::null()).output().expect("setpriv is part of every system")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn mail_where_postdrop_is_barred() {
    const TEST: &str = "mail_where_postdrop_is_barred";
    let network = match Network::make() {
        _ if subject_is_oracle() => return skipped(TEST, "the original knows nothing of it"),
        Ok(network) => network,
        Err(why) => return skipped(TEST, &why),
    };
    let postdrop = fs::metadata("/usr/sbin/postdrop").map(|file| file.permissions().mode() & 0o2000);
    if postdrop.unwrap_or(0) == 0 || !Path::new("/usr/sbin/sendmail").exists() {
        return skipped(TEST, "no postfix (package postfix)");
    }
    let open = Open::new("privilege");
    // The real sendmail of Postfix would try until it is ended.
    let begun = Instant::now();
    let lost = alert(&network, &open, &["mail.alert", "ops@mail.test"]);
    assert_eq!(lost.status.code(), Some(2), "{lost:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let said = stderr(&lost);
    for words in
        ["/usr/sbin/postdrop has no use of its set-id bit", "127.0.0.1:25 takes no mail: Connection refused"]
    {
        assert!(said.contains(words), "{words} in {said}");
    }
    let both = alert(&network, &open, &["mailxmpp.alert", "-m", "ops@mail.test", "-x", "ops@xmpp.test"]);
    assert!(both.status.code() == Some(2) && stderr(&both).contains("postdrop has no use"), "{both:?}");

    let postfix = match Postfix::start_in(&network) {
        Ok(postfix) => postfix,
        Err(why) => return skipped(TEST, &why),
    };
    let sent = alert(&network, &open, &["mail.alert", "-f", "mon@mail.test", "ops@mail.test"]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    let mail = postfix.mailbox("ops", "SIMPLE MARK");
    assert!(mail.contains("ALERT web/http: SIMPLE MARK") && mail.contains("From: mon@mail.test"), "{mail}");
    let sent = alert(&network, &open, &["mailxmpp.alert", "-f", "mon@mail.test", "-m", "eve@mail.test"]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    postfix.mailbox("eve", "SIMPLE MARK");
    // What the server does not take is told, too.
    let refused =
        alert(&network, &open, &["mail.alert", "-f", "mon@mail.test", "else@where.test", "ops@mail.test"]);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    for words in ["mail to else@where.test: ", "mail: by 127.0.0.1:25, as /usr/sbin/postdrop has no use"] {
        assert!(stderr(&refused).contains(words), "{words} in {}", stderr(&refused));
    }
}

#[test]
fn mailers_with_a_bit_of_their_own() {
    const TEST: &str = "mailers_with_a_bit_of_their_own";
    let network = match Network::make() {
        _ if subject_is_oracle() => return skipped(TEST, "the original knows nothing of it"),
        Ok(network) => network,
        Err(why) => return skipped(TEST, &why),
    };
    let open = Open::new("mailers");
    // It may do without its bit, as msmtp does; then nothing is wrong.
    let able = open.program("able", "#!/bin/sh\ncat >@AT@/mail\n", 0o4755);
    let sent = alert(&network, &open, &["mail.alert", "--sendmail", &able, "ops@mail.test"]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    assert!(fs::read_to_string(open.0.join("mail")).is_ok_and(|mail| mail.contains("SIMPLE MARK")));
    // Or not, as Exim: both reasons are told.
    let unable = open.program("unable", "#!/bin/sh\necho no spool >&2\nexit 1\n", 0o4755);
    let lost = alert(&network, &open, &["mail.alert", "--sendmail", &unable, "ops@mail.test"]);
    let said = stderr(&lost);
    assert_eq!(lost.status.code(), Some(2), "{said}");
    assert!(
        said.contains("ended with status 1: no spool")
            && said.contains("unable has no use of its set-id bit"),
        "{said}"
    );
}

const CONFIG: &str =
    "mondir = @DIR@/mon.d\nalertdir = @DIR@/alert.d\nserverbind = 127.0.0.1\ntrapbind = 127.0.0.1

hostgroup web localhost

watch web
    service raid
        interval 10h
        monitor raid.monitor ;;
        period
            alert file.alert @DIR@/closed/alerts
    service well
        interval 10h
        monitor well.monitor ;;
        period
            alert file.alert @DIR@/log/alerts
";

#[test]
fn the_daemon_and_the_doctor_warn() {
    const TEST: &str = "the_daemon_and_the_doctor_warn";
    if subject_is_oracle() || Network::make().is_err() {
        return skipped(TEST, "only root can confine a daemon");
    }
    let place = Place::new();
    let open = Open::new("warned");
    let helper = open.program("raid.helper", "", 0o4755);
    place.write("etc/mon.cf", CONFIG);
    place.script("mon.d/raid.monitor", &format!("#!/bin/sh\nexec {helper} \"$@\"\n"));
    place.script("mon.d/well.monitor", &format!("#!/bin/sh\n# not {helper}\nexit 0\n"));
    fs::create_dir_all(place.path("closed")).expect("it is ours");
    let confine = place.fill(
        "mount --bind @DIR@/closed @DIR@/closed; mount -o remount,bind,ro @DIR@/closed; exec setpriv --no-new-privs \"$@\"",
    );
    let mut words = ["-m", "sh", "-ec", &confine, "sh"].map(str::to_owned).to_vec();
    words.push(subject().display().to_string());
    words.extend(place.flags());
    let mut daemon = Daemon::spawn_with(Path::new("unshare"), &place, place.dir(), &words);
    daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    let warning =
        format!("raid.monitor: {helper} has no use of its set-id bit here (NoNewPrivileges): mon doctor");
    let warned = || place.read("messages").contains(&warning).then_some(());
    wait::until(wait::PATIENCE, "the warning", warned)
        .unwrap_or_else(|why| panic!("{why}: {}", place.read("messages")));
    assert!(!place.read("messages").contains("well.monitor:"), "{}", place.read("messages"));

    let mut command = place.command(&subject());
    command.args(["doctor", "--user", "root", "--offline", "--"]).args(place.flags());
    let output = command.output().expect("the built program can be started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let closed = place.path("closed").display().to_string();
    for words in [
        format!(
            "warning  programs        raid.monitor uses {helper}, whose set-id bit does nothing below mon"
        ),
        "> ln -s /usr/share/remon/set-id.conf".to_owned(),
        format!("fault    files           mon cannot write to {closed}: its unit makes that read-only"),
        format!("> ReadWritePaths={closed}"),
    ] {
        assert!(said.contains(&words), "{words} in\n{said}");
    }
    assert!(!said.contains("well.monitor") && !said.contains("/log: its unit"), "{said}");

    // Without the confinement there is nothing to say.
    daemon.signal("TERM");
    daemon.ended(wait::PATIENCE).expect("it ends");
    let mut daemon = Daemon::spawn(&subject(), &place, &[]);
    daemon.ready().unwrap_or_else(|error| panic!("{error}\n{}", place.read("messages")));
    assert!(!place.read("messages").contains("set-id"), "{}", place.read("messages"));
    let mut command = place.command(&subject());
    command.args(["doctor", "--user", "root", "--offline", "--"]).args(place.flags());
    let said = String::from_utf8_lossy(&command.output().expect("it can be started").stdout).into_owned();
    assert!(!said.contains("set-id") && !said.contains("read-only"), "{said}");
}

#[test]
fn the_doctor_sees_who_may_not_ping() {
    const TEST: &str = "the_doctor_sees_who_may_not_ping";
    let Ok(network) = Network::make() else { return skipped(TEST, "only root can say who may ping") };
    if subject_is_oracle() {
        return skipped(TEST, "the original has no doctor");
    }
    let place = Place::new();
    let open = Open::new("pings");
    let text =
        CONFIG.replace("raid.monitor ;;", "fping.monitor").replace("well.monitor ;;", "tcp.monitor -p 9");
    place.write("etc/mon.cf", &text);
    let said = |capabilities: &[&str], groups: &str| {
        // The range of groups belongs to the network.
        let ranged = network
            .command("sh")
            .arg("-c")
            .arg(format!("echo '{groups}' >/proc/sys/net/ipv4/ping_group_range"))
            .status();
        assert!(ranged.is_ok_and(|status| status.success()));
        let mut command = network.command("setpriv");
        command
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"])
            .args(capabilities);
        command
            .arg("--")
            .arg(open.0.join("mon"))
            .args(place.flags())
            .env_clear()
            .env("PATH", "/usr/bin:/bin");
        let mut daemon = Daemon::spawn_command(command, &place);
        let port = place.port;
        wait::until(wait::PATIENCE, "the daemon to listen", || network.listens(port).then_some(()))
            .unwrap_or_else(|why| panic!("{why}\n{}", place.read("messages")));
        let mut doctor = network.command(&open.0.join("mon").display().to_string());
        doctor.args(["doctor", "--offline", "--user", "nobody", "--"]).args(place.flags());
        let said = String::from_utf8_lossy(&doctor.output().expect("it can be started").stdout).into_owned();
        daemon.signal("TERM");
        daemon.ended(wait::PATIENCE).expect("it ends");
        said
    };
    let barred = said(&[], "1 0");
    assert!(
        barred.contains("fault    programs        fping.monitor may not ping: mon has no CAP_NET_RAW"),
        "{barred}"
    );
    let by_group = said(&[], "0 65534");
    assert!(!by_group.contains("may not ping"), "{by_group}");
    let by_capability = said(&["--inh-caps", "+net_raw", "--ambient-caps", "+net_raw"], "1 0");
    assert!(!by_capability.contains("may not ping"), "{by_capability}");
}
