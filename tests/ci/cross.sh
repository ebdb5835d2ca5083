# Sourced by platforms.sh: what a platform is like whose compiler is for another processor (cross-PROCESSOR).
# Debian's cross compiler makes programs for it with the processor's libraries in the same chroot (Multi-Arch);
# they run here where this processor can run them, else under qemu's emulation of a single process.

# cross_packages PROCESSOR: reads the packages of a build for this processor.
cross_packages() {
    local package
    while read -r package; do
        case $package in
            g++) echo "crossbuild-essential-$1" ;;
            # These are headers, and one package for all processors.
            libcli11-dev) echo "$package" ;;
            lib*-dev) echo "$package:$1" ;;
            *) echo "$package" ;;
        esac
    done
    printf '%s\n' python3 qemu-user-static
}

# cross_emulator PROCESSOR: what runs its programs; nothing where they run by themselves.
cross_emulator() { sed -n "s/^exe_wrapper = '\(.*\)'/\1/p" "$top/tests/ci/cross/$1.ini"; }

# The daemon and its client, of the platform that the caller has read.
cross_smoke() {
    if in_platform sh /source/tests/ci/cross/smoke.sh /build $(cross_emulator "${compiler#cross-}"); then
        echo "1 0 0 $name: daemon" >>"$platform_results"
    else
        platform_failed daemon
    fi
}
