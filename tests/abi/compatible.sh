#!/bin/sh
# Compares the library's binary interface with the one recorded in libtbs.abi: functions, their
# parameters, the layouts of what they point to. Additions are allowed, anything else is not. Skipped
# (77) without abidiff and where the library has no debug information.
# usage: compatible.sh LIBRARY RECORD
#        compatible.sh --record LIBRARY RECORD
set -u
if [ "$1" = --record ]; then
  exec abidw --exported-interfaces-only --no-corpus-path --no-comp-dir-path --no-show-locs \
    --no-elf-needed --out-file "$3" "$2"
fi
command -v abidiff >/dev/null || exit 77
readelf -S "$1" | grep -q '\.debug_info' || exit 77
exec abidiff --exported-interfaces-only --no-added-syms "$2" "$1"
