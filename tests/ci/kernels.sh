# Sourced by ./dev: the tests on a real kernel, on each kernel of Debian's that tests/guest/image.py knows.

. "$top/tests/ci/test.sh"
results=$state/results-kernels

# check_kernels [--swtpm SUITE] [KERNEL...]
check_kernels() {
    local kernel known swtpm='' tests=()
    known=$(python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import image; print(*image.KERNELS)' \
        "$top/tests/guest")
    if [[ ${1:-} == -h || ${1:-} == --help ]]; then
        echo "./dev check-kernels [--swtpm SUITE] [KERNEL...]: these of $known, or all; the TPM is the swtpm of this"
        echo "machine, or of another SUITE of Debian's, as sid"
        return
    fi
    if [[ ${1:-} == --swtpm ]]; then
        swtpm=${2:?a suite of Debian}
        shift 2
    fi
    # shellcheck disable=SC2086
    (($#)) || set -- $known
    for kernel; do [[ " $known " == *" $kernel "* ]] || die "there is no kernel $kernel; there are: $known"; done
    mkdir -p "$state"
    : >"$results"
    check 'build, gcc' build_default || return
    mapfile -t tests < <(tests_on_a_kernel)
    if [[ -n $swtpm ]]; then
        check "the swtpm of $swtpm" swtpm_of "$swtpm" || return
        PATH=$state/swtpm-$swtpm/bin:$PATH
    fi
    for kernel; do
        # One guest alone fetches the kernel.
        TBS_GUEST_KERNEL=$kernel check "$kernel: a guest starts" "$top/tests/guest/run" -- uname -r || continue
        TBS_GUEST_KERNEL=$kernel suite "$kernel" build --num-processes "$(nproc)" "${tests[@]}"
    done
    kernels_table "$@"
    python3 "$top/tests/ci/tally.py" sum "$results"
}

# swtpm_of SUITE: makes .cache/dev/swtpm-SUITE/bin/swtpm, which is that suite's with its own libraries; nothing
# of it is installed.
swtpm_of() {
    local suite=$1 folder=$state/swtpm-$1
    if [[ ! -x $folder/bin/swtpm ]]; then
        rm -rf "$folder"
        mkdir -p "$folder/bin"
        progress "fetching swtpm of Debian $suite" mmdebstrap --quiet --variant=extract \
            --aptopt='Acquire::Check-Valid-Until "false"' --include=swtpm "$suite" "$folder/root" || return
        cat >"$folder/bin/swtpm" <<'END'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/../root
libraries=$(dirname "$(find "$root/usr/lib" -name 'libtpms.so.0' | head -n 1)")
exec "$(find "$root/usr/lib64" "$root/usr/lib" -name 'ld-linux*.so.*' | head -n 1)" \
    --library-path "$libraries:$libraries/swtpm" "$root/usr/bin/swtpm" "$@"
END
        chmod +x "$folder/bin/swtpm"
    fi
    "$folder/bin/swtpm" --version
}

# All but those that name a kernel themselves.
tests_on_a_kernel() {
    meson introspect --tests "$top/build" | python3 -c '
import json, sys
for test in json.load(sys.stdin):
    if any(suite.endswith(":guest") for suite in test["suite"]) and " on " not in test["name"]:
        print(test["name"])'
}

kernels_table() {
    local kernel
    printf '%-8s %7s %7s %8s\n' kernel passed failed skipped
    for kernel; do
        awk -v kernel="$kernel" '$4 == kernel || $4 == kernel ":" { passed += $1; failed += $2; skipped += $3 }
            END { printf "%-8s %7d %7d %8d\n", kernel, passed, failed, skipped }' "$results"
    done
}
