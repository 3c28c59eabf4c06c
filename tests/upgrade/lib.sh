# What the scripts that run in the clean root share.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
cd /
# Without an init system a service is started only where this says so.
printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

failed=0
fail() { echo "FAILED: $*"; failed=1; }

# Installs without a question and without a network.
apt() {
    apt-get -q -y --no-install-recommends "$@" >/upgrade/apt.log 2>&1 </dev/null ||
        { cat /upgrade/apt.log; fail "apt-get $*"; return 1; }
}

# Waits until a command succeeds.
await() { # WHAT COMMAND...
    local what=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || { fail "no $what within a minute"; return 1; }
        sleep 0.2
    done
}

answers() { moncmd -s 127.0.0.1 list disabled | grep -q '^220'; }

ended() { ! pid_of_mon >/dev/null; }

# The process id of the daemon.
pid_of_mon() {
    local pid
    pid=$(cat /run/mon/mon.pid 2>/dev/null) && [ -d "/proc/$pid" ] && echo "$pid"
}

is_perl() { case "$(readlink "/proc/$(pid_of_mon)/exe")" in */perl*) ;; *) false ;; esac; }

start_by_hand() {
    /etc/init.d/mon start >/dev/null 2>&1 </dev/null || fail "the init script"
    await "answer of the daemon" answers
}

equal() { # WHAT FILE FILE
    diff -u "$2" "$3" >/upgrade/diff || { fail "$1 differs:"; cat /upgrade/diff; }
}

done_with() { [ $failed = 0 ] && echo "$1" || exit 1; }
