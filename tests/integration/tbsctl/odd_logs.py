"""Logs of many shapes, made by us from what specifications and documentation say that firmware, boot
loaders, the kernel and systemd write, and from what they have been seen to do otherwise. Run as a
program it writes one file for each into a folder."""

import hashlib
import os
import struct
import sys

import event_logs
import later_logs
import uefi_structures as uefi
from event_logs import Log
from uefi_structures import wide

STEERING = b"\x1b[2J\x1b]0;title\x07"
DRIVER_CONFIG, AUTHORITY, GPT, FINAL = 0x80000001, 0x800000E0, 0x80000006, 16
# dbx as it is in use: hashes of several owners.
HASHES = uefi.signature_list(uefi.SHA256, [hashlib.sha256(b"%d" % i).digest() for i in range(77)])


class Shape:
    """`texts` are in what is said of the records; `pcrs` what the banks hold, where that
    is known; `tools` whether tpm2_eventlog of tpm2-tools 5.4 reads it, with the same PCRs."""

    def __init__(self, log, texts=(), fault=None, pcrs=None, tools=True):
        self.bytes = log.bytes if hasattr(log, "bytes") else log
        self.texts = texts
        self.fault = fault
        self.pcrs = getattr(log, "pcrs", None) if pcrs is None else pcrs
        self.tools = tools


def one(pcr, kind, data, banks=("sha1", "sha256")):
    return Log(banks).measure(pcr, kind, data)


def record(pcr, kind, digests, data):
    """TCG_PCR_EVENT2 of any digests: number of the algorithm and value."""
    listed = b"".join(struct.pack("<H", algorithm) + value for algorithm, value in digests)
    return struct.pack("<III", pcr, kind, len(digests)) + listed + struct.pack("<I", len(data)) + data


def spec_id(kinds, vendor=b"", signature=b"Spec ID Event03"):
    data = signature + b"\0" + struct.pack("<IBBBBI", 0, 0, 2, 106, 2, len(kinds))
    data += b"".join(struct.pack("<HH", *kind) for kind in kinds) + bytes([len(vendor)]) + vendor
    return struct.pack("<II20sI", 0, 3, bytes(20), len(data)) + data


def starts():
    for locality in (0, 3, 4):
        yield f"locality_{locality}", Shape(Log(locality=locality).usual(), [f"StartupLocality {locality}"],
                                            tools=False)
    yield "locality_padded", Shape(Log(locality=3, padding=15).usual(), ["StartupLocality 3"], tools=False)
    yield "hcrtm", Shape(Log(hcrtm=b"boot block").usual(), ["HCRTM"], tools=False)
    yield "hcrtm_and_locality", Shape(Log(locality=3, hcrtm=b"boot block").usual(), ["HCRTM"], tools=False)


def layouts():
    usual = Log().usual()
    yield "agile", Shape(usual, ["SecureBoot: on", "GRUB command: linux"])
    yield "sha1", Shape(Log(banks=None).usual())
    for bank in ("sha256", "sha384"):
        yield f"{bank}_alone", Shape(Log(banks=(bank,)).usual())
    yield "zeros_behind", Shape(usual.bytes + bytes(4096), pcrs=usual.pcrs, tools=False)
    yield "ones_behind", Shape(usual.bytes + b"\xff" * 4096, pcrs=usual.pcrs, tools=False)
    yield "cut", Shape(usual.bytes[:-3], fault="is cut off", tools=False)
    yield "cut_in_the_head", Shape(usual.bytes[:30], fault="is cut off", tools=False)
    yield "nothing_but_the_head", Shape(Log(), ["Spec ID Event03"])
    yield "vendor_in_the_head", Shape(spec_id([(4, 20), (11, 32)], b"vendor") + usual.bytes[len(Log().bytes):],
                                      ["errata 106"], pcrs=usual.pcrs)
    old = struct.pack("<II20sI", 0, 3, bytes(20), 28) + b"Spec ID Event02\0" + struct.pack("<IBBBBI", 0, 2, 1, 2, 2,
                                                                                           0)
    yield "head_of_tpm_1_2", Shape(old + Log(banks=None).usual().bytes, ["Spec ID Event02, version 1.2"],
                                   pcrs=Log(banks=None).usual().pcrs, tools=False)
    yield "registers_that_there_are_not", Shape(one(0xFFFFFFFF, 13, b"nowhere"), ["nowhere"], pcrs={}, tools=False)


