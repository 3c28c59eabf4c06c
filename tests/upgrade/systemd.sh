# The unit under a real systemd: hardened where there was no mon, with set-id programs where there was one.
. /upgrade/lib.sh
# What systemd and mon have to say, where something failed.
trap '[ $? = 0 ] || journalctl --no-pager -q -n 60 -u mon' EXIT

DROP_IN=/etc/systemd/system/mon.service.d/set-id.conf

says() { # PROPERTY: what systemd says of the unit
    systemctl show --property "$1" --value mon.service
}
is() { # WHAT EXPECTED FOUND
    [ "$2" = "$3" ] || fail "$1: $3, not $2"
}
main_pid() { says MainPID; }
no_new_privs() { sed -n 's/^NoNewPrivs:[[:space:]]*//p' "/proc/$(main_pid)/status"; }
opstatus() { # SERVICE: how the service of probes fares, 1 is well
    moncmd -s 127.0.0.1 list opstatus probes,"$1" | grep -o ' opstatus=[0-9]*' | cut -d= -f2
}
fares() { [ "$(opstatus "$1")" = "$2" ]; }
# Runs the probe once more, in the daemon's own surroundings, and waits for what it found.
probe() {
    rm -f /var/log/mon/probe
    moncmd -s 127.0.0.1 test monitor probes tries | grep -q ^220 || fail "the probe cannot be started"
    await "end of the probe" grep -q ^done /var/log/mon/probe
}
found() { # WHAT EXPECTED
    is "$1 in the unit" "$2" "$(sed -n "s/^$1 //p" /var/log/mon/probe)"
}
doctor_says() { # WORDS
    mon doctor --timeout 5 >/upgrade/doctor 2>&1 || true
    grep -qF "$1" /upgrade/doctor || { cat /upgrade/doctor; fail "mon doctor does not say: $1"; }
}
mail_arrives() { # MARK
    await "mail with $1" grep -rq "$1" /var/mail
}

# A user's programs that need what the unit may take away, and a mon.cf that runs them.
own_configuration() {
    mkdir -p /usr/local/lib/mon/mon.d
    install -d -m 777 /srv/open
    install -m 4755 /usr/bin/id /usr/local/bin/set-uid-id
    cat >/usr/local/lib/mon/mon.d/tries.monitor <<'P'
#!/bin/bash
out=/var/log/mon/probe
try() { if eval "$2" 2>/dev/null; then echo "$1 yes"; else echo "$1 no"; fi >>$out; }
try etc 'touch /etc/by-probe'
try usr 'touch /usr/by-probe'
try srv 'touch /srv/open/by-probe'
try state 'touch /var/lib/mon/by-probe'
try log 'touch /var/log/mon/by-probe'
try run 'touch /run/mon/by-probe'
try tmp 'touch /tmp/by-probe'
try home '[ -e /home/seen ]'
try fping '/usr/bin/fping -q 127.0.0.1'
echo "set-uid $(/usr/local/bin/set-uid-id -u)" >>$out
echo done >>$out
P
    chmod 755 /usr/local/lib/mon/mon.d/tries.monitor
    touch /home/seen
    cat >/etc/mon/mon.cf <<'CF'
mondir = /usr/lib/mon/mon.d:/usr/local/lib/mon/mon.d
alertdir = /usr/lib/mon/alert.d
statedir = /var/lib/mon
logdir = /var/log/mon
historicfile = history.log
serverbind = 127.0.0.1
trapbind = 127.0.0.1

hostgroup probes 127.0.0.1

watch probes
	service ping
		interval 1s
		monitor fping.monitor
	service closed
		interval 10s
		monitor tcp.monitor -p 9
		period
			alert mail.alert -S FIRSTMARK root
			numalerts 1
	service tries
		interval 10h
		monitor tries.monitor
CF
    sed -i 's/AUTH_ANY/all/' /etc/mon/auth.cf
}

echo postfix postfix/main_mailer_type select Local only | debconf-set-selections
apt install postfix fping
systemctl restart postfix
await "Postfix at port 25" bash -c 'exec 3<>/dev/tcp/127.0.0.1/25'

# --- where there was no mon
apt install /upgrade/remon.deb
[ ! -e "$DROP_IN" ] || fail "a drop-in where there was no mon"
is state active "$(says ActiveState)"
is type notify "$(says Type)"
is user mon "$(stat -c %U "/proc/$(main_pid)")"
is NoNewPrivs 1 "$(no_new_privs)"
systemctl is-enabled --quiet mon || fail "mon is not enabled"
own_configuration
systemctl reload mon
await "ping by CAP_NET_RAW" fares ping 7
await "failure of the closed port" fares closed 0
probe
for what in etc usr srv; do found $what no; done
for what in state log run tmp home fping; do found $what yes; done
found set-uid "$(id -u mon)"
[ ! -e /tmp/by-probe ] || fail "/tmp is the one of everybody"
# Postfix's sendmail has no set-gid helper here, so this one went to the server at port 25.
mail_arrives FIRSTMARK
doctor_says 'tries.monitor uses /usr/local/bin/set-uid-id, whose set-id bit does nothing below mon'
doctor_says 'probes/closed: mail goes to 127.0.0.1:25, as the set-id bit of /usr/sbin/postdrop does nothing'

