# The ways that are not apt's usual one: dpkg alone; and mon removed before anybody could look at it.
. /upgrade/lib.sh

kept() {
    [ -x /usr/lib/mon/mon.d/phttp.monitor ] || fail "$1: phttp.monitor is gone"
    [ "$(stat -L -c '%U:%G %a' /usr/lib/mon/bin/btrfs.helper)" = "root:mon 4750" ] || fail "$1: btrfs.helper"
    perl -MMon::Client -e 1 || fail "$1: Mon::Client is gone"
}

apt install mon
sed -i 's/AUTH_ANY/all/' /etc/mon/auth.cf
echo '# changed here' >>/usr/lib/mon/mon.d/tcp.monitor
start_by_hand
moncmd -s 127.0.0.1 disable service localhost ping >/dev/null
dpkg -i /upgrade/remon.deb >/upgrade/dpkg.log 2>&1 </dev/null || { cat /upgrade/dpkg.log; fail "dpkg -i"; }
await "answer of remon" answers
! is_perl || fail "the original is still running"
moncmd -s 127.0.0.1 list disabled | grep -q 'localhost.*ping' || fail "dpkg -i: nothing is disabled any more: $(moncmd -s 127.0.0.1 list disabled)"
kept "dpkg -i"
grep -qx '# changed here' /usr/lib/mon/mon.d/tcp.monitor || fail "dpkg -i: a changed program was replaced"
apt install mon
dpkg --purge remon >/dev/null 2>&1

# What README.Debian says for apt without apt-utils.
dpkg --remove --force-depends mon mon-client >/dev/null 2>&1
dpkg -i /upgrade/remon.deb >/upgrade/dpkg.log 2>&1 </dev/null || { cat /upgrade/dpkg.log; fail "dpkg -i without mon"; }
grep -q 'scripts without a counterpart here are gone' /upgrade/dpkg.log || fail "it is not said that scripts are gone"
cd /var/cache/apt/archives
sed -n '/for deb in mon_/,/dpkg-reconfigure/s/^    //p' /usr/share/doc/remon/README.Debian >/upgrade/recipe
[ "$(wc -l </upgrade/recipe)" = 4 ] || fail "the recipe of README.Debian"
bash -e /upgrade/recipe >/dev/null 2>&1 </dev/null || fail "the recipe of README.Debian does not work"
cd /
kept "the recipe"

# To purge mon now would delete the user that remon runs as. It fails while the daemon runs, and takes no configuration.
await "answer before purging mon" answers
if dpkg --purge mon >/dev/null 2>&1; then fail "mon was purged under a running remon"; fi
[ "$(ls /etc/mon | wc -l)" -ge 3 ] || fail "purging mon took the configuration"
getent passwd mon >/dev/null || fail "purging mon took the user"
answers || fail "purging mon ended remon"
done_with "by dpkg alone, and after mon was removed: scripts, state and configuration are there"
