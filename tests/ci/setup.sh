# Sourced by ./dev: the packages that a verb needs. On Debian 12 what is missing is installed; on any
# other system it is named, and the verb goes on only when nothing is missing.

packages_list=$top/tests/ci/packages
installed=0 # whether this run has installed anything

# need KIND...: makes sure that the packages of these kinds are there. Silent when they are.
need() {
    local kinds missing
    kinds=$(IFS='|'; echo "$*")
    if is_debian_12; then
        missing=$(missing_packages "$kinds")
        [[ -z $missing ]] || install_packages $missing
    else
        missing=$(missing_things "$kinds")
        [[ -z $missing ]] || die "missing here (only on Debian 12 are they installed for you; these are" \
            $'the names there):\n'"$missing"
    fi
}

is_debian_12() {
    [[ -r /etc/os-release ]] && (. /etc/os-release && [[ $ID == debian && $VERSION_ID == 12 ]])
}

# rows KINDS: the lines of the list, "package probe", of kinds given as a|b|c.
rows() {
    awk -v kinds="^($1)\$" '!/^#/ && $1 ~ kinds && !seen[$2]++ { print $2, $3 }' "$packages_list"
}

missing_packages() {
    local wanted
    wanted=$(rows "$1" | cut -d ' ' -f 1)
    comm -23 <(sort <<<"$wanted") <(dpkg-query -W -f '${Status} ${Package}\n' $wanted 2>/dev/null |
        sed -n 's/^install ok installed //p' | sort)
}

missing_things() {
    local package probe
    rows "$1" | while read -r package probe; do
        is_there "$probe" || echo "  $package"
    done
}

is_there() {
    case $1 in
        -) true ;;
        pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
        h:*) [[ -e /usr/include/${1#h:} || -e /usr/local/include/${1#h:} ]] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

install_packages() {
    local log=$state/apt.log as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null ||
            die "run this as root, or install sudo: these packages are missing: $*"
        as_root=(sudo)
    fi
    say "installing $# packages, which takes a minute or three: $*"
    mkdir -p "$state"
    if ! {
        "${as_root[@]}" apt-get -q update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
                -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
    } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        die "the packages could not be installed; the whole story is in $log"
    fi
    installed=1
}
