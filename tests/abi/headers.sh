#!/bin/sh
# Compiles layout.c, each header alone, and a Windows program, as every C and C++ standard, without
# one warning, with each compiler there is.
# usage: headers.sh SOURCE_FOLDER
set -u
folder=$1
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wno-unused-local-typedefs -Werror"
failed=0
tried=0

compile() { # compiler language standard source [options]; - is standard input
  compiler=$1 language=$2 standard=$3 source=$4
  shift 4
  # shellcheck disable=SC2086 # the warnings are words
  if ! "$compiler" -x "$language" "-std=$standard" -fsyntax-only $warnings "$@" \
    -I"$folder/client/include/tbs" "$source"; then
    echo "not clean: $compiler -std=$standard $source"
    failed=1
  fi
}

# All headers, each before the others and twice: none counts on another having come first, and none
# minds coming again.
any_order() { # compiler language standard
  headers="tbs.h tbsx.h Tbs.h windows.h winbase.h winerror.h winsock2.h specstrings.h"
  for first in $headers; do
    { for each in $first $headers; do echo "#include <$each>"; done; echo "int nothing;"; } |
      compile "$1" "$2" "$3" - -I"$folder/client/include/compat"
  done
}

check() { # compiler language standard
  command -v "$1" >/dev/null || return 0
  tried=$((tried + 1))
  compile "$1" "$2" "$3" "$folder/tests/abi/layout.c"
  any_order "$1" "$2" "$3"
  # Types declared twice, as Windows sources have them, are for C11 and C++ alone.
  case $3 in
    c11 | c17 | c2x | gnu17 | c++*)
      compile "$1" "$2" "$3" "$folder/tests/abi/windows_program.c" -I"$folder/client/include/compat" ;;
  esac
}

for standard in c89 c99 c11 c17 c2x gnu89 gnu17; do
  check gcc c "$standard"
  check clang-19 c "$standard"
done
for standard in c++98 c++11 c++14 c++17 c++20 c++23; do
  check g++ c++ "$standard"
  check clang++-19 c++ "$standard"
done

# tbs.hpp, with the result type of its own and with the library's, and for programs without exceptions.
for standard in c++20 c++23; do
  for compiler in g++ clang++-19; do
    command -v "$compiler" >/dev/null || continue
    for mode in -fexceptions "-fno-exceptions -fno-rtti"; do
      # shellcheck disable=SC2086 # the options are words
      { echo '#include <tbs.hpp>'; cat "$folder/tests/abi/result.cpp"; } |
        compile "$compiler" c++ "$standard" - $mode -Wnon-virtual-dtor -Wold-style-cast
    done
  done
done

if grep -nE '\<long\>' "$folder"/client/include/tbs/*.h "$folder"/client/include/compat/*.h |
  grep -vE '^[^:]*:[0-9]+: *(/?\*|.*\*/|.*`long`)'; then
  echo "a type rests on long, whose size is another on Windows"
  failed=1
fi
if grep -nE '#[ \t]*define[ \t]+_?WIN(32|64)' "$folder"/client/include/*/*.h; then
  echo "_WIN32 switches programs to the rest of Windows"
  failed=1
fi

if [ "$tried" -eq 0 ]; then
  echo "no compiler found"
  exit 1
fi
echo "$tried combinations of compiler and standard"
exit $failed