# A reload keeps what is known, and the process.
moncmd -s 127.0.0.1 disable service probes ping >/dev/null
moncmd -s 127.0.0.1 ack probes closed we know >/dev/null
before=$(main_pid)
echo '# one more line' >>/etc/mon/mon.cf
systemctl reload mon
await "answer after the reload" answers
is "process after the reload" "$before" "$(main_pid)"
is "status after the reload" 0 "$(opstatus closed)"
moncmd -s 127.0.0.1 list opstatus probes,closed | grep -q 'ackcomment=.*we' || fail "the acknowledgement went with a reload"
moncmd -s 127.0.0.1 list disabled | grep -q ping || fail "what is disabled went with a reload"
[ -s /var/lib/mon/disabled ] || fail "no state is written"
[ -s /var/log/mon/history.log ] || fail "no log is written"

# A daemon that hangs is ended and started again.
mkdir -p /etc/systemd/system/mon.service.d
printf '[Service]\nWatchdogSec=5\n' >/etc/systemd/system/mon.service.d/test.conf
systemctl daemon-reload
systemctl restart mon
before=$(main_pid)
kill -STOP "$before"
hung=$SECONDS
restarted() { [ "$(main_pid)" != "$before" ] && [ "$(main_pid)" != 0 ] && [ "$(says ActiveState)" = active ]; }
await "new process after the watchdog" restarted
echo "a daemon that was stopped is replaced after $((SECONDS - hung)) s, with WatchdogSec=5 and RestartSec=2"
[ "$(says NRestarts)" -ge 1 ] || fail "systemd counts no restart"
journalctl -u mon --no-pager | grep -qi 'watchdog timeout' || fail "that was not the watchdog"
await "answer after the watchdog" answers
rm -r /etc/systemd/system/mon.service.d
systemctl daemon-reload

systemctl stop mon
is "state after stop" "inactive dead success" "$(says ActiveState) $(says SubState) $(says Result)"
is "process after stop" 0 "$(main_pid)"
systemctl start mon
is "state after start" active "$(says ActiveState)"
cp /etc/mon/mon.cf /upgrade/mon.cf
echo nonsense >>/etc/mon/mon.cf
if systemctl restart mon 2>/dev/null; then fail "a mistake in mon.cf is no failure"; fi
cp /upgrade/mon.cf /etc/mon/mon.cf
systemctl reset-failed mon
systemctl start mon
echo "without the drop-in: $(systemd-analyze security --no-pager mon.service | tail -1 | sed 's/^[^A-Z]*//')"
# Stricter still, for who wants it.
install -D -m 644 -t /etc/systemd/system/mon.service.d /usr/share/doc/remon/examples/hardened.conf
systemctl daemon-reload
systemctl restart mon
is "state with hardened.conf" active "$(says ActiveState)"
moncmd -s 127.0.0.1 enable service probes ping >/dev/null
await "ping with hardened.conf" fares ping 7
probe
found fping yes
found home no
echo "with hardened.conf: $(systemd-analyze security --no-pager mon.service | tail -1 | sed 's/^[^A-Z]*//')"
rm -r /etc/systemd/system/mon.service.d
apt purge remon
rm -rf /etc/mon /var/lib/mon /var/log/mon /var/mail/*

# --- where there was one
apt install mon
own_configuration
systemctl restart mon
await "answer of mon" answers
is_perl || fail "this is not the original"
apt install /upgrade/remon.deb
grep -q "$DROP_IN allows it" /upgrade/apt.log || fail "nothing was said of the drop-in"
[ "$(readlink $DROP_IN)" = /usr/share/remon/set-id.conf ] || fail "no drop-in where there was a mon"
is "state over mon" active "$(says ActiveState)"
is "NoNewPrivs over mon" 0 "$(no_new_privs)"
await "answer of remon" answers
probe
found set-uid 0
for what in etc usr; do found $what no; done
for what in srv state log run tmp home fping; do found $what yes; done
mail_arrives FIRSTMARK
doctor_says "$DROP_IN keeps mon's unit open for tries.monitor (/usr/local/bin/set-uid-id)"
echo "with the drop-in: $(systemd-analyze security --no-pager mon.service | tail -1 | sed 's/^[^A-Z]*//')"

# Nothing needs it any more.
grep -v set-uid-id /usr/local/lib/mon/mon.d/tries.monitor >/upgrade/tries
cat /upgrade/tries >/usr/local/lib/mon/mon.d/tries.monitor
doctor_says "$DROP_IN keeps mon's unit open, and nothing in mon.cf is seen to need that"
doctor_says "rm $DROP_IN"

# The administrator takes it away: an upgrade does not bring it back, nor does a way to mon and back.
rm "$DROP_IN"
systemctl daemon-reload
systemctl restart mon
is "NoNewPrivs without the drop-in" 1 "$(no_new_privs)"
dpkg -i /upgrade/remon.deb >/upgrade/dpkg.log 2>&1 </dev/null || { cat /upgrade/dpkg.log; fail "the upgrade"; }
[ ! -e "$DROP_IN" ] || fail "an upgrade brought the drop-in back"
apt install mon
apt install /upgrade/remon.deb
[ ! -e "$DROP_IN" ] || fail "another installation brought the drop-in back"

# What says what the link says, by hand; the removal takes it along.
ln -s /usr/share/remon/set-id.conf "$DROP_IN"
systemctl daemon-reload
systemctl restart mon
is "NoNewPrivs with the link" 0 "$(no_new_privs)"
apt install mon
[ ! -e "${DROP_IN%/*}" ] || fail "mon has a drop-in of remon: $(ls "${DROP_IN%/*}")"
systemctl start mon
await "answer of mon again" answers
is_perl || fail "the original is not back"
apt purge remon
[ ! -e /var/lib/remon ] || fail "purge leaves /var/lib/remon"
done_with "under systemd: hardened, watched, reloaded; with set-id programs where mon was in use"
