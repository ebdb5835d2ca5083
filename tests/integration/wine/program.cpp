// A Windows program of TPM Base Services, compiled and linked with nothing but what Windows
// developers have (mingw-w64's headers and import library): it creates keys, signs, cancels from
// another thread, and reads what the service knows about the TPM. Says what fails and exits with 1.

// The order matters.
// clang-format off
#include <windows.h>
#include <tbs.h>
// clang-format on

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
// Newer than mingw-w64's tbs.h; the import library has them.
extern "C" {
TBS_RESULT WINAPI Tbsi_GetDeviceInfo(UINT32 size, PVOID info);
TBS_RESULT WINAPI Tbsi_Get_TCG_Log_Ex(UINT32 type, PBYTE output, UINT32* size);
HRESULT WINAPI GetDeviceIDString(PWSTR id, UINT32 room, UINT32* size, BOOL* is_protected);
}

namespace {

struct ContextParams2 {
  UINT32 version = 2;
  UINT32 flags = 4;  // includeTpm20
};

struct DeviceInfo {
  UINT32 version, tpm_version, interface_type, revision;
};

constexpr TBS_RESULT kSuccess = 0;
constexpr TBS_RESULT kInvalidContext = 0x80284004;
constexpr TBS_RESULT kInsufficientBuffer = 0x80284005;
constexpr TBS_RESULT kCanceled = 0x8028400D;
constexpr TBS_RESULT kNoEventLog = 0x80284011;

using Bytes = std::vector<BYTE>;

void require(bool condition, const char* what) {
  if (condition) return;
  std::printf("failed: %s\n", what);
  std::exit(1);
}

void append(Bytes& bytes, std::uint32_t value, int width) {
  while (width-- > 0) bytes.push_back(static_cast<BYTE>(value >> (8 * width)));
}

void append(Bytes& bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

std::uint32_t number_at(const Bytes& bytes, std::size_t at, int width) {
  require(bytes.size() >= at + width, "the response is long enough");
  std::uint32_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | bytes[at + i];
  return value;
}

// Handles and parameters with an empty password between them.
Bytes command(std::uint32_t code, std::uint32_t handle, const Bytes& parameters) {
  Bytes bytes;
  append(bytes, 0x8002, 2);
  append(bytes, static_cast<std::uint32_t>(27 + parameters.size()), 4);
  append(bytes, code, 4);
  append(bytes, handle, 4);
  append(bytes, 9, 4);
  append(bytes, 0x40000009, 4);
  append(bytes, 0, 5);
  append(bytes, parameters);
  return bytes;
}

Bytes create_primary(const Bytes& area) {
  Bytes parameters;
  append(parameters, 4, 2);  // no password, no data
  append(parameters, 0, 4);
  append(parameters, static_cast<std::uint32_t>(area.size()), 2);
  append(parameters, area);
  append(parameters, 0, 2);
  append(parameters, 0, 4);
  return command(0x131, 0x40000001, parameters);
}

// A P-256 key that signs: no symmetric algorithm, ECDSA with SHA-256, no KDF.
Bytes signing_key() {
  return {0, 0x23, 0, 0x0B, 0, 0x04, 0x00, 0x72, 0, 0, 0, 0x10,
          0, 0x18, 0, 0x0B, 0, 3,    0,    0x10, 0, 0, 0, 0};
}

// An RSA-2048 storage key, which takes a while; `unique` makes each another.
Bytes slow_key(BYTE unique) {
  return {0, 1,    0, 0x0B, 0, 3, 4, 0x72, 0, 0, 0, 6, 0,     0x80,
          0, 0x43, 0, 0x10, 8, 0, 0, 0,    0, 0, 0, 1, unique};
}

TBS_RESULT submit(TBS_HCONTEXT context, const Bytes& bytes, Bytes& response) {
  response.resize(4096);
  auto size = static_cast<UINT32>(response.size());
  const TBS_RESULT result =
      Tbsip_Submit_Command(context, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL,
                           bytes.data(), static_cast<UINT32>(bytes.size()), response.data(), &size);
  response.resize(result == kSuccess ? size : 0);
  return result;
}

Bytes run(TBS_HCONTEXT context, const Bytes& bytes, const char* what) {
  Bytes response;
  require(submit(context, bytes, response) == kSuccess, what);
  require(number_at(response, 6, 4) == 0, what);
  return response;
}

void sign_and_verify(TBS_HCONTEXT context) {
  const std::uint32_t key =
      number_at(run(context, create_primary(signing_key()), "create a key"), 10, 4);
  require(key == 0x80000000, "the key has the first handle");
  Bytes digest;
  append(digest, 32, 2);
  append(digest, Bytes(32, 0x5A));
  Bytes parameters = digest;
  append(parameters, 0x0010, 2);  // the key's own scheme
  append(parameters, 0x8024, 2);  // no ticket
  append(parameters, 0x40000007, 4);
  append(parameters, 0, 2);
  const Bytes signed_ = run(context, command(0x15D, key, parameters), "sign");
  const std::uint32_t length = number_at(signed_, 10, 4);
  const Bytes signature(signed_.begin() + 14, signed_.begin() + 14 + length);
  for (const bool changed : {false, true}) {
    if (changed) digest.back() = static_cast<BYTE>(digest.back() ^ 1);
    Bytes verify;
    append(verify, 0x8001, 2);
    append(verify, static_cast<std::uint32_t>(14 + digest.size() + signature.size()), 4);
    append(verify, 0x177, 4);
    append(verify, key, 4);
    append(verify, digest);
    append(verify, signature);
    Bytes response;
    require(submit(context, verify, response) == kSuccess, "verify");
    require((number_at(response, 6, 4) == 0) == !changed, "a signature is of one digest only");
  }
  std::puts("created a key and signed");
}

DWORD WINAPI cancel_soon(void* context) {
  Sleep(3);
  return Tbsip_Cancel_Commands(context);
}

void cancel(TBS_HCONTEXT context) {
  for (BYTE unique = 1; unique != 0; ++unique) {
    const HANDLE thread = CreateThread(nullptr, 0, cancel_soon, context, 0, nullptr);
    require(thread != nullptr, "start a thread");
    Bytes response;
    const TBS_RESULT result = submit(context, create_primary(slow_key(unique)), response);
    WaitForSingleObject(thread, INFINITE);
    DWORD code = 1;
    GetExitCodeThread(thread, &code);
    CloseHandle(thread);
    require(code == kSuccess, "cancel");
    require(result == kSuccess || result == kCanceled, "a cancelled command ends as it should");
    if (result == kCanceled) {
      std::puts("cancelled a command from another thread");
      return;
    }
    const std::uint32_t handle = number_at(response, 10, 4);
    Bytes flush;
    append(flush, 0x8001, 2);
    append(flush, 14, 4);
    append(flush, 0x165, 4);
    append(flush, handle, 4);
    run(context, flush, "flush a key that was finished first");
  }
  require(false, "cancel one of 255 keys in time");
}

void read_device_info() {
  DeviceInfo info{};
  require(Tbsi_GetDeviceInfo(sizeof info, &info) == kSuccess, "get the device info");
  require(info.version == 1 && info.tpm_version == 2 && info.interface_type == 4,
          "the device info is that of a TPM 2.0 in software");
  WCHAR id[65];
  UINT32 length = 0;
  BOOL is_protected = FALSE;
  require(GetDeviceIDString(id, 65, &length, &is_protected) == S_OK && length == 65 && id[64] == 0,
          "get the device's identifier");
  std::printf("TPM 2.0 of revision %u, identifier %ls\n", static_cast<unsigned>(info.revision), id);
}

// Prints the log's size, for the test to compare with that of the file it gave tbsd; 0: there is
// none.
void read_log(TBS_HCONTEXT context) {
  UINT32 size = 0;
  TBS_RESULT result = Tbsi_Get_TCG_Log(context, nullptr, &size);
  if (result == kNoEventLog) {
    std::puts("there is no log");
    return;
  }
  require(result == kSuccess && size > 0, "get the size of the log");
  Bytes log(size);
  require(Tbsi_Get_TCG_Log(context, log.data(), &size) == kSuccess && size == log.size(),
          "get the log");
  Bytes again(size);
  require(Tbsi_Get_TCG_Log_Ex(0, again.data(), &size) == kSuccess && again == log,
          "the log by its type is the same");
  std::uint32_t sum = 0;
  for (const BYTE byte : log) sum = sum * 31 + byte;
  std::printf("log of %u bytes, sum %08x\n", static_cast<unsigned>(size),
              static_cast<unsigned>(sum));
}

void refuse(TBS_HCONTEXT context) {
  const Bytes get_random{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7B, 0, 8};
  BYTE little[4];
  UINT32 size = sizeof little;
  require(Tbsip_Submit_Command(context, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL,
                               get_random.data(), 12, little, &size) == kInsufficientBuffer &&
              size == 20,
          "a small buffer is refused with the size");
  require(Tbsip_Context_Close(context) == kSuccess, "close");
  require(Tbsip_Context_Close(context) == kInvalidContext, "a closed context is none");
}

}  // namespace

int main() {
  ContextParams2 params;
  TBS_HCONTEXT context = nullptr;
  require(Tbsi_Context_Create(reinterpret_cast<const TBS_CONTEXT_PARAMS*>(&params), &context) ==
              kSuccess,
          "create a context");
  sign_and_verify(context);
  cancel(context);
  read_device_info();
  read_log(context);
  refuse(context);
  std::puts("all done");
  return 0;
}
