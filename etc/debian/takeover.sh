# What must be done while the package mon is still whole: parts of config and of preinst.
#
# dpkg runs preinst first and removes mon then; apt removes mon first. But before it touches anything apt runs the
# config script of debconf (where apt-utils is installed, as on every Debian that was not made to be small).

# Copies every program of the packages mon and mon-client that this package has no counterpart for.
keep_programs() {
    # dpkg by itself has begun with the removal when it runs preinst, but its files are there.
    case "$(dpkg-query -W -f '${db:Status-Status}' mon 2>/dev/null)" in
        installed | half-installed) ;;
        *) return 0 ;;
    esac
    rm -rf "$KEPT.new"
    for package in mon mon-client; do
        dpkg-query -L "$package" 2>/dev/null || true
    done | while read -r path; do
        case "$path" in
            /usr/lib/mon/state.d/*) continue ;;
            /usr/lib/mon/*/* | /usr/bin/* | /usr/lib/cgi-bin/* | /usr/share/perl5/Mon/*) ;;
            *) continue ;;
        esac
        [ -f "$path" ] && [ ! -L "$path" ] || continue
        ! printf '/%s\n' $LINKS | grep -Fxq "$path" || continue
        mkdir -p "$KEPT.new${path%/*}"
        cp -a "$path" "$KEPT.new$path"
    done
    [ -d "$KEPT.new" ] || return 0
    rm -rf "$KEPT"
    mv "$KEPT.new" "$KEPT"
}

# A file of the administrator's stays where it is and stays the one that is found: the link of this package goes
# beside it. His is what no package owns, what he has changed in the package mon, and what stands where we had a link.
spare_own_programs() {
    sums=$(dpkg-query --control-path mon md5sums 2>/dev/null) || sums=
    changed=
    [ -z "$sums" ] || changed=$(cd / && LC_ALL=C md5sum -c --quiet "$sums" 2>/dev/null | sed -n 's,^\(.*\): FAILED$,/\1,p')
    printf '/%s\n' $LINKS | while read -r path; do
        case "$path" in /usr/lib/mon/*) ;; *) continue ;; esac
        [ -e "$path" ] || [ -L "$path" ] || continue
        [ "$(dpkg-divert --truename "$path")" = "$path" ] || continue
        owner=$(dpkg-query -S "$path" 2>/dev/null) || owner=
        if [ "${owner%%:*}" = remon ]; then
            # He has put something else in the place of our link.
            [ "$(readlink -f "$path")" != /usr/sbin/mon ] || continue
        elif [ -n "$owner" ]; then
            printf '%s\n' "$changed" | grep -Fxq "$path" || continue
        fi
        echo "remon: $path is your own and stays; the program of this package is $path.packaged" >&2
        dpkg-divert --quiet --package "$OWN" --no-rename --divert "$path.packaged" --add "$path"
    done
}

# A second time, mon may have been removed already: the running daemon would not find its programs.
take_over() {
    if [ ! -e "$SAVED" ] || [ -z "$(find "$SAVED" -mmin -10)" ]; then
        save_state
        touch "$SAVED"
    fi
    keep_programs
    spare_own_programs
}
