#include "tests/integration/tpm12/tpm12_bench.h"

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

std::string kind() {
  const char* const kind = std::getenv("TBS_TEST_DEVICE");
  return kind == nullptr ? "embedded" : kind;
}

bool on_kernel() {
  return kind() == "kernel";
}

}  // namespace

LibraryClient::LibraryClient()
    : client_([this](const client12::Bytes& command) { return submit(command); }) {
  TBS_CONTEXT_PARAMS2 parameters{};
  parameters.version = TBS_CONTEXT_VERSION_TWO;
  parameters.includeTpm12 = 1;
  const TBS_RESULT result =
      Tbsi_Context_Create(reinterpret_cast<const TBS_CONTEXT_PARAMS*>(&parameters), &context_);
  if (result != TBS_SUCCESS) throw std::runtime_error("no context: " + std::to_string(result));
}

LibraryClient::~LibraryClient() {
  Tbsip_Context_Close(context_);
}

client12::Bytes LibraryClient::submit(const client12::Bytes& command) {
  client12::Bytes response(4096);
  UINT32 size = static_cast<UINT32>(response.size());
  const TBS_RESULT result = Tbsip_Submit_Command(
      context_, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
      static_cast<UINT32>(command.size()), response.data(), &size);
  if (result != TBS_SUCCESS) throw std::runtime_error("no response: " + std::to_string(result));
  response.resize(size);
  return response;
}

Tpm12Bench::Tpm12Bench(std::vector<std::string> arguments) {
  options_.arguments = std::move(arguments);
  if (kind() == "swtpm") {
    swtpm_ = std::make_unique<SwtpmProcess>(folder_, SwtpmProcess::Family::Tpm12);
    swtpm_->start();
    options_.device = swtpm_->device();
  } else if (on_kernel()) {
    options_.device = "/dev/tpm0";
  } else {
    options_.device = "embedded12:" + folder_ / "embedded-state";
  }
  start_daemon();
}

Tpm12Bench::~Tpm12Bench() {
  CHECK(daemon_->stop() == 0);
}

void Tpm12Bench::start_daemon() {
  daemon_ = std::make_unique<DaemonProcess>(folder_, options_);
  daemon_->wait_until_listening();
  ::setenv("TBS_SOCKET", daemon_->socket().c_str(), 1);
}

void Tpm12Bench::take_ownership(LibraryClient& client) {
  if (on_kernel() && client->owned()) return;
  client->take_ownership();
}

void Tpm12Bench::restart_daemon(bool kill) {
  if (kill) {
    daemon_->program().signal(SIGKILL);
    daemon_->program().wait();
  } else {
    CHECK(daemon_->stop() == 0);
  }
  daemon_.reset();
  start_daemon();
}

}  // namespace tbs::test
