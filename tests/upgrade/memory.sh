# How much memory the two daemons take with Debian's default configuration, one after the other in the same root.
#
# All that is resident counts, pages of the executable and of shared libraries as well. Beside it the part that is the
# daemon's own and nobody else's (RssAnon) is shown. What is measured is a daemon that has been up for most of a minute:
# remon has begun its record by then, and given back what only its start needed (src/daemon/memory.rs).
. /upgrade/lib.sh

# Resident kilobytes of a daemon that has settled, once clients have asked: of all kinds, and its own.
resident() {
    local n
    sleep 40
    for n in $(seq 20); do moncmd -s 127.0.0.1 list opstatus >/dev/null; done
    sleep 2
    sed -n 's/^\(VmRSS\|RssAnon\):[[:space:]]*\([0-9]*\) kB/\2/p' "/proc/$(pid_of_mon)/status" | paste -sd' '
}

apt install mon
start_by_hand
is_perl || fail "this is not the original"
read -r perl perl_own <<<"$(resident)"
apt install /upgrade/remon.deb
await "answer of remon" answers
! is_perl || fail "the original is still running"
read -r ours ours_own <<<"$(resident)"
equal "Debian's default mon.cf" <(dpkg-query -W -f '${Conffiles}\n' mon | sed -n 's/^ \(\/etc\/mon\/[^ ]*\) \([0-9a-f]*\).*/\2  \1/p') \
    <(md5sum /etc/mon/auth.cf /etc/mon/mon.cf /etc/mon/monshowrc)
size=$(dpkg-query -W -f '${Installed-Size}' remon)
echo "with Debian's mon.cf: resident mon $perl kB, remon $ours kB ($((100 * ours / perl)) %);" \
    "of these its own: mon $perl_own kB, remon $ours_own kB ($((100 * ours_own / perl_own)) %); installed: $size kB"
[ $((ours_own * 4)) -lt "$perl_own" ] || fail "remon's own memory is more than a quarter of mon's"
[ $((ours * 4)) -lt "$perl" ] || fail "remon's resident memory is more than a quarter of mon's"
[ "$size" -lt 25600 ] || fail "remon takes more than 25 MB of disk"
done_with "memory and size are within their limits"
