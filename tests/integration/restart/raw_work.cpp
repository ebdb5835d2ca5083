// Commands as bytes, by libtbs.

#include <chrono>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdexcept>
#include <thread>
#include <utility>

#include "proto/byte_reader.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/structures.h"
#include "tests/integration/restart/work.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/client_commands.h"
#include "tests/support/digest.h"
#include "tests/support/signing_template.h"

namespace tbs::test {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using ::tbs::tpm::CommandBuilder;

constexpr unsigned kPcrs = 16;

Bytes after_header(Bytes response) {
  return response.subspan(10);
}

Buffer extended(Buffer value, const Buffer& digest) {
  value.insert(value.end(), digest.begin(), digest.end());
  return sha256(value);
}

// Each has a PCR of its own, and knows its value.
class PcrExtends final : public Work {
 public:
  PcrExtends(const Setting& setting, unsigned number)
      : context_(setting.socket, false, setting.times), pcr_(number % kPcrs) {
    value_ = read();
  }

  void round() override {
    const Buffer digest = random_bytes(32);
    const Buffer before = value_;
    value_ = extended(before, digest);
    bool answered = false;
    try {
      context_.run(tpm::pcr_extend(pcr_, digest));
      answered = true;
    } catch (const Fault&) {
      // Whether it was carried out is not known.
      value_ = read();
      throw;
    }
    const Buffer found = read();
    if (found == value_) return;
    const Buffer expected = std::exchange(value_, found);
    if (found == before) throw Fault("lost: PCR_Extend was answered and not carried out");
    if (found == extended(expected, digest)) throw Fault("doubled: PCR_Extend");
    throw Fault(answered ? "wrong: the PCR has another value" : "wrong");
  }

 private:
  Buffer read() { return tpm::pcr_value(context_.run(tpm::pcr_read(pcr_))); }

  Context context_;
  std::uint32_t pcr_;
  Buffer value_;
};

// A counter in NV memory.
class NvIncrements final : public Work {
 public:
  NvIncrements(const Setting& setting, unsigned number)
      : context_(setting.socket, false, setting.times), index_(0x01500100 + number) {
    TPM2B_NV_PUBLIC area{};
    area.nvPublic.nvIndex = index_;
    area.nvPublic.nameAlg = TPM2_ALG_SHA256;
    area.nvPublic.attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA |
                               TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT;
    area.nvPublic.dataSize = 8;
    context_.run(CommandBuilder(TPM2_CC_NV_DefineSpace)
                     .handle(TPM2_RH_OWNER)
                     .authorization(::tbs::tpm::password_authorization())
                     .sized({})
                     .bytes(::tbs::tpm::marshal(area))
                     .finish());
    increment();
    value_ = read();
  }

  void round() override {
    try {
      increment();
      ++value_;
    } catch (const Fault&) {
      value_ = read();
      throw;
    }
    const std::uint64_t found = read();
    const std::uint64_t expected = std::exchange(value_, found);
    if (found < expected) throw Fault("lost: NV_Increment was answered and not carried out");
    if (found > expected) throw Fault("doubled: NV_Increment");
  }

  void finish() override {
    context_.run(CommandBuilder(TPM2_CC_NV_UndefineSpace)
                     .handle(TPM2_RH_OWNER)
                     .handle(index_)
                     .authorization(::tbs::tpm::password_authorization())
                     .finish());
  }

 private:
  void increment() {
    context_.run(CommandBuilder(TPM2_CC_NV_Increment)
                     .handle(index_)
                     .handle(index_)
                     .authorization(::tbs::tpm::password_authorization())
                     .finish());
  }
  std::uint64_t read() {
    const Buffer data =
        tpm::nv_data(context_.run(CommandBuilder(TPM2_CC_NV_Read)
                                      .handle(index_)
                                      .handle(index_)
                                      .authorization(::tbs::tpm::password_authorization())
                                      .u16(8)
                                      .u16(0)
                                      .finish()));
    if (data.size() != 8) throw Fault("wrong: a counter of another size");
    std::uint64_t value = 0;
    for (const std::uint8_t byte : data) value = value << 8 | byte;
    return value;
  }