def algorithms():
    sha256 = hashlib.sha256(b"x").digest()
    value = {("sha256", 4): hashlib.sha256(bytes(32) + sha256).digest()}
    odd = spec_id([(11, 32), (0x99, 24)]) + record(4, 13, [(11, sha256), (0x99, bytes(24))], b"x")
    yield "unknown_algorithm", Shape(odd, ["x"], pcrs=value, tools=False)
    unnamed = spec_id([(11, 32)]) + record(4, 13, [(4, hashlib.sha1(b"x").digest()), (11, sha256)], b"x")
    yield "algorithm_that_the_head_does_not_name", Shape(
        unnamed, pcrs={**value, ("sha1", 4): hashlib.sha1(bytes(20) + hashlib.sha1(b"x").digest()).digest()},
        tools=False)
    fewer = spec_id([(4, 20), (11, 32)]) + record(4, 13, [(11, sha256)], b"x")
    yield "fewer_digests_than_the_head_names", Shape(fewer, pcrs=value, tools=False)
    yield "no_digests", Shape(spec_id([(11, 32)]) + record(4, 13, [], b"x"), pcrs={}, tools=False)
    wrong = spec_id([(11, 20)]) + record(4, 13, [(11, bytes(20))], b"x")
    yield "wrong_size_of_a_digest", Shape(wrong, pcrs={}, tools=False)
    yield "too_many_algorithms", Shape(spec_id([(11, 32)] * 40), fault=None, pcrs={}, tools=False)


def secure_boot():
    own = uefi.signature_list(uefi.X509, [uefi.CERTIFICATE], owner=uefi.GLOBAL)
    log = Log()
    for name, value in (("SecureBoot", b"\1"), ("PK", own), ("KEK", own + own), ("db", own + HASHES), ("dbx", HASHES),
                        ("dbt", b""), ("dbr", b"")):
        vendor = uefi.GLOBAL if name in ("SecureBoot", "PK", "KEK") else uefi.IMAGE_SECURITY
        log.measure(7, DRIVER_CONFIG, uefi.variable(name, value, vendor))
    yield "secure_boot", Shape(log, ["SecureBoot: on", "PK: 1 certificate", "KEK: 2 certificates", "dbt: empty",
                                     "db: 1 certificate, 77 SHA-256 hashes", "77 SHA-256 hashes; owner Microsoft",
                                     "CN=Example Secure Boot CA,O=Example,C=DE", "2026-11-28 to 2046-11-23",
                                     hashlib.sha256(uefi.CERTIFICATE).hexdigest()])
    lying = own[:16] + struct.pack("<III", 0xFFFFFFF0, 0, 0) + own[28:]
    yield "database_that_lies", Shape(one(7, DRIVER_CONFIG, uefi.variable("db", lying)), ["db: a159c0a5"],
                                      tools=False)
    yield "no_certificate", Shape(one(7, DRIVER_CONFIG,
                                      uefi.variable("db", uefi.signature_list(uefi.X509, [b"0\x82abc"]))),
                                  ["db: 1 certificate"])
    yield "variable_that_lies", Shape(one(7, DRIVER_CONFIG, uefi.variable("db", b"")[:20] + b"\xff" * 8), tools=False)
    log = Log().measure(7, AUTHORITY, uefi.variable("db", uefi.signature(uefi.CERTIFICATE), uefi.IMAGE_SECURITY))
    log.measure(7, AUTHORITY, uefi.variable("db", uefi.signature(bytes(range(32)))))
    log.measure(7, AUTHORITY, uefi.variable("Shim", uefi.CERTIFICATE, uefi.SHIM))
    log.measure(7, AUTHORITY, uefi.variable("SbatLevel", b"sbat,1,2022052400\ngrub,2\n", uefi.SHIM))
    log.measure(7, AUTHORITY, uefi.variable("MokListTrusted", b"\1", uefi.SHIM))
    yield "authorities", Shape(log,
                               ["db: CN=Example Secure Boot CA", "db: SHA-256 hash 000102", "Shim (shim): CN=Example",
                                     "SbatLevel (shim): sbat,1,2022052400 grub,2", "MokListTrusted (shim): on"],
                                     tools=False)


