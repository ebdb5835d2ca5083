#!/usr/bin/env bash
# The recipes for other distributions: rpmbuild and the functions of the PKGBUILD make their packages from what a
# release build installs. Each installed file is in one package and in no other, and none is missing.
# recipes.sh BUILD PREFIX. The programs are not compiled again: only `meson install` is real here.
set -euo pipefail

build=$1 prefix=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "recipes: line $LINENO failed: $BASH_COMMAND" >&2' ERR

version=$(meson introspect --projectinfo "$build" | python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])')
DESTDIR=$folder/whole meson install -C "$build" --quiet --no-rebuild
rm -rf "$folder/whole$prefix"/lib/*/tbs/wine # none of the recipes builds it
library=$(dirname "$(find "$folder/whole" -name libtbs.so.1)")
library=${library#"$folder/whole$prefix/"}

# What the recipes take their sources from.
source=$folder/tbs-$version
mkdir "$source"
cp -r "$top"/{README.md,CHANGELOG.md,LICENSE,docs,systemd} "$source/"

same_version() {
    [[ $(sed -n "s/^$1//p" "$2" | tr -d ' ') == "$version" ]] ||
        { echo "recipes: ${2#"$top"/} has another version than meson.build" >&2; exit 1; }
}
same_version Version: "$top/build-aux/rpm/tbs.spec"
same_version pkgver= "$top/build-aux/arch/PKGBUILD"

# no_file_twice LIST: lines "PACKAGE FILE".
no_file_twice() {
    local twice
    twice=$(cut -d ' ' -f 2 "$1" | sort | uniq -d)
    [[ -z $twice ]] || { printf 'recipes: in several packages:\n%s\n' "$twice" >&2; exit 1; }
}

# The macros that Fedora's packages bring, as far as the spec uses them.
rpm_macros() {
    cat <<END
%_topdir $folder/rpm
%_prefix $prefix
%_libdir $prefix/$library
%_sbindir $prefix/sbin
%_libexecdir $prefix/libexec
%_datadir $prefix/share
%_mandir $prefix/share/man
%_sysconfdir /etc
%_unitdir $prefix/lib/systemd/system
%_presetdir $prefix/lib/systemd/system-preset
%_sysusersdir $prefix/lib/sysusers.d
%_tmpfilesdir $prefix/lib/tmpfiles.d
%_udevrulesdir $prefix/lib/udev/rules.d
%_pkgdocdir $prefix/share/doc/tbs
%python3_sitelib $prefix/lib/python3/site-packages
%meson(-) :
%meson_build :
%meson_test(-) :
%meson_install mkdir -p %{buildroot} && cp -a $folder/whole/. %{buildroot}/
%systemd_post(-) :
%systemd_preun(-) :
%systemd_postun_with_restart(-) :
%debug_package %{nil}
%_build_id_links none
%__os_install_post %{nil}
END
}

rpm_packages() {
    local package
    mkdir -p "$folder/rpm/SOURCES" "$folder/rpm/BUILD"
    tar -C "$folder" -cJf "$folder/rpm/SOURCES/tbs-$version.tar.xz" "tbs-$version"
    rpm_macros >"$folder/macros"
    rpmbuild --load="$folder/macros" -ba --nodeps --quiet "$top/build-aux/rpm/tbs.spec" >"$folder/rpm.log" 2>&1 ||
        { cat "$folder/rpm.log" >&2; exit 1; }
    for package in "$folder"/rpm/RPMS/*/*.rpm; do
        # The licence is meant to be in each.
        rpm -qp --qf '[%{=NAME} %{FILENAMES}\n]' "$package" | grep -v /licenses/
    done >"$folder/rpm.list"
    [[ $(cut -d ' ' -f 1 "$folder/rpm.list" | sort -u | paste -sd ' ') == \
        'python3-tbs tbs-devel tbs-doc tbs-libs tbs-node tbs-tcti tbs-tools tbsd' ]]
    no_file_twice "$folder/rpm.list"
    grep -qx "tbsd $prefix/sbin/tbsd" "$folder/rpm.list"
    grep -qx "tbs-libs $prefix/$library/libtbs.so.1" "$folder/rpm.list"
    grep -qx "python3-tbs $prefix/lib/python3/site-packages/tbs/py.typed" "$folder/rpm.list"
}

# As arch-meson lays it out.
arch_layout() {
    local from=$folder/whole$prefix to=$1/usr
    mkdir -p "$to/bin" "$to/lib"
    cp -a "$from/bin/." "$from/sbin/." "$to/bin/"
    cp -a "$from/libexec/tbs" "$from"/lib/{systemd,sysusers.d,tmpfiles.d,udev} "$to/lib/"
    cp -a "$from/$library/." "$to/lib/"
    cp -a "$from/share" "$from/include" "$to/"
    cp -a "$folder/whole/etc" "$1/"
}

arch_packages() (
    srcdir=$folder/arch
    mkdir "$srcdir"
    mv "$source" "$srcdir/"
    meson() { [[ $1 == install ]] && arch_layout "${!#}"; }
    . "$top/build-aux/arch/PKGBUILD"
    for package in "${pkgname[@]}"; do
        pkgdir=$folder/pkg/$package
        (set -e; "package_$package")
        (cd "$pkgdir" && find . ! -type d -printf "$package /%P\n") | grep -v /licenses/
    done >"$folder/arch.list"
    no_file_twice "$folder/arch.list"
    grep -qx 'tbsd /usr/bin/tbsd' "$folder/arch.list"
    grep -qx 'tbs-libs /usr/lib/libtbs.so.1' "$folder/arch.list"
    grep -q '^python-tbs .*/tbs/py.typed$' "$folder/arch.list"
)

rpm_packages
arch_packages
