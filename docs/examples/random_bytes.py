#!/usr/bin/env python3
"""Random bytes from the TPM, with the package beside this file: random_bytes.py [COUNT]."""

import sys

import tbs


def get_random(tpm: tbs.Context, count: int) -> bytes:
    """TPM2_GetRandom, as often as it takes."""
    data = b""
    while len(data) < count:
        wanted = min(count - len(data), 32)
        response = tpm.submit(b"\x80\x01\0\0\0\x0c\0\0\x01\x7b" + wanted.to_bytes(2, "big"), timeout=10.0)
        if tbs.response_code(response) != 0:
            raise OSError(f"the TPM answered {tbs.response_code(response):#010x}")
        data += response[12:]
    return data


if __name__ == "__main__":
    with tbs.Context() as context:
        print(get_random(context, int(sys.argv[1]) if len(sys.argv) > 1 else 16).hex())