def booting():
    log = Log().measure(1, 0x80000002, uefi.variable("BootOrder", b"\1\0\0\0"))
    log.measure(1, 0x8000000C, uefi.variable("Boot0001", uefi.boot_option("debian")))
    log.measure(1, 0x80000002, uefi.variable("Boot0000", uefi.boot_option("off", attributes=0)))
    yield "boot_options", Shape(log,
                                ["BootOrder: 0001, 0000",
                                 "Boot0001: debian: \\EFI\\debian\\shimx64.efi on partition 1", "not active"],
                                 tools=False)
    yield "boot_option_that_lies", Shape(one(1, 0x80000002, uefi.variable("Boot0001", b"\1\0\0\0\xff\xffab")),
                                         ["Boot0001: 01000000ffff6162"], tools=False)
    paths = [uefi.LOADER, uefi.DISK + uefi.node(3, 23, struct.pack("<I", 1) + bytes(range(8))) + uefi.END,
             uefi.node(3, 11, bytes(range(32)) + b"\1") + uefi.node(3, 24, b"http://boot.example/a.efi") + uefi.END,
             uefi.node(3, 99, b"\1\2") + uefi.END, uefi.node(4, 1, b"short") + uefi.END, b"\4\4\0\0", b"",
             uefi.node(4, 4, wide("\\a")) * 500]
    log = Log()
    for path in paths:
        log.measure(4, 0x80000003, uefi.image(path))
    yield "images", Shape(log,
                          ["\\EFI\\debian\\shimx64.efi on partition 1 (934680 bytes)",
                           "PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x0,0xffff,0x0)/HD(1,GPT,",
                                "NVMe(0x1,00-01-02-03", "Uri(http://boot.example/a.efi)", "Path(3,99,0102)"],
                                tools=False)
    entries = [uefi.partition(uefi.SYSTEM_PARTITION, 1, 2048, 1050623, "EFI"),
               uefi.partition(uefi.ROOT_PARTITION, 2, 1050624, 3147775, "root")]
    yield "partitions", Shape(one(5, GPT, uefi.partition_table(entries)),
                              ["disk aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee: 2 partitions",
                                                                           '1: EFI system "EFI", 512 MiB',
                                                                           '2: Linux root (x86-64) "root", 1 GiB'])
    yield "partitions_second_type", Shape(one(5, 0x8000000D, uefi.partition_table(entries)), ["2 partitions"],
                                          tools=False)
    yield "partitions_that_are_not_there", Shape(one(5, GPT, uefi.partition_table(entries, count=1 << 60)),
                                                 tools=False)
    yield "partitions_of_no_size", Shape(one(5, GPT, uefi.partition_table(entries, size=0)), tools=False)


