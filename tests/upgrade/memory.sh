# How much memory the two daemons take with Debian's default configuration, one after the other in the same root.
#
# All that is resident counts, pages of the executable and of shared libraries as well. Beside it the part that is the
# daemon's own and nobody else's (RssAnon) is shown. What must be under a quarter is what a daemon takes that has been
# up for a while: clients have asked, each service has been checked (randstart spreads that over a minute), and now it
# waits, as it does nearly all day. remon gives back then what it only needed for that (src/daemon/memory.rs), a minute
# later at the latest; mon never does, so that waiting for it would only show more. How much both take just after
# questions of clients is shown as well.
. /upgrade/lib.sh

# Resident kilobytes: of all kinds, and its own.
resident() {
    sed -n 's/^\(VmRSS\|RssAnon\):[[:space:]]*\([0-9]*\) kB/\2/p' "/proc/$(pid_of_mon)/status" | paste -sd' '
}

ask() {
    local n
    for n in $(seq 20); do moncmd -s 127.0.0.1 list opstatus >/dev/null; done
}

# Of the daemon that runs: at rest after so many seconds, its own part of that, and after questions.
measured() { # SECONDS
    ask
    sleep "$1"
    resident
    ask
    resident
}

percent() { echo "$((100 * $1 / $2)) %"; }

apt install mon
start_by_hand
is_perl || fail "this is not the original"
read -r perl perl_own perl_asked _ <<<"$(measured 10 | paste -sd' ')"
apt install /upgrade/remon.deb
await "answer of remon" answers
! is_perl || fail "the original is still running"
read -r ours ours_own ours_asked _ <<<"$(measured 130 | paste -sd' ')"
equal "Debian's default mon.cf" <(dpkg-query -W -f '${Conffiles}\n' mon | sed -n 's/^ \(\/etc\/mon\/[^ ]*\) \([0-9a-f]*\).*/\2  \1/p') \
    <(md5sum /etc/mon/auth.cf /etc/mon/mon.cf /etc/mon/monshowrc)
size=$(dpkg-query -W -f '${Installed-Size}' remon)
echo "with Debian's mon.cf: resident mon $perl kB, remon $ours kB ($(percent "$ours" "$perl"));" \
    "of these its own: mon $perl_own kB, remon $ours_own kB ($(percent "$ours_own" "$perl_own"));" \
    "just asked: mon $perl_asked kB, remon $ours_asked kB ($(percent "$ours_asked" "$perl_asked")); installed: $size kB"
[ $((ours_own * 4)) -lt "$perl_own" ] || fail "remon's own memory is more than a quarter of mon's"
[ $((ours * 4)) -lt "$perl" ] || fail "remon's resident memory is more than a quarter of mon's"
[ "$size" -lt 25600 ] || fail "remon takes more than 25 MB of disk"
done_with "memory and size are within their limits"
