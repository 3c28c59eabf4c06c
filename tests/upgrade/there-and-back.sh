# etbemon with a configuration of somebody's own; remon over it; an upgrade; back; there again, and back in two steps.
. /upgrade/lib.sh

apt install mon mon-contrib
cat >/etc/mon/mon.cf <<'CF'
alertdir = /usr/lib/mon/alert.d:/usr/local/lib/mon/alert.d
mondir = /usr/lib/mon/mon.d:/usr/lib/mon/mon-local.d:/usr/local/lib/mon/mon.d
statedir = /var/lib/mon
logdir = /var/log/mon
historicfile = /var/log/mon/history.log
dtlogging = yes
dtlogfile = dtlog
serverbind = 127.0.0.1
trapbind = 127.0.0.1

hostgroup servers alpha beta
hostgroup others gamma

watch servers
	service down
		description is down all the time
		interval 10h
		monitor down.monitor
		period
			alert note.alert first
			upalert note.alert first
	service once
		interval 10h
		monitor once.monitor
		period
			alert note.alert second
			upalert note.alert second
	service raid
		interval 10h
		monitor softraid.monitor ;;
		period
			numalerts 1
			alert note.alert third

watch others
	service up
		interval 10h
		monitor up.monitor
		period
			alert note.alert fourth
CF
sed -i 's/AUTH_ANY/all/' /etc/mon/auth.cf
echo '# My own line' >>/etc/mon/monshowrc
sed -i 's/^DAEMON_OPTS=.*/DAEMON_OPTS="-f -l all"/' /etc/default/mon
mkdir -p /usr/local/lib/mon/{mon.d,alert.d}
cd /usr/local/lib/mon
printf '#!/bin/sh\necho "$*"\necho detail\nexit 1\n' >mon.d/down.monitor
printf '#!/bin/sh\n[ -e /var/lib/mon/well ] && exit 0\ntouch /var/lib/mon/well\necho "$*"\nexit 1\n' >mon.d/once.monitor
printf '#!/bin/sh\nexit 0\n' >mon.d/up.monitor
printf '#!/bin/sh\necho "$*" | sed "s/ -t [0-9]*//" >>/var/log/mon/noted\n' >alert.d/note.alert
chmod 755 mon.d/* alert.d/*
cd /
# What is somebody's own among the programs of the package: one changed, two new, one of these under a name of ours.
echo '# changed here' >>/usr/lib/mon/mon.d/tcp.monitor
printf '#!/bin/sh\nexit 0\n' >/usr/lib/mon/alert.d/webhook.alert
printf '#!/bin/sh\nexit 0\n' >/usr/lib/mon/mon.d/mine.monitor
chmod 755 /usr/lib/mon/alert.d/webhook.alert /usr/lib/mon/mon.d/mine.monitor
chgrp adm /var/log/mon
own_files() { sha256sum /usr/lib/mon/mon.d/{tcp,mine}.monitor /usr/lib/mon/alert.d/webhook.alert; }

# Everything that an operator could miss. Not: what is a moment, the failure history, which no mon keeps over its end,
# and the order of lists, which differs from one start of the original to the next.
snapshot() { # DIRECTORY
    local out=/upgrade/$1 what
    mkdir -p "$out"
    moncmd -s 127.0.0.1 list alerthist >"$out/list-alerthist"
    for what in disabled dtlog watch "group servers" aliases views descriptions deps; do
        moncmd -s 127.0.0.1 list $what | sort >"$out/list-${what// /-}"
    done
    moncmd -s 127.0.0.1 list opstatus | sort | tr ' ' '\n' |
        grep -E '^(group|service|opstatus|exitval|ack|ackcomment|alerts_sent|depend|monitor|last_summary|last_detail|last_failure|first_failure|last_success|interval)=' \
            >"$out/opstatus"
    sha256sum /etc/mon/* /etc/default/mon >"$out/files"
    cp /var/log/mon/noted /var/log/mon/history.log "$out/"
    sort /var/lib/mon/disabled >"$out/disabled"
    own_files >"$out/own"
    stat -c '%n %U:%G %a' /etc/mon /etc/mon/* /var/lib/mon /var/lib/mon/disabled /var/log/mon/* >"$out/owners"
    { sha256sum $(cat /upgrade/scripts); stat -L -c '%n %U:%G %a' $(cat /upgrade/scripts); } >"$out/scripts" 2>&1 || true
    softraid=$(/usr/lib/mon/mon-local.d/softraid.monitor 2>&1) || softraid+=" $?"
    echo "$softraid" >"$out/softraid"
    perl -MMon::Client -e 'my $c = Mon::Client->new(host => "127.0.0.1"); $c->connect or die $c->error;
        print join("\n", sort $c->list_group("servers")), "\n"' >"$out/perl-client" 2>&1 || true
    # The package mon gives this directory back to root's group whenever it is configured; ours must not.
    stat -c '%n %U:%G %a' /var/log/mon >"$out/logdir"
}

same() { # DIRECTORY WHEN
    local file
    for file in /upgrade/before/*; do
        case "$2:${file##*/}" in mon*:logdir | removed*:logdir | *purged:logdir) continue ;; esac
        equal "$2: ${file##*/}" "$file" "/upgrade/$1/${file##*/}"
    done
}