def loaders():
    log = Log()
    for section in (".linux", ".osrel", ".cmdline", ".initrd"):
        log.measure(11, 13, wide(section + "\0"), measured=section.encode() + b"\0").measure(11, 13,
                                                                                             wide(section + "\0"),
                                                                                             measured=b"content")
    log.measure(12, 13, wide("root=/dev/sda1 r\u00f6\0")).measure(12, 13, wide("Credentials initrd\0")).measure(13,
        13, wide("System extension initrd\0"))
    yield "systemd_stub", Shape(log,
                                ["section .linux of the kernel image", "kernel command line: root=/dev/sda1 r\u00f6",
                                      "systemd-stub: Credentials initrd", "systemd-stub: System extension initrd"])
    log = Log()
    for pcr, tag, name in ((5, 0xF5BC582A, "loader.conf"), (12, 0x6C46F751, "a.dtb"), (12, 0x49DFFE0F, "more.initrd"),
                           (12, 0xDAC08E1A, "ucode"),
                           (12, 0x13AED6DB, "main"), (1, 0xD5CB7CBC, "smbios:type1"), (1, 0x12345678, "what")):
        log.measure(pcr, 6, uefi.tagged(tag, wide(name + "\0")))
    log.measure(1, 6, uefi.tagged(1, b"\xff" * 40)).measure(1, 6, b"\1\0\0\0\xff\xff\xff\xff").measure(1, 6, b"")
    yield "tagged", Shape(log,
                          ["configuration of systemd-boot: loader.conf", "device tree for systemd-stub: a.dtb",
                           "profile of the kernel image: main",
                                "SMBIOS system information: smbios:type1", "tag 0x12345678: what"], tools=False)
    log = Log().measure(8, 13, b"grub_cmd: linux /boot/vmlinuz\0").measure(8, 13,
                                                                           b"kernel_cmdline: /boot/vmlinuz ro\0")
    log.measure(9, 13, b"/boot/vmlinuz\0").measure(9, 13, b"(hd0,gpt2)/boot/grub/grub.cfg\0").measure(8, 13,
        b"module_cmdline: a\0")
    yield "grub", Shape(log,
                        ["GRUB command: linux /boot/vmlinuz", "kernel command line by GRUB: /boot/vmlinuz ro",
                         "file /boot/vmlinuz", "module command line"])
    yield "shim", Shape(Log().measure(14, 13, b"MokList\0").measure(14, 13, b"MokListX\0").measure(14, 13,
        b"MokListTrusted\0"), ["shim: MokList", "shim: MokListX"])


def firmware():
    log = Log().measure(0, 0x80000008, uefi.blob(0xFF000000, 65536)).measure(0, 0x8000000A,
                                                                             uefi.blob(0xFF000000, 65536, b"PEI"))
    log.measure(0, 1, b"POST CODE").measure(0, 1, uefi.blob(0xF0000, 4096)).measure(0, 0x13,
                                                                                    uefi.blob(0, 1, b"SMM CODE"))
    log.measure(1, 0x80000009, uefi.tables([uefi.MICROSOFT, "f2fd1544-9794-4a2c-992e-e5bbcf20e394"]))
    log.measure(1, 0x8000000B, uefi.tables(["8868e871-e4f1-11d3-bc22-0080c73c8881"], b"ACPI DATA"))
    log.measure(1, 0x80000009, b"\xff" * 40).measure(0, 8, wide("1.2\0") + bytes(30)).measure(0, 8,
                                                                                              uefi.guid(uefi.GLOBAL))
    yield "firmware", Shape(log,
                            ["PEI, 65536 bytes at 0xff000000", "4096 bytes at 0xf0000", "SMM CODE, 1 byte at 0x0",
                             "SMBIOS 3", "ACPI DATA: 1 table: ACPI 2.0",
                                  "8be4df61-93ca-11d2-aa0d-00e098032b8c"], tools=False)
    log = Log()
    for kind in (2, 7, 9, 10, 11, 12, 14, 15, 16, 17, 18, 0x14, 0x80000010, 0x800000FF, 0x87654321, 0xFFFFFFFF):
        log.measure(1, kind, b"\1\2\3\xff")
    yield "all_types", Shape(log, ["010203ff"], tools=False)
    log = Log().measure(7, 4, b"\1\0\0\0").measure(0, 4, b"\xff" * 4).measure(6, 4, bytes(4),
                                                                              measured=b"something else")
    yield "separators", Shape(log, ["01000000 (an error came before)", "ffffffff"], tools=False)
    yield "no_data", Shape(Log().measure(1, 13, b"").measure(7, DRIVER_CONFIG, b"").measure(5, GPT, b"").measure(4,
        0x80000003, b""), tools=False)
    log = Log()
    for data in (uefi.platform(b"SP800-155 Event"), uefi.platform(b"SP800-155 Event2"), uefi.platform(),
                 b"H-CRTM CompMeas\0" + uefi.sized(b"ACM") + b"\0\1x",
                 b"NvIndexInstance\0" + struct.pack("<H6x", 1) + uefi.device_security2(),
                 b"NvIndexDynamic \0" + struct.pack("<H6xQH", 1, 7, 14) + b"SPDM CHALLENGE" + b"\0\0",
                 b"Spec ID Event99\0", b"unknown", b"\xff\xfe"):
        log.no_action(data)
    yield "no_action", Shape(log,
                             ["SP800-155 Event, manifest", "SP800-155 Event3: Maker Model 7 1.0, firmware Firm 2.3",
                              "H-CRTM CompMeas: ACM",
                                   "NvIndexInstance: PCI device 8086:1572, measurement 1, authenticated",
                                   "NvIndexDynamic: SPDM CHALLENGE"], tools=False)
    log = Log().measure(2, 0x800000E1, uefi.device_security()).measure(3, 0x800000E2, uefi.device_security2(3))
    log.measure(2, 0x800000E1, uefi.device_security2(0xFF, 1)).measure(2, 0x800000E1, uefi.device_security()[:50])
    log.measure(7, 0x800000E3, uefi.variable("devdb", uefi.signature_list(uefi.X509, [uefi.CERTIFICATE])))
    log.measure(7, 0x800000E4, uefi.variable("devdb", uefi.signature(uefi.CERTIFICATE)))
    yield "devices", Shape(log,
                           ["PCI device 8086:1572, measurement 1", "measurement 1, not authenticated",
                            "certificate chain of slot 1, no SPDM device",
                                 "devdb: 1 certificate", "devdb: CN=Example"], tools=False)
    yield "dynamic_launch", Shape(Log().measure(17, 13, b"launch").measure(18, 13, b"authority"), ["launch"])


