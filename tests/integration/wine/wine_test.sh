#!/usr/bin/env bash
# A Windows program under Wine on tbsd: program.cpp, compiled for Windows, with the tbs.dll of
# client/wine beside it.
#
# wine_test.sh MODULE PROGRAM...: the module is tbslinux.dll.so.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../clients/flow.sh"
module=$(realpath "$1")
program=$(realpath "$2")
PATH=$PATH:/usr/lib/wine
wine=$(type -P wine64 wine | head -n 1) || true
[[ -n $wine ]] || { echo "wine is not installed" && exit "$kSkipped"; }

# The daemon serves whatever firmware has written.
head -c 70000 /dev/urandom >"$folder/firmware.bin"
tbsd_options=(--event-log "$folder/firmware.bin")
start_tbsd

step "a new Wine, and beside the program what the README says"
unset DISPLAY WAYLAND_DISPLAY
export WINEPREFIX=$folder/wine WINEDEBUG=-all WINEDLLPATH
WINEDLLPATH=$(dirname "$module")
LD_LIBRARY_PATH=$(dirname "$WINEDLLPATH"):$LD_LIBRARY_PATH # libtbs, not installed yet
# Nothing that would ask for a screen or for other packages.
WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=" "$wine" wineboot -i >wineboot.log 2>&1
cp "$WINEDLLPATH/tbs.dll" "$WINEDLLPATH/tbslinux.dll" "$program" .
# Wine's own programs go on running for a while otherwise.
stop_wine() { "$(type -P wineserver wineserver64 | head -n 1)" -k || true; }

step "create keys, sign, cancel, ask"
export WINEDLLOVERRIDES="tbs=n;winedbg.exe="
result=0
"$wine" "$(basename "$program")" >said 2>errors || result=$?
tr -d '\r' <said
cat errors >&2
stop_wine
((result == 0)) || fail "the program ends with $result"
grep -q "all done" said
sum=$(python3 -c 'import functools, sys
log = open(sys.argv[1], "rb").read()
print("%08x" % functools.reduce(lambda s, b: (s * 31 + b) & 0xFFFFFFFF, log, 0))' firmware.bin)
grep -q "log of 70000 bytes, sum $sum" said || fail "the log is not the one of the firmware"
