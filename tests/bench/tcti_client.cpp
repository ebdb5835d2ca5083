#include "tests/bench/tcti_client.h"

#include <cstdio>
#include <dlfcn.h>
#include <stdexcept>
#include <utility>

namespace tbs::bench {

TctiClient::TctiClient(TSS2_TCTI_INIT_FUNC init, const std::string& configuration, std::string what)
    : what_(std::move(what)) {
  std::size_t size = 0;
  check(init(nullptr, &size, configuration.c_str()), "size of the context");
  memory_.resize(size / sizeof(std::max_align_t) + 1);
  check(init(context(), &size, configuration.c_str()), "connect");
}

TctiClient::~TctiClient() {
  Tss2_Tcti_Finalize(context());
}

proto::Bytes TctiClient::run(proto::Bytes command) {
  check(Tss2_Tcti_Transmit(context(), command.size(), command.data()), "transmit");
  std::size_t size = room_.size();
  check(Tss2_Tcti_Receive(context(), &size, room_.data(), TSS2_TCTI_TIMEOUT_BLOCK), "receive");
  return proto::Bytes(room_).first(size);
}

void TctiClient::check(TSS2_RC code, const char* doing) const {
  if (code == TSS2_RC_SUCCESS) return;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), ": %s: 0x%X", doing, code);
  throw std::runtime_error(what_ + text.data());
}

TSS2_TCTI_INIT_FUNC load_tcti(const std::string& path) {
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) throw std::runtime_error("no TCTI module: " + std::string(::dlerror()));
  const auto info = reinterpret_cast<TSS2_TCTI_INFO_FUNC>(::dlsym(module, TSS2_TCTI_INFO_SYMBOL));
  if (info == nullptr) throw std::runtime_error(path + " is no TCTI module");
  return info()->init;
}

}  // namespace tbs::bench
