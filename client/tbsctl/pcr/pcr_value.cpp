#include "client/tbsctl/pcr/pcr_value.h"

#include <algorithm>
#include <array>
#include <memory>
#include <openssl/evp.h>

#include "client/tbsctl/text/number.h"

namespace tbs::ctl {
namespace {

struct Bank {
  std::uint16_t algorithm;
  std::string_view name;
  const EVP_MD* (*digest)();
};

constexpr std::array kBanks = {Bank{kSha1Bank, "sha1", EVP_sha1},
                               Bank{TPM2_ALG_SHA256, "sha256", EVP_sha256},
                               Bank{TPM2_ALG_SHA384, "sha384", EVP_sha384},
                               Bank{TPM2_ALG_SHA512, "sha512", EVP_sha512},
                               Bank{TPM2_ALG_SM3_256, "sm3_256", EVP_sm3},
                               Bank{TPM2_ALG_SHA3_256, "sha3_256", EVP_sha3_256},
                               Bank{TPM2_ALG_SHA3_384, "sha3_384", EVP_sha3_384},
                               Bank{TPM2_ALG_SHA3_512, "sha3_512", EVP_sha3_512}};

// Of the two one after the other.
std::optional<proto::Buffer> digest_of(std::uint16_t algorithm, proto::Bytes first,
                                       proto::Bytes second) {
  const auto* const bank = std::ranges::find(kBanks, algorithm, &Bank::algorithm);
  if (bank == kBanks.end()) return std::nullopt;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const bool done = hash != nullptr &&
                    EVP_DigestInit_ex(hash.get(), bank->digest(), nullptr) == 1 &&
                    EVP_DigestUpdate(hash.get(), first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(hash.get(), second.data(), second.size()) == 1 &&
                    EVP_DigestFinal_ex(hash.get(), digest.data(), &size) == 1;
  if (!done) return std::nullopt;
  return proto::Buffer(digest.begin(), digest.begin() + size);
}

}  // namespace

std::string bank_name(std::uint16_t algorithm) {
  const auto* const bank = std::ranges::find(kBanks, algorithm, &Bank::algorithm);
  if (bank != kBanks.end()) return std::string(bank->name);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 12; shift >= 0; shift -= 4) text += kDigits[algorithm >> shift & 0xFU];
  return text;
}

std::optional<std::uint16_t> bank_of(std::string_view name) {
  const auto* const bank = std::ranges::find(kBanks, name, &Bank::name);
  if (bank != kBanks.end()) return bank->algorithm;
  if (!name.starts_with("0x")) return std::nullopt;
  return parse_number<std::uint16_t>(name);
}

std::optional<std::size_t> bank_digest_size(std::uint16_t algorithm) {
  const auto* const bank = std::ranges::find(kBanks, algorithm, &Bank::algorithm);
  if (bank == kBanks.end()) return std::nullopt;
  return static_cast<std::size_t>(EVP_MD_get_size(bank->digest()));
}

std::optional<proto::Buffer> bank_digest(std::uint16_t algorithm, proto::Bytes bytes) {
  return digest_of(algorithm, bytes, {});
}

std::optional<proto::Buffer> pcr_extend(std::uint16_t algorithm, proto::Bytes value,
                                        proto::Bytes measured) {
  auto digest = digest_of(algorithm, value, measured);
  if (!digest || digest->size() != value.size() || digest->size() != measured.size()) {
    return std::nullopt;
  }
  return digest;
}

}  // namespace tbs::ctl
