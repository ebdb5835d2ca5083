// Hashes its arguments with the TPM, each within two seconds: tbs.hpp, with commands made by
// tss2-mu.
//   c++ -std=c++20 hash.cpp $(pkg-config --cflags --libs tbs tss2-mu)
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <tbs.hpp>

#include <tss2/tss2_mu.h>

namespace {

using Buffer = std::array<std::uint8_t, 4096>;

// TPM2_Hash with SHA-256; nothing when the text is too long for it.
tbs::bytes hash_command(std::string_view text, Buffer& room) {
  TPM2B_MAX_BUFFER data{};
  if (text.size() > sizeof data.buffer) return {};
  data.size = static_cast<UINT16>(text.size());
  std::memcpy(data.buffer, text.data(), text.size());
  std::size_t end = 0;
  std::size_t size_field = 2;
  const bool failed =
      Tss2_MU_TPM2_ST_Marshal(TPM2_ST_NO_SESSIONS, room.data(), room.size(), &end) != 0 ||
      Tss2_MU_UINT32_Marshal(0, room.data(), room.size(), &end) != 0 ||
      Tss2_MU_TPM2_CC_Marshal(TPM2_CC_Hash, room.data(), room.size(), &end) != 0 ||
      Tss2_MU_TPM2B_MAX_BUFFER_Marshal(&data, room.data(), room.size(), &end) != 0 ||
      Tss2_MU_UINT16_Marshal(TPM2_ALG_SHA256, room.data(), room.size(), &end) != 0 ||
      Tss2_MU_TPM2_HANDLE_Marshal(TPM2_RH_NULL, room.data(), room.size(), &end) != 0 ||
      Tss2_MU_UINT32_Marshal(static_cast<UINT32>(end), room.data(), room.size(), &size_field) != 0;
  return failed ? tbs::bytes() : tbs::bytes(room).first(end);
}

bool print_hash(const tbs::context& tpm, const char* text) {
  Buffer room;
  const auto response =
      tpm.submit(hash_command(text, room), room, {.timeout = std::chrono::seconds(2)});
  if (!response) {
    std::fprintf(stderr, "%s: %s\n", text, response.error().message());
    return false;
  }
  UINT32 code = 0;
  TPM2B_DIGEST digest{};
  std::size_t at = 6;
  const bool failed =
      Tss2_MU_UINT32_Unmarshal(response->data(), response->size(), &at, &code) != 0 || code != 0 ||
      Tss2_MU_TPM2B_DIGEST_Unmarshal(response->data(), response->size(), &at, &digest) != 0;
  if (failed) {
    std::fprintf(stderr, "%s: the TPM answered 0x%x\n", text, code);
    return false;
  }
  for (int i = 0; i < digest.size; ++i) std::printf("%02x", unsigned{digest.buffer[i]});
  std::printf("  %s\n", text);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const auto tpm = tbs::context::open();
  if (!tpm) {
    std::fprintf(stderr, "no context: %s (%s)\n", tpm.error().message(), tpm.error().name());
    return 1;
  }
  bool good = true;
  for (int i = 1; i < argc; ++i) good = print_hash(*tpm, argv[i]) && good;
  return good ? 0 : 1;
}
