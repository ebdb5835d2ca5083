#include "tests/guest/kernel_users.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include "tests/guest/kernel_client.h"
#include "tests/guest/trusted_key.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/digest.h"

namespace tbs::test {
namespace {

using proto::Buffer;

const Buffer kMessage{4, 5, 6};

Verdict hash_with(const KernelClient& kernel) {
  const std::uint32_t sequence = kernel.create(tpm::hash_sequence_start());
  if (sequence == 0) return Verdict::Refused;
  if (!kernel.succeeds(tpm::sequence_update(sequence, kMessage))) return Verdict::Refused;
  const Buffer done = kernel.run(tpm::sequence_complete(sequence));
  if (tpm::code(done) != tpm::kSuccess) return Verdict::Refused;
  return tpm::sequence_result(done) == sha256(kMessage) ? Verdict::Right : Verdict::Wrong;
}

// One program all the time; a new one when it was refused, since what it holds is then in its way.
KernelUser one_object() {
  auto kernel = std::make_shared<std::unique_ptr<KernelClient>>();
  return {.name = "/dev/tpmrm0, an object", .operate = [kernel] {
            if (!*kernel) *kernel = std::make_unique<KernelClient>();
            const Verdict verdict = hash_with(**kernel);
            if (verdict != Verdict::Right) kernel->reset();
            return verdict;
          }};
}

// As the programs of tpm2-tools do.
KernelUser opened_anew() {
  return {.name = "/dev/tpmrm0, opened anew", .operate = [] { return hash_with(KernelClient()); }};
}

// As many objects as there are slots, and a session: the kernel moves all of them for each command.
class FullProgram {
 public:
  Verdict operate() {
    if (!kernel_) return begin();
    Buffer& taken_in = messages_[turn_];
    const std::uint32_t sequence = sequences_[turn_];
    turn_ = (turn_ + 1) % sequences_.size();
    taken_in.push_back(static_cast<std::uint8_t>(taken_in.size()));
    if (!kernel_->succeeds(tpm::sequence_update(sequence, {taken_in.back()}))) return refused();
    return taken_in.size() < kUpdates ? Verdict::Right : end();
  }

 private:
  static constexpr std::size_t kUpdates = 16;

  Verdict begin() {
    kernel_ = std::make_unique<KernelClient>();
    for (std::uint32_t& sequence : sequences_) {
      sequence = kernel_->create(tpm::hash_sequence_start());
      if (sequence == 0) return refused();
    }
    if (kernel_->create(tpm::start_auth_session(TPM2_SE_HMAC)) == 0) return refused();
    messages_ = {};
    turn_ = 0;
    return Verdict::Right;
  }
  Verdict refused() {
    kernel_.reset();
    return Verdict::Refused;
  }
  Verdict end() {
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
      const Buffer done = kernel_->run(tpm::sequence_complete(sequences_[i]));
      if (tpm::code(done) != tpm::kSuccess) return refused();
      if (tpm::sequence_result(done) != sha256(messages_[i])) return Verdict::Wrong;
    }
    kernel_.reset();
    return Verdict::Right;
  }

  std::unique_ptr<KernelClient> kernel_;
  std::array<std::uint32_t, 3> sequences_{};
  std::array<Buffer, 3> messages_;
  std::size_t turn_ = 0;
};

KernelUser full_program() {
  auto program = std::make_shared<FullProgram>();
  return {.name = "/dev/tpmrm0, 3 objects and a session",
          .operate = [program] { return program->operate(); },
          .modest = false};
}

KernelUser random_numbers() {
  return {.name = "/dev/hwrng",
          .operate =
              [] {
                std::array<char, 32> random{};
                const int device = ::open("/dev/hwrng", O_RDONLY | O_CLOEXEC);
                const ssize_t size = ::read(device, random.data(), random.size());
                ::close(device);
                return size > 0 ? Verdict::Right : Verdict::Refused;
              },
          .needs_slots = false};
}

KernelUser pcr_file() {
  const auto read = [] {
    std::string digest;
    std::ifstream(chip() / "pcr-sha256/16") >> digest;
    return digest;
  };
  return {.name = "the PCR files of sysfs",
          .operate =
              [read] {
                const std::string digest = read();
                if (digest.empty()) return Verdict::Refused;
                return digest == std::string(64, '0') ? Verdict::Right : Verdict::Wrong;
              },
          .needs_slots = false};
}

KernelUser trusted_keys() {
  auto key = std::make_shared<TrustedKey>();
  return {.name = "trusted keys",
          .operate = [key] { return key->load() ? Verdict::Right : Verdict::Refused; }};
}

// 0 where the kernel does not measure files.
std::size_t measured() {
  std::size_t count = 0;
  std::ifstream("/sys/kernel/security/ima/runtime_measurements_count") >> count;
  return count;
}

// What the kernel has said since it was looked at last that is about an error with the TPM.
class KernelLog {
 public:
  KernelLog() : log_(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    ::lseek(log_, 0, SEEK_END);
  }
  ~KernelLog() { ::close(log_); }
  KernelLog(const KernelLog&) = delete;
  KernelLog& operator=(const KernelLog&) = delete;

  std::size_t errors() const {
    std::size_t count = 0;
    std::array<char, 8192> record{};
    for (ssize_t size = 0; (size = ::read(log_, record.data(), record.size())) > 0;) {
      const std::string_view text(record.data(), static_cast<std::size_t>(size));
      if (text.contains("ima: Error Communicating to TPM chip")) ++count;
    }
    return count;
  }

 private:
  int log_;
};

// Only with a policy that has files measured: each new one is an extend of PCR 10.
std::optional<KernelUser> file_measurements() {
  if (measured() < 3) return std::nullopt;  // the first is of the boot
  auto log = std::make_shared<KernelLog>();
  return KernelUser{.name = "IMA",
                    .operate =
                        [log] {
                          // What it has measured before it does not extend again.
                          static unsigned number = 0;
                          const std::filesystem::path file =
                              "/opt/measured" + std::to_string(++number);
                          std::ofstream(file) << number << "of what is measured";
                          const std::size_t before = measured();
                          std::string text;
                          std::ifstream(file) >> text;
                          std::filesystem::remove(file);
                          if (log->errors() != 0) return Verdict::Refused;
                          return measured() > before ? Verdict::Right : Verdict::Wrong;
                        },
                    .needs_slots = false};
}

}  // namespace

std::vector<KernelUser> kernel_users() {
  std::vector<KernelUser> users{one_object(), opened_anew(), full_program(), pcr_file()};
  if (choose_tpm_random()) users.push_back(random_numbers());
  if (TrustedKey::available()) users.push_back(trusted_keys());
  if (auto measurements = file_measurements()) users.push_back(*std::move(measurements));
  return users;
}

}  // namespace tbs::test
