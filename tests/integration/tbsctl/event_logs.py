"""Event logs as firmware writes them, made event by event, and what the PCRs hold after them. Written
from the TCG PC Client Platform Firmware Profile Specification; it shares no code with tbsctl."""

import hashlib
import struct

ALGORITHMS = {"sha1": 0x0004, "sha256": 0x000B, "sha384": 0x000C, "sha512": 0x000D}
EV_NO_ACTION, EV_SEPARATOR, EV_S_CRTM_VERSION, EV_IPL = 3, 4, 8, 0xD
EV_VARIABLE_DRIVER_CONFIG, EV_BOOT_SERVICES_APPLICATION = 0x80000001, 0x80000003
EV_EFI_ACTION, EV_EFI_HCRTM_EVENT = 0x80000007, 0x80000010


def variable(name, value):
    """UEFI_VARIABLE_DATA of the global namespace."""
    guid = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
    text = name.encode("utf-16-le")
    return guid + struct.pack("<QQ", len(name), len(value)) + text + value


def image(path, size):
    """UEFI_IMAGE_LOAD_EVENT with a device path of one file."""
    text = (path + "\0").encode("utf-16-le")
    node = struct.pack("<BBH", 4, 4, 4 + len(text)) + text
    end = struct.pack("<BBH", 0x7F, 0xFF, 4)
    return struct.pack("<QQQQ", 0x7E000000, size, 0, len(node + end)) + node + end


USUAL = (
    (0, EV_S_CRTM_VERSION, "1.02.3\0".encode("utf-16-le")),
    (7, EV_VARIABLE_DRIVER_CONFIG, variable("SecureBoot", b"\x01")),
    (7, EV_VARIABLE_DRIVER_CONFIG, variable("PK", bytes(range(80)))),
    (4, EV_EFI_ACTION, b"Calling EFI Application from Boot Option"),
    *((pcr, EV_SEPARATOR, bytes(4)) for pcr in range(8)),
    (4, EV_BOOT_SERVICES_APPLICATION, image("\\EFI\\debian\\shimx64.efi", 934680)),
    (8, EV_IPL, b"grub_cmd: linux /boot/vmlinuz root=/dev/sda1 ro\0"),
    (9, EV_IPL, b"/boot/vmlinuz\0"),
)


class Log:
    """Collects events; `banks` None makes the old layout, with SHA-1 alone. `hcrtm` is what an H-CRTM
    measured before the TPM was started."""

    def __init__(self, banks=("sha1", "sha256"), locality=None, padding=0, hcrtm=None):
        self.agile = banks is not None
        self.banks = banks if self.agile else ("sha1",)
        self.pcrs = {}
        self.measured = []
        self.bytes = b""
        self.locality = locality or 0
        if self.agile:
            self._spec_id()
        if locality is not None:
            self.no_action(b"StartupLocality\0" + bytes([locality]) + bytes(padding))
        if hcrtm is not None:
            self.locality = 4
            self.measure(0, EV_EFI_HCRTM_EVENT, b"HCRTM", measured=hcrtm)

    def _spec_id(self):
        kinds = b"".join(struct.pack("<HH", ALGORITHMS[bank], hashlib.new(bank).digest_size)
                         for bank in self.banks)
        data = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(self.banks))
        data += kinds + b"\0"
        self.bytes += struct.pack("<II20sI", 0, EV_NO_ACTION, bytes(20), len(data)) + data

    def no_action(self, data):
        self._record(0, EV_NO_ACTION, {b: bytes(hashlib.new(b).digest_size) for b in self.banks},
                     data)
        return self

    def measure(self, pcr, kind, data, measured=None):
        digests = {bank: hashlib.new(bank, measured or data).digest() for bank in self.banks}
        self._record(pcr, kind, digests, data)
        for bank, digest in digests.items():
            before = self.pcrs.get((bank, pcr), self._start(bank, pcr))
            self.pcrs[bank, pcr] = hashlib.new(bank, before + digest).digest()
        self.measured.append((pcr, digests))
        return self

    def usual(self):
        for event in USUAL:
            self.measure(*event)
        return self

    def _start(self, bank, pcr):
        value = bytearray(hashlib.new(bank).digest_size)
        if pcr == 0:
            value[-1] = self.locality
        return bytes(value)

    def _record(self, pcr, kind, digests, data):
        self.bytes += struct.pack("<II", pcr, kind)
        if self.agile:
            self.bytes += struct.pack("<I", len(digests))
            for bank, digest in digests.items():
                self.bytes += struct.pack("<H", ALGORITHMS[bank]) + digest
        else:
            self.bytes += digests["sha1"]
        self.bytes += struct.pack("<I", len(data)) + data


def pcr_extend(pcr, digests):
    """TPM2_PCR_Extend with an empty password, for several banks."""
    body = struct.pack(">IIIHBH", pcr, 9, 0x40000009, 0, 0, 0) + struct.pack(">I", len(digests))
    for bank, digest in digests.items():
        body += struct.pack(">H", ALGORITHMS[bank]) + digest
    return struct.pack(">HII", 0x8002, 10 + len(body), 0x182) + body
