#!/bin/sh
# Checks a shared library: that it exports exactly what its version script names, does not leave it to the loader
# to find what it has itself, and needs nothing but the C and C++ run-time libraries (and what else is named).
# usage: exports.sh LIBRARY VERSION_SCRIPT [ALLOWED_LIBRARY...]
set -u
library=$1
script=$2
shift 2

named=$(sed -n 's/^ *\([A-Za-z_0-9]*\);$/\1/p' "$script" | sort)
exported=$(nm -D --defined-only "$library" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}' | sort)
if [ -z "$named" ] || [ "$named" != "$exported" ]; then
  echo "exported is not what $script names:"
  echo "$exported"
  exit 1
fi

for name in $exported; do
  if readelf -rW "$library" | grep -q "[ @]$name[@ ]"; then
    echo "leaves it to the loader to find its own $name"
    exit 1
  fi
done

allowed="libc.so.6 libstdc++.so.6 libgcc_s.so.1 libm.so.6 $*"
for needed in $(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
  case $needed in
    # The loader itself; and a sanitizer is there only because the build asked for it.
    ld-*.so.* | ld64.so.* | libasan* | libtsan* | libubsan*) continue ;;
  esac
  case " $allowed " in
    *" $needed "*) ;;
    *) echo "needs $needed"; exit 1 ;;
  esac
done
