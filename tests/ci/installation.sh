#!/usr/bin/env bash
# Installs a release build into a folder of its own and uses it from there, as users do: the daemon
# with the configuration that comes with it, tbsctl, the TCTI module, and programs that pkg-config
# helps to compile.
set -euo pipefail

build=$1 prefix=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
daemon=

cleanup() {
    [[ -z $daemon ]] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT
trap 'echo "installation: line $LINENO failed: $BASH_COMMAND" >&2' ERR

rm -rf "$prefix"
# The whole tree under DESTDIR, so that nothing of the machine's /etc is written.
DESTDIR=$folder/root meson install -C "$build" --quiet --no-rebuild
mkdir -p "$(dirname "$prefix")"
mv "$folder/root$prefix" "$prefix"

library=$(dirname "$(find "$prefix" -name libtbs.so.1)")
export LD_LIBRARY_PATH=$library PKG_CONFIG_PATH=$library/pkgconfig
export TBS_SOCKET=$folder/tbsd.sock PATH=$prefix/bin:$PATH

"$prefix/sbin/tbsd" --config "$folder/root/etc/tbs/tbsd.conf" --socket "$TBS_SOCKET" \
    --device "embedded:$folder/tpm" --state-dir "$folder" 2>"$folder/log" &
daemon=$!
for _ in $(seq 200); do
    [[ ! -S $TBS_SOCKET ]] || break
    sleep 0.05
done

tbsctl --json info | grep -q embedded
tpm2_getrandom --tcti tbs --hex 16 | grep -Eqx '[0-9a-f]{32}'

example() {
    local program=$folder/$1 source=$top/docs/examples/$2 module=$3 compiler=gcc
    [[ $source == *.c ]] || compiler=g++
    shift 3
    # shellcheck disable=SC2046
    "$compiler" "$@" -o "$program" "$source" $(pkg-config --cflags --libs "$module") -pthread
    "$program" >/dev/null
}
example cancel cancel.c 'tbs tss2-mu' -std=gnu11
example hash hash.cpp 'tbs tss2-mu' -std=c++20
example callback callback.cpp tbs -std=c++20 -O0
example ported ported.c tbs-compat

# In place of tpm2-abrmd's module, with its header and .pc file.
tabrmd=$library/tbs/tabrmd
# shellcheck disable=SC2046
gcc -DLINKED -o "$folder/tabrmd" "$top/tests/integration/clients/tabrmd_program.c" \
    $(PKG_CONFIG_PATH=$tabrmd/pkgconfig pkg-config --cflags --libs tss2-tcti-tabrmd)
LD_LIBRARY_PATH=$tabrmd "$folder/tabrmd" bus_type=system >"$folder/tabrmd.log"
grep -q "for tbsd" "$folder/tabrmd.log"

# With CMake, from the tree where it lies now; a version with another interface is not taken.
cmake_project() { cmake -S "$top/tests/ci/cmake" -B "$folder/cmake" -DCMAKE_PREFIX_PATH="$prefix" "$@" >"$folder/cmake.log" 2>&1; }
cmake_project -DEXAMPLES="$top/docs/examples"
cmake --build "$folder/cmake" >/dev/null
"$folder/cmake/cancel" >/dev/null
"$folder/cmake/hash" TPM >/dev/null
"$folder/cmake/ported" >/dev/null
for wanted in 0.1.0 0.1 "$(pkg-config --modversion tbs)"; do cmake_project -DWANTED="$wanted"; done
for wanted in 0 0.0.9 1 99.1; do
    ! cmake_project -DWANTED="$wanted" || { echo "CMake took this version for $wanted" >&2; exit 1; }
done

for page in man1/tbsctl.1 man1/tbsctl-log.1 man3/tbs.3 man5/tbsd.conf.5 man8/tbsd.8; do
    [[ -s $prefix/share/man/$page || -s $prefix/share/man/$page.gz ]]
done
for file in bash-completion/completions/tbsctl fish/vendor_completions.d/tbsctl.fish zsh/site-functions/_tbsctl; do
    [[ -s $prefix/share/$file ]]
done
for file in tbsd.service tbsd.socket tbsd-admin.socket tbsd@.service tbsd@.socket tbsd-admin@.socket \
    tbsd-tenant@.socket tbsd-metrics.socket tbsd-metrics@.socket tbsd-node.socket tbsd-node@.socket \
    tbs-bridge@.service tbs-bridge@.socket tbs-bridge@mssim.socket.d/10-mssim.conf \
    tbs-bridge@swtpm.socket.d/10-swtpm.conf tbs-bridge@swtpm.service.d/10-swtpm.conf; do
    grep -q . "$prefix/lib/systemd/system/$file"
done
grep -q "$prefix/sbin/tbsd" "$prefix/lib/systemd/system/tbsd.service"
grep -q "$prefix/bin/tbsctl" "$prefix/lib/systemd/system/tbs-bridge@.service"

kill "$daemon"
wait "$daemon"
daemon=
