// Hashes its arguments with the TPM: a context and what it makes of return codes, as C++ has it.
//   c++ -std=c++17 raii.cpp $(pkg-config --cflags --libs tbs)
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <tbs.h>
#include <tbsx.h>
#include <type_traits>
#include <vector>

namespace {

using Bytes = std::vector<BYTE>;

void check(TBS_RESULT result) {
  if (result != TBS_SUCCESS) throw std::runtime_error(Tbsx_Result_Text(result));
}

// Owns a context: closed, and all it has on the TPM flushed, when it goes out of scope.
class Context {
 public:
  Context() {
    TBS_CONTEXT_PARAMS2 params{};
    params.version = TBS_CONTEXT_VERSION_TWO;
    params.includeTpm20 = 1;
    TBS_HCONTEXT handle = nullptr;
    check(Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &handle));
    handle_.reset(handle);
  }

  // The response to a command, which may be an error of the TPM's.
  Bytes submit(const Bytes& command, TBS_COMMAND_PRIORITY priority = TBS_COMMAND_PRIORITY_NORMAL) {
    Bytes response(4096);
    auto size = static_cast<UINT32>(response.size());
    check(Tbsip_Submit_Command(handle_.get(), TBS_COMMAND_LOCALITY_ZERO, priority, command.data(),
                               static_cast<UINT32>(command.size()), response.data(), &size));
    response.resize(size);
    return response;
  }

 private:
  struct Closer {
    void operator()(TBS_HCONTEXT handle) const { Tbsip_Context_Close(handle); }
  };
  std::unique_ptr<std::remove_pointer_t<TBS_HCONTEXT>, Closer> handle_;
};

// TPM2_Hash with SHA-256.
Bytes hash_command(const std::string& text) {
  const auto size = static_cast<BYTE>(10 + 2 + text.size() + 2 + 4);
  Bytes command = {0x80, 0x01, 0, 0, 0, size, 0, 0, 0x01, 0x7d, 0, static_cast<BYTE>(text.size())};
  command.insert(command.end(), text.begin(), text.end());
  const Bytes tail = {0x00, 0x0b, 0x40, 0x00, 0x00, 0x07};
  command.insert(command.end(), tail.begin(), tail.end());
  return command;
}

void print_hash(Context& tpm, const std::string& text) {
  if (text.size() > 200) throw std::length_error("a text of more than 200 bytes");
  const Bytes response = tpm.submit(hash_command(text));
  if (response.size() < 12 + 32 || response[8] != 0 || response[9] != 0) {
    throw std::runtime_error("the TPM did not hash");
  }
  for (std::size_t i = 12; i < 12 + 32; ++i) std::printf("%02x", unsigned{response[i]});
  std::printf("  %s\n", text.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Context tpm;
    for (int i = 1; i < argc; ++i) print_hash(tpm, argv[i]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