  Context context_;
  std::uint32_t index_;
  std::uint64_t value_ = 0;
};

struct FreePublicKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using PublicKey = std::unique_ptr<EVP_PKEY, FreePublicKey>;

// Of a point on P-256.
PublicKey public_key(Bytes x, Bytes y) {
  Buffer point(1, 4);
  for (const Bytes part : {x, y}) {
    point.insert(point.end(), 32 - part.size(), 0);
    point.insert(point.end(), part.begin(), part.end());
  }
  char group[] = "prime256v1";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* const maker = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  if (EVP_PKEY_fromdata_init(maker) == 1) {
    EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, parameters);
  }
  EVP_PKEY_CTX_free(maker);
  if (key == nullptr) throw Fault("wrong: no point of the curve");
  return PublicKey(key);
}

bool verifies(EVP_PKEY& key, const Buffer& digest, Bytes r, Bytes s) {
  ECDSA_SIG* const signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(r.data(), static_cast<int>(r.size()), nullptr),
                 BN_bin2bn(s.data(), static_cast<int>(s.size()), nullptr));
  unsigned char* encoded = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &encoded);
  EVP_PKEY_CTX* const verifier = EVP_PKEY_CTX_new_from_pkey(nullptr, &key, nullptr);
  const bool good = size > 0 && EVP_PKEY_verify_init(verifier) == 1 &&
                    EVP_PKEY_verify(verifier, encoded, static_cast<std::size_t>(size),
                                    digest.data(), digest.size()) == 1;
  EVP_PKEY_CTX_free(verifier);
  OPENSSL_free(encoded);
  ECDSA_SIG_free(signature);
  return good;
}

// A transient key that is made once: its virtual handle must mean it for ever.
class Signatures final : public Work {
 public:
  Signatures(const Setting& setting, unsigned number)
      : context_(setting.socket, false, setting.times) {
    const Buffer unique = {'r', static_cast<std::uint8_t>(number)};
    const Buffer response =
        context_.run(::tbs::tpm::build::create_primary(TPM2_RH_OWNER, signing_template(unique)));
    handle_ = tpm::handle(response);
    // Behind the handle and the size of the parameters.
    Bytes parameters = after_header(response).subspan(8);
    const auto area = ::tbs::tpm::take<TPM2B_PUBLIC>(parameters);
    if (!area) throw Fault("wrong: no public area");
    const auto& [x, y] = area->publicArea.unique.ecc;
    key_ = public_key(Bytes(x.buffer, x.size), Bytes(y.buffer, y.size));
  }

  void round() override {
    const Buffer digest = random_bytes(32);
    const TPMT_TK_HASHCHECK no_ticket{
        .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL, .digest = {}};
    const Buffer response = context_.run(CommandBuilder(TPM2_CC_Sign)
                                             .handle(handle_)
                                             .authorization(::tbs::tpm::password_authorization())
                                             .sized(digest)
                                             .u16(TPM2_ALG_NULL)
                                             .bytes(::tbs::tpm::marshal(no_ticket))
                                             .finish());
    ByteReader reader(after_header(response));
    reader.skip(4 + 2 + 2);
    const Bytes r = reader.take(reader.be16());
    const Bytes s = reader.take(reader.be16());
    if (!reader.ok() || !verifies(*key_, digest, r, s)) throw Fault("wrong: a signature");
  }

 private:
  Context context_;
  std::uint32_t handle_ = 0;
  PublicKey key_;
};

// The TPM itself remembers what it has hashed so far.
class HashSequences final : public Work {
 public:
  explicit HashSequences(const Setting& setting) : context_(setting.socket, false, setting.times) {}

