# The orders in which dpkg calls maintainer scripts when something goes wrong, or when the administrator has arranged
# things his own way.
. /upgrade/lib.sh

# A package of files that stand in the way, or of nothing.
package() { # NAME [FILE]
    mkdir -p "/upgrade/$1/DEBIAN"
    printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: n <n@x>\nDescription: x\n' "$1" >"/upgrade/$1/DEBIAN/control"
    [ $# = 1 ] || { mkdir -p "/upgrade/$1${2%/*}"; touch "/upgrade/$1$2"; }
    dpkg-deb --build "/upgrade/$1" "/upgrade/$1.deb" >/dev/null
}
# The package with one maintainer script that fails, as REMON-VERSION.
broken() { # NAME SCRIPT VERSION
    dpkg-deb -R /upgrade/remon.deb "/upgrade/$1"
    printf '#!/bin/sh\nexit 1\n' >"/upgrade/$1/DEBIAN/$2"
    sed -i "s/^Version: .*/Version: $3/; s/+remon[0-9.]*/+remon$3/g" "/upgrade/$1/DEBIAN/control"
    dpkg-deb --root-owner-group -Zgzip -z1 --build "/upgrade/$1" "/upgrade/$1.deb" >/dev/null
}
try() { dpkg "$@" >/upgrade/dpkg.log 2>&1 </dev/null; }
status_of() { dpkg-query -W -f '${db:Status-Status}' "$1"; }
is() { # WHAT EXPECTED FOUND
    [ "$2" = "$3" ] || { fail "$1: $3, not $2"; cat /upgrade/dpkg.log; }
}
diversions() { dpkg-divert --list '/usr/lib/mon/*' | grep -c remon-administrator || true; }
disabled() { moncmd -s 127.0.0.1 list disabled | grep -q 'localhost.*ping'; }

package other /usr/share/remon/set-id.conf
broken bad-postinst postinst 9.1
broken bad-prerm prerm 9.2
broken bad-preinst preinst 9.3

# --- an installation that fails in the middle leaves mon as it was, and running again
apt install mon
sed -i 's/AUTH_ANY/all/' /etc/mon/auth.cf
mkdir /srv/mon
chown mon:mon /srv/mon
sed -i 's,^statedir.*,statedir = /srv/mon,' /etc/mon/mon.cf
echo '# changed here' >>/usr/lib/mon/mon.d/tcp.monitor
# A program that he has put in the place of mon's by a diversion of his own.
own=/usr/lib/mon/mon.d/http.monitor
dpkg-divert --quiet --local --rename --divert $own.orig --add $own
printf '#!/bin/sh\n# diverted\n' >$own
chmod 755 $own
try -i /upgrade/other.deb
start_by_hand
moncmd -s 127.0.0.1 disable service localhost ping >/dev/null
moncmd -s 127.0.0.1 ack localhost http nobody minds >/dev/null || true
if try -i /upgrade/remon.deb; then fail "installed over another package's file"; fi
grep -q 'trying to overwrite' /upgrade/dpkg.log || { cat /upgrade/dpkg.log; fail "it failed otherwise"; }
is "mon after abort-install" installed "$(status_of mon)"
is "diversions after abort-install" 0 "$(diversions)"
[ ! -e /etc/systemd/system/mon.service.d ] || fail "abort-install leaves a drop-in"
grep -qx '# changed here' /usr/lib/mon/mon.d/tcp.monitor || fail "a changed program went"
[ -x /usr/lib/mon/mon.d/phttp.monitor ] || fail "programs of mon went"
try --purge other

# --- installed; its state is where mon.cf says
pid_of_mon >/dev/null || start_by_hand
await "answer of mon" answers
disabled || moncmd -s 127.0.0.1 disable service localhost ping >/dev/null
try -i /upgrade/remon.deb || { cat /upgrade/dpkg.log; fail "dpkg -i"; }
await "answer of remon" answers
! is_perl || fail "the original is still running"
disabled || fail "nothing is disabled any more"
tr '\0' ' ' <"/proc/$(pid_of_mon)/cmdline" | grep -q -- '-l all' || fail "the state in /srv/mon was not loaded"
is "drop-in" /usr/share/remon/set-id.conf "$(readlink /etc/systemd/system/mon.service.d/set-id.conf)"
is "diversions" 1 "$(diversions)"
grep -q diverted $own || fail "a diverted program was overwritten"
is "program beside a diversion" /usr/sbin/mon "$(readlink -f $own.orig)"
rm /etc/systemd/system/mon.service.d/set-id.conf

# --- a program of the administrator's in the place of a link survives the next version
rm /usr/lib/mon/mon.d/fping.monitor
printf '#!/bin/sh\n# his own\n' >/usr/lib/mon/mon.d/fping.monitor
chmod 755 /usr/lib/mon/mon.d/fping.monitor
try -i /upgrade/remon.deb || { cat /upgrade/dpkg.log; fail "dpkg -i again"; }
grep -q 'his own' /usr/lib/mon/mon.d/fping.monitor || fail "an upgrade overwrote a program of the administrator's"
is "link beside it" /usr/sbin/mon "$(readlink -f /usr/lib/mon/mon.d/fping.monitor.packaged)"

# --- upgrades that fail: the version before is there and runs, with its state
await "answer before failed upgrades" answers
if try -i /upgrade/bad-preinst.deb; then fail "a preinst that fails was no failure"; fi
is "after abort-upgrade" installed "$(status_of remon)"
await "answer after abort-upgrade" answers
disabled || fail "abort-upgrade: nothing is disabled any more"
[ ! -L /etc/systemd/system/mon.service.d/set-id.conf ] || fail "abort-upgrade brought the drop-in back"
if try -i /upgrade/bad-postinst.deb; then fail "a postinst that fails was no failure"; fi
is "after a postinst that failed" half-configured "$(status_of remon)"
try -i /upgrade/remon.deb || { cat /upgrade/dpkg.log; fail "the way back from half-configured"; }
await "answer after half-configured" answers
disabled || fail "half-configured: nothing is disabled any more"
# A prerm that fails: the upgrade away from it goes by ours, the removal is given up.
try -i /upgrade/bad-prerm.deb || { cat /upgrade/dpkg.log; fail "dpkg -i bad-prerm"; }
if try --remove remon; then fail "a prerm that fails was no failure"; fi
is "after abort-remove" installed "$(status_of remon)"
await "answer after abort-remove" answers
try -i /upgrade/remon.deb || { cat /upgrade/dpkg.log; fail "failed-upgrade"; }
await "answer after failed-upgrade" answers
disabled || fail "failed-upgrade: nothing is disabled any more"

# --- where nothing may be started, what runs is not ended
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
before=$(pid_of_mon)
try -i /upgrade/remon.deb || { cat /upgrade/dpkg.log; fail "an upgrade under policy-rc.d"; }
is "process under policy-rc.d" "$before" "$(pid_of_mon)"
printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d

# --- a mistake in mon.cf leaves a package that is configured, and is told
cp /etc/mon/mon.cf /upgrade/good.cf
echo nonsense >>/etc/mon/mon.cf
try -i /upgrade/remon.deb || { cat /upgrade/dpkg.log; fail "an upgrade with a mistake in mon.cf"; }
is "with a mistake" installed "$(status_of remon)"
grep -q 'mon does not start before this is mended' /upgrade/dpkg.log || fail "the mistake is not told"
cp /upgrade/good.cf /etc/mon/mon.cf

# --- directories that are links to elsewhere, a user that went, no debconf
try --remove remon
mv /var/log/mon /srv/log
chown root:adm /srv/log
chmod 775 /srv/log
ln -s /srv/log /var/log/mon
deluser --quiet mon >/dev/null 2>&1 || userdel mon
mv /usr/share/debconf/confmodule /upgrade/
DEBIAN_FRONTEND= try -i /upgrade/remon.deb || { cat /upgrade/dpkg.log; fail "dpkg -i after --remove"; }
mv /upgrade/confmodule /usr/share/debconf/
is "owner behind a link" "root:adm 775" "$(stat -c '%U:%G %a' /srv/log)"
getent passwd mon >/dev/null || fail "no user mon"
chown -R mon: /srv/mon

# --- gone for good, with what it left beside the administrator's programs
try --purge remon || { cat /upgrade/dpkg.log; fail "purge"; }
ended || fail "the daemon runs on after purge"
is "diversions after purge" 0 "$(diversions)"
grep -q 'his own' /usr/lib/mon/mon.d/fping.monitor || fail "purge took a program of the administrator's"
[ -z "$(find /usr/lib/mon -name '*.packaged')" ] || fail "purge leaves $(find /usr/lib/mon -name '*.packaged')"
grep -q diverted $own || fail "purge took a diverted program"
[ ! -L $own.orig ] || fail "purge leaves a link beside a diversion"
dpkg-divert --list $own | grep -q 'local diversion' || fail "purge took a diversion of the administrator's"
[ ! -e /var/lib/remon ] || fail "purge leaves /var/lib/remon"
done_with "installations, upgrades and removals that fail in the middle; the administrator's own arrangements"
