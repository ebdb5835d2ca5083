// In the manner of Microsoft's own tools and of C++ programs after them: HRESULT macros around
// every call, sizes asked for first, vectors as buffers, responses whose header is compared with
// the size.
/* clang-format off */
#include <cstdio>
#include <vector>
#include <windows.h>
#include <tbs.h>
/* clang-format on */

namespace {

class TbsDevice {
 public:
  HRESULT open() {
    // Only what is needed is set; the rest is what the stack held.
    TBS_CONTEXT_PARAMS2 parameters;
    parameters.version = TBS_CONTEXT_VERSION_TWO;
    parameters.includeTpm12 = 0;
    parameters.includeTpm20 = 1;
    return static_cast<HRESULT>(
        Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&parameters), &context_));
  }

  HRESULT submit(const std::vector<BYTE>& command, std::vector<BYTE>& response) {
    response.resize(4096);
    UINT32 size = static_cast<UINT32>(response.size());
    HRESULT hr = static_cast<HRESULT>(Tbsip_Submit_Command(
        context_, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL, &command[0],
        static_cast<UINT32>(command.size()), &response[0], &size));
    if (FAILED(hr)) return hr;
    // Defence against an interface that reports more than it was given room for.
    if (size > response.size()) return E_FAIL;
    response.resize(size);
    if (size < 10) return E_FAIL;
    const UINT32 header = static_cast<UINT32>(response[4]) << 8 | response[5];
    return header == size ? S_OK : E_FAIL;
  }

  HRESULT read_log(std::vector<BYTE>& log) {
    UINT32 size = 0;
    HRESULT hr = static_cast<HRESULT>(Tbsi_Get_TCG_Log(context_, NULL, &size));
    if (FAILED(hr)) return hr;
    log.resize(size);
    return static_cast<HRESULT>(Tbsi_Get_TCG_Log(context_, &log[0], &size));
  }

  HRESULT close() { return static_cast<HRESULT>(Tbsip_Context_Close(context_)); }

 private:
  TBS_HCONTEXT context_ = NULL;
};

bool has_tpm20() {
  TPM_DEVICE_INFO info = {};
  return Tbsi_GetDeviceInfo(sizeof(info), &info) == TBS_SUCCESS && info.structVersion == 1 &&
         info.tpmVersion >= TPM_VERSION_20;
}

}  // namespace

int main() {
  // TPM2_Hash("abc") with SHA-256.
  const BYTE hash[] = {0x80, 1,   0,   0,   0, 21,   0,    0, 1, 0x7d, 0,
                       3,    'a', 'b', 'c', 0, 0x0b, 0x40, 0, 0, 7};
  const std::vector<BYTE> command(hash, hash + sizeof hash);
  std::vector<BYTE> response;
  std::vector<BYTE> log;
  TbsDevice device;
  HRESULT hr = S_OK;
  if (!has_tpm20()) return 1;
  if (FAILED(hr = device.open())) return 2;
  if (FAILED(hr = device.submit(command, response))) return 3;
  if (response.size() < 44 || response[12] != 0xba || response[13] != 0x78) return 4;
  if (FAILED(hr = device.read_log(log)) || log.empty()) return 5;
  if (SUCCEEDED(static_cast<HRESULT>(Tbsi_Get_TCG_Log(NULL, NULL, NULL)))) return 6;
  return SUCCEEDED(device.close()) ? 0 : 7;
}