  void round() override {
    const std::uint32_t sequence = tpm::handle(context_.run(tpm::hash_sequence_start()));
    Buffer message;
    const unsigned updates = 1 + random_bytes(1)[0] % 6;
    for (unsigned i = 0; i < updates; ++i) {
      const Buffer part = random_bytes(1 + random_bytes(1)[0]);
      context_.run(command::update(sequence, part));
      message.insert(message.end(), part.begin(), part.end());
    }
    const Buffer digest = tpm::sequence_result(context_.run(command::complete(sequence)));
    if (digest != sha256(message)) throw Fault("wrong: an update was lost, or came twice");
  }

 private:
  Context context_;
};

// A session that is never used for authorization, so it is saved and loaded as it is.
class PolicySessions final : public Work {
 public:
  explicit PolicySessions(const Setting& setting)
      : context_(setting.socket, false, setting.times) {}

  void round() override {
    const std::uint32_t session = tpm::handle(context_.run(command::start_policy()));
    Buffer expected(32, 0);
    const unsigned steps = 1 + random_bytes(1)[0] % 4;
    for (unsigned i = 0; i < steps; ++i) {
      context_.run(CommandBuilder(TPM2_CC_PolicyAuthValue).handle(session).finish());
      Buffer input = expected;
      for (const int shift : {24, 16, 8, 0}) {
        input.push_back(static_cast<std::uint8_t>(TPM2_CC_PolicyAuthValue >> shift));
      }
      expected = sha256(input);
    }
    const Buffer response = context_.run(command::policy_digest(session));
    ByteReader reader(after_header(response));
    const Bytes digest = reader.take(reader.be16());
    context_.run(tpm::flush_context(session));
    if (Buffer(digest.begin(), digest.end()) != expected) {
      throw Fault("wrong: a step of the policy was lost, or came twice");
    }
  }

 private:
  Context context_;
};

// One of many who have a context and seldom a command.
class SeldomCommands final : public Work {
 public:
  explicit SeldomCommands(const Setting& setting)
      : context_(setting.socket, false, setting.times) {}

  void round() override {
    const Buffer message = random_bytes(100);
    if (tpm::sized_bytes(context_.run(tpm::hash(message))) != sha256(message)) {
      throw Fault("wrong: a digest");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500 + random_bytes(1)[0] * 4));
  }

 private:
  Context context_;
};

// A client that has just come.
class Newcomers final : public Work {
 public:
  explicit Newcomers(const Setting& setting) : setting_(setting) {}

  void round() override {
    {
      Context context(setting_.socket, false, setting_.times);
      const Buffer message = random_bytes(100);
      const Buffer response = context.run(tpm::hash(message));
      const Buffer digest = tpm::sized_bytes(response);
      if (digest != sha256(message)) {
        throw Fault("wrong: a digest of " + std::to_string(digest.size()) +
                    " bytes in a response of " + std::to_string(response.size()));
      }
    }
    // As often as programs are started, and not as often as they can be.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

 private:
  const Setting& setting_;
};

}  // namespace

std::unique_ptr<Work> count_pcr_extends(const Setting& setting, unsigned number) {
  return std::make_unique<PcrExtends>(setting, number);
}
std::unique_ptr<Work> count_nv_increments(const Setting& setting, unsigned number) {
  return std::make_unique<NvIncrements>(setting, number);
}
std::unique_ptr<Work> sign_and_verify(const Setting& setting, unsigned number) {
  return std::make_unique<Signatures>(setting, number);
}
std::unique_ptr<Work> hash_sequences(const Setting& setting, unsigned /*number*/) {
  return std::make_unique<HashSequences>(setting);
}
std::unique_ptr<Work> policy_sessions(const Setting& setting, unsigned /*number*/) {
  return std::make_unique<PolicySessions>(setting);
}

std::unique_ptr<Work> seldom_a_command(const Setting& setting, unsigned /*number*/) {
  return std::make_unique<SeldomCommands>(setting);
}
std::unique_ptr<Work> come_and_go(const Setting& setting, unsigned /*number*/) {
  return std::make_unique<Newcomers>(setting);
}

}  // namespace tbs::test
