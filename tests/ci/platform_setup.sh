#!/bin/sh
# platform_setup.sh COMPILER [MESON OPTION...]: configures /build with the tree at /source, in a chroot.
set -eu
compiler=$1
shift
[ ! -e /build/build.ninja ] || exit 0
case $compiler in
    cross-*) exec meson setup /build /source -Dwerror=true --cross-file "/source/tests/ci/cross/${compiler#cross-}.ini" "$@" ;;
    gcc*) cxx=g++${compiler#gcc} ;;
    clang*) cxx=clang++${compiler#clang} ;;
esac
export CC="ccache $compiler" CXX="ccache $cxx"
meson setup /build /source -Dwerror=true "$@"
