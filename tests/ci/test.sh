# Sourced by ./dev: everything that is checked before a change is taken.
#
# Two kinds of things are counted. A `check` is one command that passes or fails. A `suite` is a run
# of `meson test`, in which every test case counts (tally.py says how they are told apart). What runs
# is what the tree declares to Meson; the suites mean:
#   guest    needs a kernel to test in; run once, on the plain build (later-kernel: another than the usual one)
#   threads  code with threads of its own, libtbs above all; run again under TSan
#   (others) run on the plain build (gcc) and again under ASan and UBSan (clang)
# Saved fuzz inputs are ordinary tests of the sanitized build. The last line printed is the sum.
#
# What has no time left (time_limit.sh) is skipped: the tests on a later kernel first, then what comes last.

results=$state/results
. "$top/tests/ci/beside.sh"
. "$top/tests/ci/time_limit.sh"
PATH=$PATH:/usr/lib/llvm-19/bin # where the sanitizers find llvm-symbolizer
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:abort_on_error=1:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}

run_all() {
    mkdir -p "$state"
    : >"$results"
    SECONDS=0

    check 'format' formatted
    local compiled=0
    ! check 'build, gcc' build_default || compiled=1
    # Tests wait for others most of the time, which is enough to compile and look at everything else.
    beside 'asan:build_sanitized' 'installed:build_installed' 'tsan:build_threads' 'tidy:analyse'
    ((!compiled)) || suite 'tests' build
    if check 'build, clang with ASan and UBSan' result_of asan; then
        suite 'tests under ASan and UBSan' build-asan
    fi
    if check 'build, release' result_of installed; then
        check 'installation' "$top/tests/ci/installation.sh" "$top/build-installed" "$state/installed"
        check 'recipes of other distributions' "$top/tests/ci/recipes.sh" "$top/build-installed" "$state/installed"
    fi
    if has_suite build threads && check 'build, clang with TSan' result_of tsan; then
        suite 'threads under TSan' build-tsan --suite threads
    fi
    ! has_suite build guest || guests
    check 'static analysis' result_of tidy

    say "after $((SECONDS / 60)) min $((SECONDS % 60)) s"
    python3 "$top/tests/ci/tally.py" sum "$results"
}

guests() {
    local name='tests on a real kernel'
    time_for 20 "$results" "$name" || return
    if time_for 35 "$results" "$name: a later kernel"; then
        suite "$name" build --suite guest --num-processes "$(nproc)"
    else
        suite "$name" build --suite guest --no-suite later-kernel --num-processes "$(nproc)"
    fi
}

# check NAME COMMAND...: with 77 it says that it was skipped.
check() {
    local name=$1 begun=$SECONDS code
    shift
    say "$name"
    "$@"
    code=$?
    case $code in
        0) echo "1 0 0 $name" >>"$results" && took "$name" "$begun" ;;
        77) echo "0 0 1 $name" >>"$results" && say "SKIPPED: $name" ;;
        *) echo "0 1 0 $name" >>"$results" && say "FAILED: $name" ;;
    esac
    return "$code"
}

# suite NAME FOLDER [MESON TEST OPTION...]: compiles what the tests need, runs and counts them.
# Most tests wait for others most of the time; a guest keeps a processor busy.
suite() {
    local name=$1 folder=$top/$2 begun=$SECONDS
    shift 2
    say "$name"
    rm -f "$folder/meson-logs/dev.json"
    progress "$name" meson test -C "$folder" --logbase dev --timeout-multiplier 3 --print-errorlogs \
        --num-processes $((2 * $(nproc))) "$@"
    python3 "$top/tests/ci/tally.py" add "$results" "$name" "$folder/meson-logs/dev.json"
    took "$name" "$begun"
}

# took NAME BEGUN: says how long a step took that anybody waited for.
took() {
    local seconds=$((SECONDS - $2))
    ((seconds < 10)) || say "$1: $((seconds / 60)) min $((seconds % 60)) s"
}

has_suite() {
    [[ -d $top/$1 ]] && grep -q "\"suite\": \[[^]]*:$2\"" <<<"$(meson introspect --tests "$top/$1")"
}

formatted() { sources | xargs clang-format-19 --dry-run -Werror; }
build_installed() { werror=1 build_release build-installed "$state/installed"; }
build_sanitized() { configure_sanitized build-asan address,undefined true && compile build-asan; }
build_threads() {
    configure_sanitized build-tsan thread false && compile build-tsan $(test_programs build-tsan threads)
}
# test_programs FOLDER SUITE
test_programs() {
    meson introspect --tests "$top/$1" | python3 -c '
import json, os, sys
print(*{os.path.relpath(test["cmd"][0], sys.argv[1]) for test in json.load(sys.stdin)
        if any(suite.endswith(":" + sys.argv[2]) for suite in test["suite"])})' "$top/$1" "$2"
}
# clang-tidy looks at each source alone, as clang would compile it.
analyse() {
    build_folder build-tidy clang -Dwerror=true &&
        progress 'static analysis' python3 "$top/tests/ci/tidy.py" "$top" "$top/build-tidy" "$top/build"
}
