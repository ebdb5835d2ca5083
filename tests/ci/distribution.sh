# Sourced by ./dev: which distribution this is, how its packages are called and who installs them.

# read_distribution [OS_RELEASE]: sets `names`, the column of the list of packages that holds here (empty:
# none), `install`, the command that installs packages, and `automatic`, 1 where ./dev runs it by itself.
read_distribution() {
    local file=${1:-/etc/os-release} id version codename like word
    names='' install='' automatic=0
    [[ -r $file ]] || return 0
    IFS='|' read -r id version codename like < <(
        . "$file"
        printf '%s|%s|%s|%s\n' "${ID:-}" "${VERSION_ID:-}" "${VERSION_CODENAME:-}" "${ID_LIKE:-}"
    )
    for word in $id $like; do
        case $word in
            debian | ubuntu)
                names=debian install='apt-get install --no-install-recommends'
                [[ $codename != bookworm ]] || names=debian12
                # Testing and unstable have no number.
                [[ $id != debian || (-n $version && $version -lt 12) ]] || automatic=1
                ;;
            fedora | rhel) names=fedora install='dnf install' ;;
            arch) names=arch install='pacman -S --needed' ;;
            opensuse | opensuse-* | suse) names=opensuse install='zypper install' ;;
            *) continue ;;
        esac
        return
    done
}

# package_rows NAMES KINDS: the lines of the list, "package probe", of kinds given as a|b|c.
package_rows() {
    awk -v names="$1" -v kinds="^($2)\$" '
        $1 == "#" && $2 == "for" { for (i = 3; i <= NF; i++) column[$i] = i - 1 }
        /^#/ || $1 !~ kinds { next }
        {
            name = $column[names]
            if (name == "=") name = $column["debian12"]
            if (!seen[name, $2]++) print name, $2
        }' "$packages_list"
}

# has_package PACKAGE: whether the package manager knows it as installed, itself or as part of another.
has_package() {
    case $names in
        debian*) dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -x 'install ok installed' >/dev/null ;;
        fedora | opensuse) rpm -q --quiet --whatprovides "$1" ;;
        arch) pacman -T "$1" >/dev/null ;;
    esac
}