def ends():
    log = Log().usual()
    more = Log().usual().measure(5, event_logs.EV_EFI_ACTION, b"Exit Boot Services Invocation")
    yield "final_events", Shape(more, ["Exit Boot Services Invocation"])
    tail = more.bytes[len(log.bytes):]
    yield "final_events_with_their_head", Shape(log.bytes + struct.pack("<QQ", 1, 1) + tail,
                                                ["Exit Boot Services Invocation"], pcrs=more.pcrs, tools=False)
    yield "final_events_of_none", Shape(log.bytes + struct.pack("<QQ", 1, 0) + bytes(100), pcrs=log.pcrs, tools=False)
    yield "long_text", Shape(one(8, 13, b"grub_cmd: " + b"x" * 5000), ["..."])
    log = Log().measure(8, 13, STEERING).measure(12, 13, wide("a\u202eb\x1b[2J\u0085\0"))
    log.measure(7, DRIVER_CONFIG, uefi.variable("a\x1b[31m", STEERING))
    log.measure(1, 0x80000002,
                uefi.variable("Boot0001",
                              uefi.boot_option("\x1b]0;x\x07", uefi.file_node("\x1b[2J\u2028") + uefi.END)))
    log.measure(5, GPT,
                uefi.partition_table([uefi.partition(uefi.SYSTEM_PARTITION, 1, 1, 2, "\x1b[2J\u202e")])).measure(1, 6,
                    uefi.tagged(1, STEERING))
    log.no_action(b"Spec ID Event" + STEERING).no_action(STEERING)
    yield "steering", Shape(log, tools=False)


def ima(pcrs):
    return {(bank, 10): value for bank, value in pcrs.items()}


