#!/bin/sh
# platform_setup.sh COMPILER [MESON OPTION...]: configures /build with the tree at /source, in a chroot.
set -eu
compiler=$1
shift
case $compiler in
    gcc*) cxx=g++${compiler#gcc} ;;
    clang*) cxx=clang++${compiler#clang} ;;
esac
export CC="ccache $compiler" CXX="ccache $cxx"
[ ! -e /build/build.ninja ] || exit 0
meson setup /build /source -Dwerror=true "$@"
