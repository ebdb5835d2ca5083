"""TPM Base Services: a TPM shared with other programs, through libtbs. Needs Python 3.9 and libtbs.so.1.

    import tbs

    with tbs.Context() as tpm:
        response = tpm.submit(command, timeout=2.0)

    async with tbs.Context() as tpm:
        response = await tpm.submit_async(command)

Commands and responses are bytes, as the TPM has them. An error of the TPM is in the response: bytes 6
to 9, or response_code(). What fails before or instead raises tbs.Error."""

from tbs._context import Context, response_code
from tbs._libtbs import ContextInfo, Error, Locality, Priority

__all__ = ["Context", "ContextInfo", "Error", "Locality", "Priority", "response_code"]