def later():
    usual = later_logs.ImaList().usual()
    texts = ["boot_aggregate sha256:", "/usr/bin/signed sha256:", "signed", "kexec-cmdline"]
    yield "ima", Shape(usual, [*texts, "root=/dev/sda1 ro"], pcrs=ima(usual.pcrs), tools=False)
    yield "ima_ascii", Shape(usual.text, ["/usr/bin/signed", "boot_aggregate"], pcrs=ima(usual.pcrs), tools=False)
    second = later_logs.ImaList().ng(b"/a", b"ima-ngv2").ng(b"/b", b"ima-sigv2", (b"s",), b" 73")
    yield "ima_second_version", Shape(second, ["/a verity:sha256:"], pcrs=ima(second.pcrs), tools=False)
    old = later_logs.ImaList().old(b"boot_aggregate").old(b"/usr/bin/true")
    yield "ima_old_template", Shape(old, ["/usr/bin/true " + hashlib.sha1(b"/usr/bin/true").hexdigest()],
                                    pcrs=ima(old.pcrs), tools=False)
    unknown = later_logs.ImaList().entry(b"my-template", later_logs.fields(b"one", b"two"),
                                         b"one two").entry(b"d-ng|n-ng",
                                                           later_logs.fields(later_logs.named_digest(b""), b"/x\0"),
                                                           b"x")
    unknown.entry(b"broken", b"\xff\xff", b"")
    yield "ima_unknown_templates", Shape(unknown, ["one, two", "/x sha256:"], pcrs=ima(unknown.pcrs), tools=False)
    changed = later_logs.ImaList().ng(b"/a").ng(b"/var/log/x", violation=True)
    yield "ima_violation", Shape(changed, ["changed while it was measured"], pcrs=ima(changed.pcrs), tools=False)
    wide_list = later_logs.ImaList("sha256").ng(b"/a").ng(b"/b")
    yield "ima_sha256", Shape(wide_list, ["/a sha256:"], pcrs=ima(wide_list.pcrs), tools=False)
    yield "ima_cut", Shape(usual.bytes[:-5], ["boot_aggregate"], fault="is cut off", tools=False)
    yield "ima_ascii_broken", Shape(usual.text + b"no entry\n", fault="line 5 is no entry", pcrs=ima(usual.pcrs),
                                    tools=False)
    yield "ima_steering", Shape(later_logs.ImaList().ng(b"/\x1b[2J\xe2\x80\xae").bytes, tools=False)
    systemd = later_logs.MeasureLog().usual()
    yield "systemd", Shape(systemd, ["boot phase: enter-initrd", "key of a volume: cryptsetup:root", "machine ID"],
                           tools=False)
    nvpcrs = later_logs.MeasureLog().begins("cryptsetup", bytes(range(32))).begins_with_zeros("hardware")
    nvpcrs.record("nvpcr-separator", "nvpcr-separator", pcr=9).record("product-id", "product-id:missing", nv="hardware")
    nvpcrs.record("keyslot", "cryptsetup-keyslot:root:1e02:tpm2:1", nv="cryptsetup")
    yield "systemd_nvpcrs", Shape(nvpcrs, ["NvPCR hardware: product ID: product-id:missing", "all NvPCRs have begun"],
                                  tools=False)
    yield "systemd_cut", Shape(systemd.bytes[:-20], ["boot phase"], fault="record 4 is no measurement", tools=False)
    deep = b'\x1e{"pcr":11,"content":' + b"[" * 5000 + b"]" * 5000 + b"}\n"
    yield "systemd_deep", Shape(deep, fault="record 0 is no measurement", pcrs={}, tools=False)
    yield "systemd_no_measurement", Shape(b'\x1e[]\n\x1e{}\n', fault="record 0 is no measurement", pcrs={},
                                          tools=False)
    steering = b'\x1e{"pcr":11,"digests":[{"hashAlg":"md5","digest":"zz"},7],'
    steering += b'"content":{"eventType":"\\u001b[2J","string":"\\u202e\\n"}}\n'
    yield "systemd_steering", Shape(steering, pcrs={}, tools=False)


def shapes():
    made = {}
    for family in (starts, layouts, algorithms, secure_boot, booting, loaders, firmware, ends, later):
        made.update(family())
    return made


if __name__ == "__main__":
    for name, shape in shapes().items():
        with open(os.path.join(sys.argv[1], name), "wb") as file:
            file.write(shape.bytes)
