# Sourced by ./dev: Debian systems in folders. Each is made once, with the packages that it is for, and
# kept; what a command writes there goes to a layer that is thrown away afterwards. Needs root.

chroots=$state/chroots
# What their compilers have compiled, of every tree of this user: the /ccache of those that compile.
chroot_ccache=${XDG_CACHE_HOME:-$HOME/.cache}/tbs/ccache

# chroot_make NAME SUITE [PACKAGE...]: a Debian SUITE with these packages, ready for chroot_run. Made anew
# when the list changes, and after a week, when the archive has moved on. A mirror may be late. A package of
# another processor is PACKAGE:PROCESSOR; both must then be of the same version, which the security archive
# does not promise.
chroot_make() {
    local name=$1 folder=$chroots/$1 made=$chroots/$1.made suite=$2 foreign IFS=' '
    shift 2
    ((EUID == 0)) || die "only root can make a chroot: run this with sudo"
    [[ ! -d $folder || $(cat "$made" 2>/dev/null) != "$suite $*" || -n $(find "$made" -mtime +7) ]] || return 0
    foreign=$(printf '%s\n' "$@" | sed -n 's/.*://p' | sort -u | paste -sd ,)
    say "making a chroot: $name, Debian $suite with $# packages"
    rm -rf "$folder" "$made"
    mkdir -p "$chroots"
    if ! progress --log "$chroots/$name.log" "making the chroot $name" \
        mmdebstrap --quiet --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
        ${foreign:+--architectures="$(dpkg --print-architecture),$foreign"} \
        ${foreign:+--setup-hook='sed -i /-security/d "$1/etc/apt/sources.list"'} \
        ${*:+--include="$*"} "$suite" "$folder"; then
        tail -n 20 "$chroots/$name.log" >&2
        rm -rf "$folder"
        die "the chroot $name could not be made; the whole story is in $chroots/$name.log"
    fi
    printf '%s' "$suite $*" >"$made"
}

# chroot_run NAME [--bind FROM TO]... [--] COMMAND...: runs it as root there, in / and with process ids of
# its own; the exit code is the command's. FROM is a folder of this system, which the command may change.
chroot_run() {
    local layer code
    layer=$(mktemp -d "$chroots/layer.XXXXXX")
    mkdir "$layer"/{upper,work,root}
    # All that it has started ends with it, and its mounts with that.
    unshare --mount --pid --fork --kill-child bash -euc "$chroot_enter" "chroot_run" "$chroots/$1" "$layer" "${@:2}"
    code=$?
    rm -rf --one-file-system "$layer"
    return $code
}

chroot_enter=$(cat <<'END_OF_SCRIPT'
base=$1 layer=$2 root=$2/root
shift 2
mount -t overlay -o "lowerdir=$base,upperdir=$layer/upper,workdir=$layer/work" overlay "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t tmpfs -o mode=755 run "$root/run"
mkdir -m 1777 "$root/run/lock"
ln -s pts/ptmx "$root/dev/ptmx"
for link in fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
    ln -s "/proc/self/${link#*:}" "$root/dev/${link%%:*}"
done
cat /etc/resolv.conf >"$root/etc/resolv.conf"
while [[ ${1:-} == --bind ]]; do
    mkdir -p "$root/$3"
    mount --bind "$2" "$root/$3"
    shift 3
done
[[ ${1:-} != -- ]] || shift
# As the first of the processes this shell takes in the children of those that have ended.
code=0
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    TERM=dumb DEBIAN_FRONTEND=noninteractive chroot "$root" "$@" || code=$?
exit $code
END_OF_SCRIPT
)
