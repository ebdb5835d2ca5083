"""Structures of UEFI and of the TCG's profile as firmware logs them, made field by field from the
specifications; shares no code with tbsctl."""

import base64
import struct
import uuid

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
IMAGE_SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
SHIM = "605dab50-e046-4300-abb6-3dd810dd8b23"
MICROSOFT = "77fa9abd-0359-4d32-bd60-28f4e78f784b"
X509 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"
SHA256 = "c1c41626-504c-4092-aca9-41f936934328"
SYSTEM_PARTITION = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
ROOT_PARTITION = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"

# CN=Example Secure Boot CA,O=Example,C=DE; 2026-11-28 to 2046-11-23; signed by itself.
CERTIFICATE = base64.b64decode("""
MIIB1jCCAXugAwIBAgIUNY5dquKIcPgRXSgMO5yGDxn9Hq4wCgYIKoZIzj0EAwIwQDELMAkGA1UEBhMCREUxEDAOBg
NVBAoMB0V4YW1wbGUxHzAdBgNVBAMMFkV4YW1wbGUgU2VjdXJlIEJvb3QgQ0EwHhcNMjYxMTI4MDcwNjA0WhcNNDYx
MTIzMDcwNjA0WjBAMQswCQYDVQQGEwJERTEQMA4GA1UECgwHRXhhbXBsZTEfMB0GA1UEAwwWRXhhbXBsZSBTZWN1cm
UgQm9vdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMVZGtkv4H64DOLmCnM3pYbWgqzRpkYAGX3BVT6BGPte
hsJCsVm+WwkRhI9CYiboyOVfpiXaKh/9ByGT8j+O7WqjUzBRMB0GA1UdDgQWBBS0N6l2nMZLfvzHfNnqYcaNt0DR1D
AfBgNVHSMEGDAWgBS0N6l2nMZLfvzHfNnqYcaNt0DR1DAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYC
IQCvcMu8TtzkMx5nO1Lgo8Xb3y2nWJWG1YwjDuQOo6sBfAIhANocDHHXUyi2u5GwbiIihKUw8TSb/RlpATM7LatitN
3G""")


def guid(text):
    return uuid.UUID(text).bytes_le


def wide(text):
    return text.encode("utf-16-le")


def variable(name, value, vendor=GLOBAL):
    """UEFI_VARIABLE_DATA."""
    return guid(vendor) + struct.pack("<QQ", len(name), len(value)) + wide(name) + value


def signature(data, owner=MICROSOFT):
    """EFI_SIGNATURE_DATA."""
    return guid(owner) + data


def signature_list(kind, datas, owner=MICROSOFT, header=b""):
    """EFI_SIGNATURE_LIST of data of one size."""
    body = b"".join(signature(data, owner) for data in datas)
    each = 16 + len(datas[0])
    return guid(kind) + struct.pack("<III", 28 + len(header) + len(body), len(header), each) + header + body


def node(kind, sub, data):
    return struct.pack("<BBH", kind, sub, 4 + len(data)) + data


END = node(0x7F, 0xFF, b"")
DISK = node(2, 1, struct.pack("<II", 0x0A0341D0, 0)) + node(1, 1, bytes([2, 0x1F])) + node(3, 18,
                                                                                           struct.pack("<HHH", 0,
                                                                                               0xFFFF, 0))
PARTITION = node(4, 1, struct.pack("<IQQ", 1, 2048, 1048576) + guid("11111111-2222-3333-4444-555555555555") + b"\2\2")


def file_node(path):
    return node(4, 4, wide(path + "\0"))


LOADER = DISK + PARTITION + file_node("\\EFI\\debian\\shimx64.efi") + END


def image(path, size=934680):
    """UEFI_IMAGE_LOAD_EVENT."""
    return struct.pack("<QQQQ", 0x7E000000, size, 0, len(path)) + path


def boot_option(name, path=LOADER, attributes=1, optional=b""):
    """EFI_LOAD_OPTION."""
    return struct.pack("<IH", attributes, len(path)) + wide(name + "\0") + path + optional


def partition(kind, number, first, last, name):
    entry = guid(kind) + guid("00000000-0000-0000-0000-%012d" % number)
    return entry + struct.pack("<QQQ", first, last, 0) + wide(name).ljust(72, b"\0")


def partition_table(entries, count=None, size=128):
    """UEFI_GPT_DATA."""
    head = b"EFI PART" + struct.pack("<IIIIQQQQ", 0x10000, 92, 0, 0, 1, 99999, 34, 99990)
    head += guid("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee") + struct.pack("<QIII", 2, 128, size, 0)
    return head + struct.pack("<Q", len(entries) if count is None else count) + b"".join(entries)


def tagged(tag, data):
    """TCG_PCClientTaggedEvent."""
    return struct.pack("<II", tag, len(data)) + data


def tables(guids, described=None):
    """UEFI_HANDOFF_TABLE_POINTERS and the second layout."""
    text = b"" if described is None else bytes([len(described)]) + described
    return text + struct.pack("<Q", len(guids)) + b"".join(guid(each) + bytes(8) for each in guids)


def blob(base, size, described=None):
    """UEFI_PLATFORM_FIRMWARE_BLOB and the second layout."""
    text = b"" if described is None else bytes([len(described)]) + described
    return text + struct.pack("<QQ", base, size)


MEASUREMENT = bytes([1, 1]) + struct.pack("<H", 35) + bytes([0]) + struct.pack("<H", 32) + bytes(32)
PCI = struct.pack("<HHHHB3sHH", 0, 16, 0x8086, 0x1572, 1, b"\0\0\2", 0x8086, 1)


def device_security(path=DISK + END):
    """DEVICE_SECURITY_EVENT_DATA."""
    return (b"SPDM Device Sec\0" + struct.pack("<HHII", 1, 0, 2, 1) + MEASUREMENT +
            struct.pack("<Q", len(path)) + path + PCI)


def device_security2(state=0, kind=0, path=DISK + END):
    """DEVICE_SECURITY_EVENT_DATA2."""
    sub = struct.pack("<HBBI", 0x0120, 1, 0, 2) + (MEASUREMENT if kind == 0 else bytes(64))
    rest = struct.pack("<IIIQQ", 1, kind, len(sub), 7, len(path)) + path + sub + PCI
    return b"SPDM Device Sec2" + struct.pack("<HBBI", 2, state, 0, len(rest)) + rest


def sized(text):
    return bytes([len(text) + 1]) + text + b"\0"


def platform(name=b"SP800-155 Event3"):
    """TCG_Sp800_155_PlatformId_Event, 2 and 3."""
    event = name.ljust(16, b"\0") + struct.pack("<I", 11129) + guid(MICROSOFT)
    if name == b"SP800-155 Event":
        return event
    event += sized(b"Maker") + sized(b"Model 7") + sized(b"1.0") + sized(b"Firm") + struct.pack("<I",
                                                                                                1) + sized(b"2.3")
    return event if name.endswith(b"2") else event + struct.pack("<II", 1, 3) + b"uri" + bytes(8)