# The scripts of mon that must go on: all of which remon has no counterpart.
dpkg-deb -c /upgrade/remon.deb | sed -n 's/^l.* \.\(\/[^ ]*\) -> .*/\1/p' | sort >/upgrade/links
dpkg-query -L mon mon-client | grep -E '^/usr/(lib/mon/[^/]*/|bin/|lib/cgi-bin/|share/perl5/Mon/)' | grep -v /state.d/ | sort -u |
    comm -23 - /upgrade/links | while read -r file; do [ -d "$file" ] || [ -L "$file" ] || echo "$file"; done >/upgrade/scripts
[ "$(wc -l </upgrade/scripts)" -gt 30 ] || fail "the list of scripts is too short"

# --- mon
start_by_hand
is_perl || fail "this is not the original"
say() { moncmd -s 127.0.0.1 "$@" | grep -q '^220' || fail "moncmd $*"; }
noted() { [ "$(wc -l </var/log/mon/noted)" -ge "$1" ]; }
# One after the other, so that the order in the histories is that of the seconds.
say test monitor servers down
await "alert for down" noted 1
say test monitor servers once
await "alert for once" noted 2
sleep 1.1
say test monitor servers once
await "upalert for once" noted 3
say test monitor others up
say test monitor servers raid
sleep 2
say disable service others up
say disable host beta
say disable watch others
say ack servers down we know
sleep 1
snapshot before
grep -q 'ack=.*[1-9]' /upgrade/before/opstatus || fail "nothing is acknowledged"
grep -q beta /upgrade/before/list-disabled || fail "nothing is disabled"

# --- remon over it, with one command
apt install /upgrade/remon.deb
grep -i 'is your own and stays' /upgrade/apt.log | wc -l | grep -qx 2 || fail "own programs were not told: $(cat /upgrade/apt.log)"
await "answer of remon" answers
! is_perl || fail "the original is still running"
[ "$(readlink "/proc/$(pid_of_mon)/exe")" = /usr/sbin/mon ] || fail "another program is running"
snapshot remon
same remon "remon over mon"
dpkg-query -W -f '${db:Status-Status}\n' mon-contrib | grep -qx installed || fail "mon-contrib went"
apt check
while read -r link; do
    case "$(readlink -f "$link"):$link" in
        /usr/sbin/mon:* | /etc/mon/monshowrc:*) ;;
        *:/usr/lib/mon/mon.d/tcp.monitor | *:/usr/lib/mon/alert.d/webhook.alert) ;;
        *) fail "$link is not ours" ;;
    esac
done < <(grep -v completions /upgrade/links)

# --- the next version of remon
dpkg -i /upgrade/remon.deb >/upgrade/dpkg.log 2>&1 </dev/null || { cat /upgrade/dpkg.log; fail "the upgrade"; }
await "answer after the upgrade" answers
snapshot upgraded
same upgraded "remon over remon"

# --- back, with one command
apt install mon mon-client
dpkg-query -W -f '${db:Status-Status}\n' remon | grep -qx config-files || fail "remon is still there"
ended || fail "remon is still running"
start_by_hand
is_perl || fail "the original is not back"
snapshot back
same back "mon over remon"
dpkg --verify mon mon-client | grep -v ' c ' | grep -v tcp.monitor >/upgrade/verify || true
[ ! -s /upgrade/verify ] || { fail "files of mon are not as they were"; cat /upgrade/verify; }
[ -z "$(find /usr/lib/mon -xtype l)" ] || fail "dangling links: $(find /usr/lib/mon -xtype l)"
apt purge remon
snapshot purged
same purged "remon purged"
[ -z "$(dpkg-divert --list '/usr/lib/mon/*' | grep remon)" ] || fail "diversions are left"
[ ! -e /usr/lib/mon/etbemon ] || fail "kept programs are left"

# --- there again, and back in two steps
apt install /upgrade/remon.deb
await "answer of remon again" answers
apt remove remon
ended || fail "remon runs on without its package"
apt install mon
start_by_hand
snapshot again
same again "removed, then mon"
done_with "mon, remon, remon again, mon, purged, remon, removed, mon: everything as before each time"
