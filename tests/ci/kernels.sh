# Sourced by ./dev: the tests on a real kernel, on each kernel of Debian's that tests/guest/image.py knows.

. "$top/tests/ci/test.sh"
results=$state/results-kernels

# check_kernels [KERNEL...]
check_kernels() {
    local kernel known tests=()
    known=$(python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import image; print(*image.KERNELS)' \
        "$top/tests/guest")
    if [[ ${1:-} == -h || ${1:-} == --help ]]; then
        echo "./dev check-kernels [KERNEL...]: these of $known, or all"
        return
    fi
    # shellcheck disable=SC2086
    (($#)) || set -- $known
    for kernel; do [[ " $known " == *" $kernel "* ]] || die "there is no kernel $kernel; there are: $known"; done
    mkdir -p "$state"
    : >"$results"
    check 'build, gcc' build_default || return
    mapfile -t tests < <(tests_on_a_kernel)
    for kernel; do
        # One guest alone fetches the kernel.
        TBS_GUEST_KERNEL=$kernel check "$kernel: a guest starts" "$top/tests/guest/run" -- uname -r || continue
        TBS_GUEST_KERNEL=$kernel suite "$kernel" build --num-processes "$(nproc)" "${tests[@]}"
    done
    kernels_table "$@"
    python3 "$top/tests/ci/tally.py" sum "$results"
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
