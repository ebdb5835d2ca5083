# Sourced by ./dev: one build folder per purpose, each configured once and again when its options here
# change. build/ belongs to whoever set it up: when it is there without our mark, it is used as it is.

# Else ccache takes the same file in two copies of the tree for two files. A unity build names its sources by
# absolute paths.
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$top
export CCACHE_SLOPPINESS=pch_defines,time_macros # which ccache wants for precompiled headers
export CCACHE_DEPEND=1                           # what is not in the cache is not preprocessed twice

# build_folder FOLDER COMPILER [MESON OPTION...]: configures it; COMPILER is gcc or clang.
build_folder() {
    local folder=$top/$1 compiler=$2 options wrapper=
    shift 2
    options="$compiler $*"
    if [[ -e $folder/build.ninja ]]; then
        if [[ ! -e $folder/dev-options || $(<"$folder/dev-options") == "$options" ]]; then
            # What Meson did not find before may be there now.
            ((! installed)) || meson setup --reconfigure "$folder" "$top" >"$state/setup.log" 2>&1
            return
        fi
        rm -rf "$folder"
    fi
    ! command -v ccache >/dev/null || wrapper='ccache '
    local cc=gcc cxx=g++
    [[ $compiler == gcc ]] || cc=$(llvm_program clang) cxx=$(llvm_program clang++)
    say "configuring ${folder##*/}"
    mkdir -p "$state"
    if ! CC=$wrapper$cc CXX=$wrapper$cxx meson setup "$folder" "$top" "$@" >"$state/setup.log" 2>&1; then
        tail -n 20 "$state/setup.log" >&2
        rm -rf "$folder"
        return 1
    fi
    printf '%s' "$options" >"$folder/dev-options"
}

# The version that formats the sources where it is there, else the system's own.
llvm_program() {
    if command -v "$1-19" >/dev/null; then echo "$1-19"; else echo "$1"; fi
}

# compile FOLDER [TARGET...]: what fails, all of it, and how far it is.
compile() {
    local folder=$top/$1
    shift
    say "compiling ${folder##*/}"
    progress "compiling ${folder##*/}" ninja -C "$folder" -j "$(nproc)" -k 0 "$@"
}

# progress NAME COMMAND...: runs it, and says how far it is.
progress() { python3 "$top/tests/ci/progress.py" "$@"; }

# watched NAME LOG FUNCTION [ARGUMENT...]: the same with a function of these files. What it prints goes to the log,
# steps and all.
watched() {
    progress --log /dev/null "$1" bash -c "set -o pipefail
        $(declare -f)
        $(declare -p $(compgen -v | grep -x -e top -e state -e chroots -e chroot_enter -e packages -e version))"'
        log=$1
        shift
        "$@" 2>&1 | tee "$log"' watched "${@:2}"
}

# Warnings are errors where tbs is developed and checked, not where it is installed: the compiler of next year
# has warnings that nobody has seen.
build_default() { build_folder build gcc -Dwerror=true && compile build "$@"; }
# Several sources of a library are compiled as one, which takes a quarter of the time: most of it goes into
# headers and templates. Not in build/, where one source changes at a time and each must include what it uses.
together=(--unity=on --unity-size=20)

# build_release FOLDER PREFIX [TARGET...]: what is installed, without the tests, as Debian's packages are optimized:
# release alone would be -O3. With werror=1 before it, warnings are errors.
build_release() {
    local folder=$1 prefix=$2
    shift 2
    build_folder "$folder" gcc --buildtype=release --optimization=2 --prefix="$prefix" -Dtests=false \
        "${together[@]}" ${werror:+-Dwerror=true} && compile "$folder" "$@"
}
build_bench() {
    build_folder build-bench gcc -Dwerror=true --buildtype=release "${together[@]}" &&
        compile build-bench "$@"
}
# configure_sanitized FOLDER SANITIZERS FUZZERS
configure_sanitized() {
    build_folder "$1" clang -Dwerror=true -Db_lundef=false -Db_sanitize="$2" -Dfuzzers="$3" --optimization=1 \
        -Ddebug=false -Dcpp_args=-gline-tables-only -Dc_args=-gline-tables-only "${together[@]}"
}
# sources: every file that clang-format looks after.
sources() {
    find "$top"/{proto,client,daemon,tests} -type f \( -name '*.h' -o -name '*.hpp' -o -name '*.cpp' -o -name '*.c' \) |
        sort
}
