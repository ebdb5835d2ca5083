#include "tests/support/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdexcept>

namespace tbs::test {
namespace {

constexpr std::size_t kSize = 32;

void require(bool good) {
  if (!good) throw std::runtime_error("OpenSSL refuses");
}

}  // namespace

std::vector<std::uint8_t> sha256(std::span<const std::uint8_t> message) {
  std::vector<std::uint8_t> digest(kSize);
  require(EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha256(),
                     nullptr) == 1);
  return digest;
}

std::vector<std::uint8_t> hmac_sha256(std::span<const std::uint8_t> key,
                                      std::span<const std::uint8_t> message) {
  std::vector<std::uint8_t> digest(kSize);
  require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(),
               message.size(), digest.data(), nullptr) != nullptr);
  return digest;
}

}  // namespace tbs::test
