# How much memory the two daemons take with Debian's default configuration, one after the other in the same root.
. /upgrade/lib.sh

# Resident kilobytes once monitors have run and clients have asked.
resident() {
    local n
    for n in $(seq 20); do moncmd -s 127.0.0.1 list opstatus >/dev/null; done
    sleep 2
    sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$(pid_of_mon)/status"
}

apt install mon
start_by_hand
is_perl || fail "this is not the original"
perl=$(resident)
apt install /upgrade/remon.deb
await "answer of remon" answers
! is_perl || fail "the original is still running"
ours=$(resident)
equal "Debian's default mon.cf" <(dpkg-query -W -f '${Conffiles}\n' mon | sed -n 's/^ \(\/etc\/mon\/[^ ]*\) \([0-9a-f]*\).*/\2  \1/p') \
    <(md5sum /etc/mon/auth.cf /etc/mon/mon.cf /etc/mon/monshowrc)
size=$(dpkg-query -W -f '${Installed-Size}' remon)
echo "resident with Debian's mon.cf: mon $perl kB, remon $ours kB ($((100 * ours / perl)) %); installed: $size kB"
[ $((ours * 4)) -lt "$perl" ] || fail "remon takes more than a quarter of mon's memory"
[ "$size" -lt 25600 ] || fail "remon takes more than 25 MB of disk"
done_with "memory and size are within their limits"
