# remon where there was no mon; and what its removal leaves.
. /upgrade/lib.sh

find / -xdev -path /upgrade -prune -o \( -path '*/mon' -o -path '*/mon.*' \) -print | sort >/upgrade/before
apt install /upgrade/remon.deb
await "answer of the daemon" answers
getent passwd mon | grep -q ':/var/lib/mon:' || fail "no user mon"
equal "owners" - <(stat -c '%n %U:%G %a' /var/lib/mon /var/log/mon /run/mon) <<'O'
/var/lib/mon mon:mon 755
/var/log/mon mon:root 755
/run/mon mon:mon 755
O
[ "$(stat -c %U "/proc/$(pid_of_mon)")" = mon ] || fail "the daemon does not run as mon"
apt install mon-contrib
dpkg --verify remon >/upgrade/verify || true
grep -v ' /usr/share/\(doc\|man\)' /upgrade/verify && fail "files are not as they were installed"
moncmd -s 127.0.0.1 list watch | grep -q 'localhost ping' || fail "the default mon.cf is not in force"
su -s /bin/sh mon -c '/usr/lib/mon/mon.d/tcp.monitor -p 2583 127.0.0.1' || fail "tcp.monitor by its link"
# The one program of mon-contrib that is built in as well: theirs, until somebody says otherwise.
grep -q '^#!.*perl' /usr/lib/mon/mon.d/ssh.monitor || fail "ssh.monitor is not that of mon-contrib"
sed -n '/^mon-contrib\. /,$s/^    //p' /usr/share/doc/remon/README.Debian >/upgrade/recipe
[ "$(wc -l </upgrade/recipe)" = 2 ] || fail "the recipe for ssh.monitor"
bash -e /upgrade/recipe || fail "the recipe for ssh.monitor does not work"
/usr/local/lib/mon/mon.d/ssh.monitor --help 2>&1 | grep -q 'usage: ssh.monitor' || fail "ssh.monitor by its link is not ours"
rm -r /usr/local/lib/mon
[ "$(ls /usr/lib/mon/alert.d | wc -l)" -ge 8 ] || fail "alerts are missing"

# A package that is removed keeps its configuration; one that is purged leaves nothing but the user.
echo '# mine' >>/etc/mon/mon.cf
apt remove remon mon-contrib
ended || fail "the daemon runs on without its package"
grep -q '# mine' /etc/mon/mon.cf || fail "the configuration went with the package"
apt install /upgrade/remon.deb
await "answer after the return" answers
grep -q '# mine' /etc/mon/mon.cf || fail "the configuration did not come back"
apt purge remon
ended || fail "the daemon runs on after purge"
rmdir /run/mon
find / -xdev -path /upgrade -prune -o \( -path '*/mon' -o -path '*/mon.*' \) -print | sort >/upgrade/after
equal "what is left after purge" /upgrade/before /upgrade/after

# Somebody followed the way of before the package: it must be said, not ignored.
mkdir -p /usr/sbin && touch /usr/sbin/mon
dpkg-divert --quiet --local --no-rename --divert /usr/sbin/mon.perl --add /usr/sbin/mon
if apt-get -q -y --no-install-recommends install /upgrade/remon.deb >/upgrade/apt.log 2>&1 </dev/null; then fail "installed over a diversion"; fi
grep -q 'dpkg-divert --local --rename --remove /usr/sbin/mon' /upgrade/apt.log || { cat /upgrade/apt.log; fail "no way out is told"; }
done_with "installed, removed, installed, purged: nothing is left"
