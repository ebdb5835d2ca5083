# Sourced by ./dev: Debian's packages of this tree, built and tested in clean chroots. What a suite's build
# yields stays in .cache/dev/packages/SUITE.

packages=$state/packages
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$top/meson.build")
# What builds packages and looks at them, beside what debian/control names.
package_tools="build-essential ccache fakeroot lintian piuparts"

package_all() {
    local suite only_build=0
    [[ ${1:-} != --only-build ]] || { only_build=1; shift; }
    (($#)) || set -- bookworm trixie sid
    mkdir -p "$packages"
    : >"$results"
    SECONDS=0
    for suite in "$@"; do
        package_chroots "$suite" $only_build
        check "$suite: packages" package_build "$suite" || continue
        ((! only_build)) || continue
        check "$suite: lintian" package_lintian "$suite"
        check "$suite: piuparts" package_piuparts "$suite"
        check "$suite: autopkgtest" package_autopkgtest "$suite"
        check "$suite: built again, the same bits" package_again "$suite"
        [[ $suite != "$(. /etc/os-release && echo "$VERSION_CODENAME")" ]] ||
            check "$suite: packages under systemd" progress "packages under systemd" \
                "$top/tests/guest/packages_test.py" "$packages/$suite"
    done
    say "after $((SECONDS / 60)) min $((SECONDS % 60)) s; the packages are in $packages"
    python3 "$top/tests/ci/tally.py" sum "$results"
}

# package_chroots SUITE ONLY_BUILD: what builds, and a system to install on.
package_chroots() {
    # shellcheck disable=SC2046
    chroot_make "$1-package" "$1" $package_tools $(build_depends "$1")
    (($2)) || chroot_make "$1-clean" "$1" autopkgtest systemd
}

# build_depends SUITE: names. Where debian/control offers two packages, the second is Debian 12's.
build_depends() {
    local which='s/ *|.*//'
    [[ $1 != bookworm ]] || which='s/.*| *//'
    sed -n '/^Build-Depends:/,/^[^ B]/{s/^ \(.*\),$/\1/p}' "$top/debian/control" |
        sed -e "$which" -e 's/ *[<(].*//' -e 's/:any//' -e 's/debhelper-compat/debhelper/' -e '/dh-sequence-/d'
}

# source_of FOLDER: puts the tree there as it is now, with what is not committed and without what is built.
source_of() {
    mkdir -p "$1"
    if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
        (cd "$top" && git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T -)
    else
        tar -C "$top" -c --exclude='./build*' --exclude=./.cache --exclude=__pycache__ .
    fi | tar -C "$1" -x --no-same-owner
}

# package_compile SUITE FOLDER RESULT SCRIPT [OPTION...]: builds in FOLDER/tbs-VERSION of a chroot, with these
# options of dpkg-buildpackage; SCRIPT sets what else there is to set. The packages are in RESULT after it.
package_compile() {
    local suite=$1 folder=$2 result=$3 script=$4
    shift 4
    rm -rf "$result"
    source_of "$result/tbs-$version"
    mkdir -p "$chroot_ccache"
    watched "building for $suite" "$result/build.log" \
        chroot_run "$suite-package" --bind "$result" "$folder" --bind "$chroot_ccache" /ccache -- \
        sh -ec "cd $folder/tbs-$version; export NINJA_STATUS='@%f/%t '; $script
            exec dpkg-buildpackage --no-sign $*" || { tail -n 40 "$result/build.log"; return 1; }
    rm -rf "$result/tbs-$version"
}

package_build() {
    package_compile "$1" /build "$packages/$1" 'export CCACHE_DIR=/ccache CCACHE_DEPEND=1 PATH=/usr/lib/ccache:$PATH'
}

# Another folder, time, time zone, locale, umask and number of processors, no tests, and no memory of the
# first time.
package_again() {
    package_compile "$1" /somewhere/quite/different "$packages/$1.again" 'umask 027; find . -exec touch {} +
        export TZ=Pacific/Kiritimati LC_ALL=POSIX DEB_BUILD_OPTIONS="nocheck parallel=1"' --build=binary &&
        compared "$packages/$1" "$packages/$1.again"
}

compared() {
    local deb wrong=0
    for deb in "$1"/*.deb; do
        if cmp "$deb" "$2/${deb##*/}"; then
            sha256sum "$deb" | sed "s, .*/, ,"
        else
            wrong=1
        fi
    done
    return $wrong
}

# lintian_leaves SUITE: what lintian finds there and what is meant so, as one packaging is for all suites. Debian 12
# does not know the policy that it follows, and asks for an init script that nobody has asked for since: the sockets
# are systemd's. sid finds old what Debian 12 needs: debhelper 13, and two fields that have become the default.
lintian_leaves() {
    case $1 in
        bookworm) echo newer-standards-version,package-supports-alternative-init-but-no-init.d-script ;;
        trixie) echo newer-standards-version ;;
        *) echo package-uses-old-debhelper-compat-version,redundant-priority-optional-field,redundant-rules-requires-root-no-field ;;
    esac
}

package_lintian() {
    local log=$packages/$1/lintian.log code
    watched "lintian" "$log" chroot_run "$1-package" --bind "$packages/$1" /packages -- \
        lintian --allow-root --pedantic --info --display-info --fail-on=error,warning,info,pedantic \
        "--suppress-tags=$(lintian_leaves "$1")" "/packages/tbs_${version}_$(dpkg --print-architecture).changes"
    code=$?
    cat "$log"
    return $code
}

# There is no older version in the archive to upgrade from; packages_test.py upgrades. The folder
# that is ignored is made by debconf for another package.
package_piuparts() {
    local log=$packages/$1/piuparts.log
    watched "piuparts" "$log" \
        chroot_run "$1-package" --bind "$packages/$1" /packages --bind "$chroots/$1-clean" /clean -- bash -O extglob -c \
        'piuparts --existing-chroot=/clean --distribution='"$1"' --keep-sources-list \
            --ignore=/var/cache/debconf/tmp.ci/ --no-upgrade-test --no-eatmydata \
            /packages/!(*-dbgsym_*).deb' || { tail -n 40 "$log"; return 1; }
    grep -E 'INFO: (PASS|FAIL)' "$log"
}

package_autopkgtest() {
    local log=$packages/$1/autopkgtest.log code
    # The chroot is thrown away, so it is as good as a container.
    watched "autopkgtest" "$log" chroot_run "$1-clean" --bind "$packages/$1" /packages -- sh -c \
        'apt-get -q update && autopkgtest --ignore-restrictions=isolation-container \
            /packages/*.deb /packages/*.dsc -- null'
    code=$?
    sed -n '/@@@@ summary/,$p' "$log"
    ((code == 0)) || { tail -n 60 "$log"; return 1; }
}
