# How much memory the two daemons take with Debian's default configuration, one after the other in the same root.
#
# Measured twice: all that is resident, which counts pages of the executable that the kernel may drop at any time
# and of libraries that other processes have too; and the part that is the daemon's own and nobody else's (RssAnon).
. /upgrade/lib.sh

# Resident kilobytes once clients have asked: of all kinds, and its own.
resident() {
    local n
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
[ $((ours * 2)) -lt "$perl" ] || fail "remon's resident memory is more than half of mon's"
[ "$size" -lt 25600 ] || fail "remon takes more than 25 MB of disk"
done_with "memory and size are within their limits"
