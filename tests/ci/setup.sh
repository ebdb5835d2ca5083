# Sourced by ./dev: the packages that a verb needs. On Debian what is missing is installed; on any other
# system the command that installs it is told, and the verb goes on only when nothing is missing.

packages_list=$top/tests/ci/packages
installed=0 # whether this run has installed anything

. "$top/tests/ci/distribution.sh"
read_distribution

# need KIND...: makes sure that what these kinds list is there. Silent when it is.
need() {
    local kinds missing
    kinds=$(IFS='|'; echo "$*")
    if ((automatic)); then
        missing=$(missing_packages "$kinds")
        [[ -z $missing ]] || install_packages $missing
    else
        tell_missing "$kinds"
    fi
}

missing_packages() {
    local wanted
    wanted=$(package_rows "$names" "$1" | cut -d ' ' -f 1 | grep -vx -e - -e none)
    comm -23 <(sort -u <<<"$wanted") <(dpkg-query -W -f '${Status} ${Package}\n' $wanted 2>/dev/null |
        sed -n 's/^install ok installed //p' | sort)
}

# What is missing, "package probe", by looking for the things themselves: they may be here without a package.
missing_things() {
    package_rows "${names:-debian}" "$1" | while read -r package probe; do
        is_there "$package" "$probe" || echo "$package $probe"
    done
}

is_there() {
    local package=$1 probes probe
    IFS='|' read -ra probes <<<"$2"
    for probe in "${probes[@]}"; do
        case $probe in
            -) [[ -z $names || $package == - || $package == none ]] || has_package "$package" ;;
            pc:*) pkg-config --exists "${probe#pc:}" 2>/dev/null ;;
            h:*) [[ -e /usr/include/${probe#h:} || -e /usr/local/include/${probe#h:} ]] ;;
            *) command -v "$probe" >/dev/null ;;
        esac && return
    done
    return 1
}

tell_missing() {
    local things packages nowhere as_root=
    things=$(missing_things "$1")
    packages=$(awk '$1 != "-" && $1 != "none" { print $1 }' <<<"$things" | sort -u | paste -sd ' ')
    nowhere=$(awk '$1 == "-" || $1 == "none" { print $2 }' <<<"$things" | paste -sd ' ')
    ((EUID == 0)) || as_root='sudo '
    if [[ -n $packages && -z $names ]]; then
        die "these are missing here; the names are those of Debian:"$'\n  '"$packages"
    elif [[ -n $packages ]]; then
        die "packages are missing. Install them and try again:"$'\n  '"$as_root$install $packages"
    elif [[ -n $nowhere ]]; then
        say "this system has no package for these; what needs them fails: $nowhere"
    fi
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
    : >"$log"
    if ! apt_get update || ! apt_get -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"; then
        tail -n 20 "$log" >&2
        die "the packages could not be installed; the whole story is in $log"
    fi
    installed=1
}

# apt_get ARGUMENT...: as long as another program holds the locks of apt or dpkg, says so and tries again, for
# ten minutes. apt's own DPkg::Lock::Timeout does not wait for the lock of `update`. The steps come by a descriptor
# of their own: apt closes that one to dpkg, and a package whose scripts print cannot be set up without an output.
apt_get() {
    local output holder told= deadline=$((SECONDS + 600))
    output=$(mktemp)
    until with_progress "$output" "${as_root[@]}" env LC_ALL=C DEBIAN_FRONTEND=noninteractive \
        sh -c 'exec apt-get -q -y -o APT::Status-Fd=3 "$@" 3>&1' apt-get "$@"; do
        holder=$(sed -n 's/.*Could not get lock .* held by process //p' "$output" | head -n 1)
        if [[ -z $holder ]] || ((SECONDS > deadline)); then
            cat "$output" >>"$log"
            rm "$output"
            return 1
        fi
        [[ $told == "$holder" ]] || say "waiting for another installation to end: process $holder"
        told=$holder
        sleep 2
    done
    cat "$output" >>"$log"
    rm "$output"
}

# with_progress LOG COMMAND...: a machine that has no packages yet may not have Python either.
with_progress() {
    local log=$1
    shift
    if command -v python3 >/dev/null; then
        python3 "$top/tests/ci/progress.py" --log "$log" "installing packages" "$@"
    else
        "$@" >"$log" 2>&1 </dev/null
    fi
}
