"""The lists that the kernel's IMA and systemd keep, as their documentation describes them, and what
the TPM holds after them; shares no code with tbsctl."""

import hashlib
import json
import struct


def fields(*values):
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def named_digest(content, kind=b"sha256:"):
    return kind + b"\0" + hashlib.sha256(content).digest()


class ImaList:
    """Both forms of the list, and PCR 10. `algorithm` is that of the template digests."""

    def __init__(self, algorithm="sha1", banks=("sha1", "sha256")):
        self.algorithm = algorithm
        self.bytes = b""
        self.text = b""
        self.measured = []
        self.pcrs = {bank: bytes(hashlib.new(bank).digest_size) for bank in banks}

    def entry(self, template, data, shown, hashed=None, violation=False):
        hashed = data if hashed is None else hashed
        digest = hashlib.new(self.algorithm, hashed).digest()
        listed = bytes(len(digest)) if violation else digest
        size = b"" if template == b"ima" else struct.pack("<I", len(data))
        self.bytes += struct.pack("<I", 10) + listed + struct.pack("<I", len(template)) + template + size + data
        self.text += b"10 %s %s %s\n" % (listed.hex().encode(), template, shown)
        digests = {bank: b"\xff" * len(value) if violation else hashlib.new(bank, hashed).digest()
                   for bank, value in self.pcrs.items()}
        self.measured.append((10, digests))
        for bank, new in digests.items():
            self.pcrs[bank] = hashlib.new(bank, self.pcrs[bank] + new).digest()
        return self

    def ng(self, path, template=b"ima-ng", more=(), shown=b"", **how):
        digest = named_digest(path, b"verity:sha256:" if template.endswith(b"v2") else b"sha256:")
        text = digest.split(b"\0", 1)[0] + hashlib.sha256(path).hexdigest().encode() + b" " + path + shown
        return self.entry(template, fields(digest, path + b"\0", *more), text, **how)

    def old(self, path):
        digest = hashlib.sha1(path).digest()
        data = digest + struct.pack("<I", len(path)) + path
        return self.entry(b"ima", data, digest.hex().encode() + b" " + path, digest + path.ljust(256, b"\0"))

    def usual(self):
        self.ng(b"boot_aggregate").ng(b"/usr/bin/true")
        self.ng(b"/usr/bin/signed", b"ima-sig", (b"\3\2\4sign",), b" 0302047369676e")
        return self.ng(b"kexec-cmdline", b"ima-buf", (b"root=/dev/sda1 ro",),
                       b" " + b"root=/dev/sda1 ro".hex().encode())


# Where systemd has its NvPCRs.
NVPCRS = {"hardware": 0x01D10200, "cryptsetup": 0x01D10201}


class MeasureLog:
    """systemd's log, and the PCRs and NvPCRs after it, which are by the number of their index."""

    def __init__(self):
        self.bytes = b""
        self.measured = []
        self.pcrs = {}

    def record(self, kind, text, pcr=None, nv=None):
        # An NvPCR has one bank.
        banks = ("sha256",) if nv else ("sha1", "sha256")
        digests = {bank: hashlib.new(bank, text.encode()).digest() for bank in banks}
        content = {"string": text, "bootId": "0123456789abcdef0123456789abcdef", "timestamp": 1234567,
                   "eventType": kind}
        record = {} if pcr is None else {"pcr": pcr}
        if nv is not None:
            content["nvIndexName"] = nv
        record["digests"] = [{"hashAlg": bank, "digest": digest.hex()} for bank, digest in digests.items()]
        record.update({"content_type": "systemd", "content": content})
        self.bytes += b"\x1e" + json.dumps(record).encode() + b"\n"
        register = NVPCRS.get(nv) if pcr is None else pcr
        if register is not None:
            self.measured.append((register, digests))
            for bank, digest in digests.items():
                before = self.pcrs.get((bank, register), bytes(len(digest)))
                self.pcrs[bank, register] = hashlib.new(bank, before + digest).digest()
        return self

    def begins(self, nv, value):
        """As systemd 259 begins an NvPCR: with a secret, and a record of what that makes of it."""
        self.pcrs["sha256", NVPCRS[nv]] = value
        return self.record("nvpcr-init", f"nvpcr-init:{nv}:{NVPCRS[nv]:#x}:sha256:{value.hex()}", pcr=9)

    def begins_with_zeros(self, nv):
        """As later ones do, which name the index by the TPM's name of it."""
        return self.record("nvpcr-init", f"nvpcr-init:{nv}:{NVPCRS[nv]:#x}:000b{'5a' * 32}", pcr=9)

    def usual(self):
        self.record("phase", "enter-initrd", pcr=11).record("volume-key", "cryptsetup:root:1e02", pcr=15)
        self.record("keyslot", "cryptsetup-keyslot:root:1e02:tpm2:1", nv="cryptsetup")
        return self.record("machine-id", "machine-id:0123", pcr=15).record("phase", "leave-initrd", pcr=11)
