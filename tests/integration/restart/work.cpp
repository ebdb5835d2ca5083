#include "tests/integration/restart/work.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <openssl/rand.h>

#include "tests/integration/support/tpm_commands.h"

namespace tbs::test {
namespace {

std::string hex(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", value);
  return text;
}

}  // namespace

void AnswerTimes::note() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const std::lock_guard lock(mutex_);
  times_.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

void AnswerTimes::write(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::ranges::sort(times_);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(times_.data()),
             static_cast<std::streamsize>(times_.size() * sizeof(times_.front())));
}

Context::Context(const std::string& socket, bool tpm12, AnswerTimes& times) : times_(times) {
  TBS_CONTEXT_PARAMS2 params{};
  params.version = TBS_CONTEXT_VERSION_TWO;
  params.includeTpm12 = tpm12 ? 1U : 0U;
  params.includeTpm20 = tpm12 ? 0U : 1U;
  const TBS_RESULT result = Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params),
                                                socket.c_str(), &context_);
  if (result != TBS_SUCCESS)
    throw Fault(std::string("lost: no context: ") + Tbsx_Result_Name(result));
}

Context::~Context() {
  Tbsip_Context_Close(context_);
}

proto::Buffer Context::exchange(const proto::Buffer& command) {
  proto::Buffer response(4096);
  auto size = static_cast<UINT32>(response.size());
  const TBS_RESULT result = Tbsip_Submit_Command(
      context_, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
      static_cast<UINT32>(command.size()), response.data(), &size);
  check(result);
  times_.note();
  response.resize(size);
  return response;
}

void Context::check(TBS_RESULT result) {
  if (result != TBS_SUCCESS) throw Fault(std::string("lost: ") + Tbsx_Result_Name(result));
}

proto::Buffer Context::run(const proto::Buffer& command) {
  proto::Buffer response = exchange(command);
  const auto code = tpm::code(response);
  if (!code) throw Fault("wrong: a response that is too short");
  if (*code != tpm::kSuccess) {
    throw Fault("wrong: command " + hex(static_cast<std::uint32_t>(command[8] << 8 | command[9])) +
                " returns " + hex(*code));
  }
  return response;
}

proto::Buffer random_bytes(std::size_t count) {
  proto::Buffer bytes(count);
  if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1) throw std::bad_alloc();
  return bytes;
}

}  // namespace tbs::test
