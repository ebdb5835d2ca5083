// A TPM 1.2, by libtbs. Its client checks the HMAC of each response.

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "proto/byte_writer.h"
#include "proto/tpm12/ordinals.h"
#include "tests/integration/restart/work.h"
#include "tests/support/client12/client.h"
#include "tests/support/client12/structures.h"

namespace tbs::test {
namespace {

using client12::Client;
using client12::Digest;
namespace ord = tpm12::ord;

constexpr unsigned kPcrs = 16;

// What the client of TPM 1.2 throws is a fault as well.
template <typename Function>
auto checked(Function function) {
  try {
    return function();
  } catch (const Fault&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw Fault(std::string("wrong: ") + error.what());
  }
}

class Work12 : public Work {
 protected:
  explicit Work12(const Setting& setting)
      : context_(setting.socket, true, setting.times),
        client_([this](proto::Buffer command) { return context_.exchange(command); }) {}

  Context context_;
  Client client_;
};

class PcrExtends12 final : public Work12 {
 public:
  PcrExtends12(const Setting& setting, unsigned number) : Work12(setting), pcr_(number % kPcrs) {
    value_ = read();
  }

  void round() override {
    Digest digest{};
    std::ranges::copy(random_bytes(digest.size()), digest.begin());
    const Digest before = value_;
    value_ = client12::sha1({before, digest});
    proto::Buffer parameters;
    proto::ByteWriter writer(parameters);
    writer.be32(pcr_);
    writer.bytes(digest);
    try {
      const auto reply = client_.run({.ordinal = ord::kExtend, .parameters = parameters});
      if (reply.code != 0) throw Fault("wrong: TPM_Extend fails");
    } catch (const Fault&) {
      value_ = read();
      throw;
    }
    const Digest found = read();
    if (found == value_) return;
    const Digest expected = std::exchange(value_, found);
    if (found == before) throw Fault("lost: TPM_Extend was answered and not carried out");
    if (found == client12::sha1({expected, digest})) throw Fault("doubled: TPM_Extend");
    throw Fault("wrong: the PCR has another value");
  }

 private:
  Digest read() {
    proto::Buffer parameters;
    proto::ByteWriter writer(parameters);
    writer.be32(pcr_);
    const auto reply = client_.run({.ordinal = ord::kPcrRead, .parameters = parameters});
    Digest value{};
    if (reply.code != 0 || reply.parameters.size() != value.size()) {
      throw Fault("wrong: TPM_PCRRead fails");
    }
    std::ranges::copy(reply.parameters, value.begin());
    return value;
  }

  std::uint32_t pcr_;
  Digest value_{};
};

// A key that stays loaded, and an OIAP session whose nonces roll on.
class Signatures12 final : public Work12 {
 public:
  Signatures12(const Setting& setting, unsigned number)
      : Work12(setting), secret_(client12::secret_of(static_cast<std::uint8_t>(10 + number))) {
    checked([this] {
      // One owner for all of them.
      static std::mutex mutex;
      const std::lock_guard lock(mutex);
      if (!client_.owned()) client_.take_ownership();
    });
    checked([this] {
      const proto::Buffer wrapped = client_.create_key(secret_);
      modulus_ = client12::modulus_of(wrapped);
      key_ = client_.load_key(wrapped);
    });
  }

  void round() override {
    try {
      checked([this] { sign(); });
    } catch (const Fault&) {
      // The TPM has ended it.
      session_.reset();
      throw;
    }
  }

 private:
  void sign() {
    if (!session_) session_ = client_.oiap(secret_);
    Digest digest{};
    std::ranges::copy(random_bytes(digest.size()), digest.begin());
    const auto reply = client_.run({.ordinal = ord::kSign,
                                    .handles = {key_},
                                    .parameters = client12::sized_bytes(digest),
                                    .sessions = {&*session_}});
    if (reply.code != 0) throw Fault("wrong: TPM_Sign returns " + std::to_string(reply.code));
    if (!client12::signature_is_good(modulus_, digest, client12::sized(reply.parameters))) {
      throw Fault("wrong: a signature");
    }
  }

  Digest secret_;
  proto::Buffer modulus_;
  std::uint32_t key_ = 0;
  std::optional<client12::Session> session_;
};

}  // namespace

std::unique_ptr<Work> count_pcr_extends12(const Setting& setting, unsigned number) {
  return std::make_unique<PcrExtends12>(setting, number);
}
std::unique_ptr<Work> sign_in_sessions12(const Setting& setting, unsigned number) {
  return std::make_unique<Signatures12>(setting, number);
}

}  // namespace tbs::test
