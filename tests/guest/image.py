"""The guest's kernel and initramfs, from Debian's kernel package, kept in a cache folder.

The package is downloaded and unpacked, never installed: by this machine's apt where that knows it, else by
mmdebstrap, which has lists of its own. The cache holds `vmlinuz` and `base.cpio`
(busybox and the modules with lists of their load order); what changes from run to run (the scripts
and the command) is a second archive, which the kernel unpacks over the first. To take a newer kernel, delete the
cache folder.
"""

import fcntl
import hashlib
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

# The suite of Debian that has the kernel, and its package there.
KERNELS = {
    "6.1": ("bookworm", "linux-image-amd64"),
    "6.12": ("bookworm", "linux-image-6.12-amd64"),
    "newest": ("sid", "linux-image-amd64"),
}
USUAL = "6.1"
OLD = 30 * 24 * 3600  # seconds after which what another version of this file has made is removed
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console")
# Loaded where a run asks for them: what encrypted disks need, TPMs that a process plays, and device nodes.
ON_REQUEST = ("loop", "ecb", "xts", "dm_crypt", "tpm_vtpm_proxy", "cuse")
# Process 1 of the guest: the command's own, or one that becomes systemd.
FIRST = ("session", "with_systemd")
HERE = pathlib.Path(__file__).resolve().parent


class ImageError(Exception):
    """The kernel cannot be had; the text says why."""


def cached(kernel):
    """Returns the folder with this kernel (of KERNELS) and its initramfs, made when missing."""
    caches = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    recipe = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:8]
    folder = caches / "tbs" / "guest" / f"{kernel}.{recipe}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for old in folder.parent.glob(f"{kernel}.????????"):
                # Another checkout may use it.
                if time.time() - old.stat().st_mtime > OLD:
                    shutil.rmtree(old)
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                _make(kernel, pathlib.Path(work)).rename(folder)
    return folder


def with_scripts(folder, command, first, modules, destination):
    """Writes the initramfs of one run: the base, the guest's scripts and which of them comes first
    (of FIRST), the names of further modules (of ON_REQUEST) and the command to run."""
    with tempfile.TemporaryDirectory() as work:
        top = pathlib.Path(work)
        for name in ("init", *FIRST):
            shutil.copy(HERE / name, top / name)
        (top / "init").chmod(0o755)
        (top / "command").write_bytes(command)
        (top / "first").write_text(first, encoding="ascii")
        (top / "wanted").write_text("".join(f"{name}\n" for name in modules), encoding="ascii")
        scripts = _archive(top)
    destination.write_bytes((folder / "base.cpio").read_bytes() + scripts)


def _make(kernel, work):
    suite, package = KERNELS[kernel]
    tree = work / "tree"
    print(f"guest: fetching {package} of Debian {suite}", file=sys.stderr, flush=True)
    if suite == _own_suite():
        _download(_real_package(package), work)
        subprocess.run(["dpkg-deb", "-x", next(work.glob("*.deb")), tree], check=True)
    else:
        _extract(suite, package, tree)
    ready = work / "ready"
    ready.mkdir()
    shutil.copy(next(tree.rglob("vmlinuz*")), ready / "vmlinuz")
    (ready / "base.cpio").write_bytes(_base(tree, work / "base"))
    return ready


def _own_suite():
    """The suite that this machine is of; empty when it is none of Debian's."""
    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r"^VERSION_CODENAME=(\w+)$", release, re.MULTILINE)
    return found.group(1) if found else ""


def _extract(suite, package, tree):
    """Of another suite, with what it depends on: nothing of this machine's apt is changed."""
    # A mirror may be late.
    command = ["mmdebstrap", "--quiet", "--variant=extract",
               "--aptopt=Acquire::Check-Valid-Until \"false\"", f"--include={package}", suite, tree]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ImageError(f"mmdebstrap is needed to fetch a kernel of Debian {suite}") from error
    if done.returncode != 0:
        raise ImageError(f"{package} of Debian {suite} could not be fetched: {done.stderr.strip()}")


def _real_package(package):
    """A meta package such as linux-image-amd64 stands for the newest kernel."""
    asked = _apt("apt-cache", "depends", "--no-recommends", "--no-suggests", package)
    if asked is None:
        _refresh_lists()
        asked = _apt("apt-cache", "depends", "--no-recommends", "--no-suggests", package)
    if asked is None:
        raise ImageError(f"apt does not know the kernel package {package}")
    depends = re.findall(r"Depends: (linux-image-\S+)", asked)
    return depends[0] if depends else package


def _download(package, work):
    command = ("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package)
    if _apt(*command, cwd=work) is None:
        _refresh_lists()
        if _apt(*command, cwd=work) is None:
            raise ImageError(f"{package} could not be downloaded")


def _refresh_lists():
    subprocess.run(["apt-get", "-qq", "update"], check=False)


def _apt(*command, cwd=None):
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ImageError("apt is needed to fetch the guest's kernel") from error
    return done.stdout if done.returncode == 0 else None


def _base(tree, top):
    busybox = shutil.which("busybox")
    if busybox is None:
        raise ImageError("busybox is missing (package busybox-static)")
    for name in ("bin", "dev", "lib", "proc", "sys"):
        (top / name).mkdir(parents=True)
    shutil.copy(busybox, top / "bin" / "busybox")
    for name, modules in {"modules": MODULES, **{each: (each,) for each in ON_REQUEST}}.items():
        order = _in_load_order(modules, tree)
        for module, content in order.items():
            (top / "lib" / f"{module}.ko").write_bytes(content)
        names = "".join(f"{module}.ko\n" for module in order)
        (top / "lib" / f"{name}.list").write_text(names, encoding="ascii")
    return _archive(top)


def _in_load_order(modules, tree):
    """What is in the modules, by their names: each after those it names in its own `depends=` record. What the
    kernel has built in is left out."""
    available = {_module_name(path): path for path in tree.rglob("*.ko*")}
    built_in = {_module_name(pathlib.Path(line)) for file in tree.rglob("modules.builtin")
                for line in file.read_text(encoding="ascii").splitlines()}
    order = {}

    def add(name):
        if name in built_in or name in order:
            return
        if name not in available:
            raise ImageError(f"this kernel has no module {name}")
        content = _content(available[name])
        record = re.search(rb"\0depends=([^\0]*)\0", content)
        for dependency in filter(None, record.group(1).decode().split(",")):
            add(dependency.replace("-", "_"))
        order[name] = content

    for module in modules:
        add(module)
    return order


def _module_name(path):
    return path.name.split(".", 1)[0].replace("-", "_")


def _content(path):
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def _archive(top):
    names = "\n".join(sorted(str(path.relative_to(top)) for path in top.rglob("*")))
    return subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=top,
                          input=names.encode(), stdout=subprocess.PIPE, check=True).stdout
