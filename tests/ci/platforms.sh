# Sourced by ./dev: tbs on each platform of tests/ci/platforms, in chroots. A platform's build folder and the
# compiler cache are kept, so that a second run takes minutes. What passes and fails is counted as by ./dev test.

. "$top/tests/ci/chroots.sh"
. "$top/tests/ci/cross.sh"
. "$top/tests/ci/time_limit.sh"
platforms_list=$top/tests/ci/platforms
platforms=$state/platforms
platform_results=$state/results-platforms
chroots=${TBS_ROOTS:-$chroots}

# platform_rows [WORD...]: the rows of these names, with --short those of the short form, without any all others.
platform_rows() {
    awk -v wanted=" $* " '
        /^#/ || !NF { next }
        wanted ~ /^ +$/ ? $5 != "short" : index(wanted, " " $1 " ") || (wanted ~ / --short / && $5 == "short")
        ' "$platforms_list"
}

check_platforms() {
    local rows name suite packages compiler run options
    case ${1:-} in
        --list) awk '!/^#/ && NF' "$platforms_list" && return ;;
        -h | --help)
            echo "./dev check-platforms [--list | --short | NAME...]: all, those of the short form, or these"
            return
            ;;
    esac
    for name in "$@"; do
        [[ $name == --short || -n $(platform_rows "$name") ]] || die "there is no platform $name; --list names them"
    done
    rows=$(platform_rows "$@")
    mkdir -p "$platforms" "$chroot_ccache"
    : >"$platform_results"
    while read -r name suite packages compiler run options <&3; do
        check_platform
    done 3<<<"$rows"
    platform_table "$rows"
    python3 "$top/tests/ci/tally.py" sum "$platform_results"
}

# check_platform: the row that the caller has read. What cannot even begin is skipped, and says why.
check_platform() {
    local root why folder=$platforms/$name
    root=platform-$suite
    [[ $compiler != cross-* ]] || root+=-${compiler#cross-}
    [[ $packages == - ]] || root+=$(tr -c 'a-zA-Z0-9.+-' _ <<<"${packages//,/_}" | sed 's/_$//')
    say "$name: Debian $suite, $compiler${options:+, $options}"
    time_for 12 "$platform_results" "$name" || return
    if ! { why=$(make_platform_root 2>&1 >&3); } 3>&1; then
        say "SKIPPED: $name: $(grep -o 'dev: .*' <<<"$why" || tail -n 1 <<<"$why")"
        echo "0 0 1 $name: chroot" >>"$platform_results"
        return
    fi
    prepare_platform_folder
    if ! in_platform sh /source/tests/ci/platform_setup.sh "$compiler" $options >"$folder/setup.log" 2>&1; then
        tail -n 20 "$folder/setup.log" >&2
        rm -f "$folder.mark"  # what is half configured is begun anew
        platform_failed configuration
    elif ! platform_build; then
        platform_failed build
    else
        echo "1 0 0 $name: build" >>"$platform_results"
        platform_tests
    fi
}

platform_failed() {
    say "FAILED: $name: $1"
    echo "0 1 0 $name: $1" >>"$platform_results"
}

make_platform_root() {
    need chroot
    chroot_make "$root" "$suite" $(platform_packages)
    chroot_run "$root" -- true || die "the chroot $root cannot be entered"
}

# What is built with and what tests start, for the suite that the row names.
platform_packages() {
    local column=debian kinds='build|server' change list
    [[ $suite != bookworm ]] || column=debian12
    [[ $compiler != cross-* ]] || kinds=build
    list=$(package_rows "$column" "$kinds" | cut -d ' ' -f 1 | grep -vx -e - -e none | sort -u)
    for change in ${packages//,/ }; do
        case $change in
            +*) list+=$'\n'${change#+} ;;
            -?*) list=$(grep -vx -e "${change#-}" <<<"$list") ;;
        esac
    done
    [[ $compiler != cross-* ]] || list=$(cross_packages "${compiler#cross-}" <<<"$list")
    echo $list
}

# The build folder belongs to a chroot and to options: when either is another, it is begun anew.
prepare_platform_folder() {
    local mark
    mark="$root $(stat -c %Y "$chroots/$root.made") $compiler $options"
    [[ $(cat "$folder.mark" 2>/dev/null) == "$mark" ]] || rm -rf "$folder"
    mkdir -p "$folder"
    printf '%s\n' "$mark" >"$folder.mark"
}

# in_platform COMMAND...: with the tree at /source and the build folder at /build.
in_platform() {
    chroot_run "$root" --bind "$top" /source --bind "$folder" /build --bind "$chroot_ccache" /ccache -- \
        env CCACHE_DIR=/ccache CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 \
        CCACHE_SLOPPINESS=pch_defines,time_macros NINJA_STATUS='@%f/%t ' PYTHONUNBUFFERED=1 \
        PYTHONDONTWRITEBYTECODE=1 "$@"
}

platform_build() {
    local targets=all
    [[ $run == build || $run == tests ]] || targets='programs core-tests'
    [[ $run != cross ]] || targets+=' replays'
    progress "compiling $name" bash -c "$(declare -f in_platform chroot_run)
        $(declare -p top root folder chroots chroot_ccache chroot_enter)
        in_platform ninja -C /build -k 0 $targets"
}

platform_tests() {
    local which=()
    case $run in
        build) return ;;
        # Meson would compile what all tests need.
        unit | short) which=(--no-rebuild --suite unit --suite rm) ;;
        # An emulated program takes ten times as long.
        cross) which=(--no-rebuild --timeout-multiplier 60 --suite unit --suite rm --suite fuzz) ;;
    esac
    rm -f "$folder/meson-logs/dev.json"
    in_platform meson test -C /build --logbase dev --timeout-multiplier 3 --print-errorlogs \
        --num-processes $((2 * $(nproc))) "${which[@]}"
    python3 "$top/tests/ci/tally.py" add "$platform_results" "$name" "$folder/meson-logs/dev.json"
    [[ $run != cross ]] || cross_smoke
}

# platform_table ROWS: a line for each platform.
platform_table() {
    awk -v form='%-20s %-9s %-9s %7s %7s %8s  %s\n' '
        FNR == NR { split($4, part, ":"); passed[part[1]] += $1; failed[part[1]] += $2; skipped[part[1]] += $3; next }
        FNR == 1 { printf form, "platform", "suite", "compiler", "passed", "failed", "skipped", "options" }
        {
            options = $0
            sub(/^([^ ]+ +){4}[^ ]+ */, "", options)
            printf form, $1, $2, $4, passed[$1] + 0, failed[$1] + 0, skipped[$1] + 0, options
        }' "$platform_results" - <<<"$1"
}
