# Beginning of every maintainer script; etc/debian/build puts it there.

# Programs of the original that have no counterpart here, at the path they had, below this directory. They are the
# administrator's from the moment dpkg removes the package mon: Perl monitors that a mon.cf names go on running.
KEPT=/usr/lib/mon/etbemon

# Where the links of this package are, below /.
LINKS='@LINKS@'

# In whose name files of the administrator's are kept from being overwritten: no package has it, so the files of
# every package go beside his.
OWN=remon-administrator

# There after the daemon has saved its state, until preinst has run.
SAVED=/run/remon-saved

# One start with all saved state: read by the unit and by the init script.
ONCE=/run/mon-once

# What gives programs below mon their set-id bits back, the link that puts it in force, and the note that it was decided
# whether this machine gets the link: an administrator who deletes it does not get it again.
SET_ID=/usr/share/remon/set-id.conf
DROP_IN=/etc/systemd/system/mon.service.d/set-id.conf
DECIDED=/var/lib/remon/set-id

# Is the package there, or has it left its configuration?
is_known() { case "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" in '' | not-installed) false ;; esac; }

# The process id of the daemon that runs, whichever of the two it is; nothing if there is none.
daemon() {
    pid=
    [ ! -d /run/systemd/system ] || pid=$(systemctl show --property MainPID --value mon.service 2>/dev/null) || pid=
    [ -n "$pid" ] && [ "$pid" != 0 ] || pid=$(cat /run/mon/mon.pid 2>/dev/null) || pid=
    # A process id from an old file may be somebody else's by now.
    case "$(cat "/proc/$pid/comm" 2>/dev/null)" in mon) echo "$pid" ;; esac
}

# Where a daemon may keep its state: the places of the two packages, and the one that mon.cf names.
state_dirs() {
    echo /var/lib/mon
    echo /var/state/mon
    sed -n 's,^[[:space:]]*statedir[[:space:]]*=[[:space:]]*\(/[^[:space:]]*\)[[:space:]]*$,\1,p' /etc/mon/mon.cf 2>/dev/null | tail -n 1
}

# Those of them that hold a saved state, which is newer than a file if one is named.
saved_states() {
    state_dirs | sort -u | while read -r dir; do
        [ -e "$dir/opstatus" ] && { [ -z "${1-}" ] || [ -n "$(find "$dir/opstatus" -newer "$1")" ]; } || continue
        echo "$dir"
    done
}

# The daemon writes what is disabled, acknowledged and counted to its state directory: both do that on SIGHUP, and
# neither at its end.
save_state() {
    pid=$(daemon)
    [ -n "$pid" ] || return 0
    stamp=$(mktemp) || return 0
    if kill -HUP "$pid" 2>/dev/null; then
        tries=0
        until [ -n "$(saved_states "$stamp")" ] || [ "$tries" -ge 50 ]; do
            tries=$((tries + 1))
            sleep 0.2
        done
        # The original writes in pieces.
        sleep 1
    fi
    rm -f "$stamp"
}
