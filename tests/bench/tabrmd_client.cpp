#include "tests/bench/tabrmd_client.h"

#include <array>
#include <cstdio>
#include <dlfcn.h>
#include <stdexcept>

namespace tbs::bench {
namespace {

// GLib's logging calls, as declared in glib/gmessages.h.
using LogHandler = void (*)(const char* domain, int level, const char* message, void* data);
using SetLogHandler = LogHandler (*)(LogHandler handler, void* data);

// What the module has to say comes back as a code; that the daemon is not there yet is no news.
void silence_glib() {
  void* const glib = ::dlopen("libglib-2.0.so.0", RTLD_NOW | RTLD_NOLOAD);
  if (glib == nullptr) return;
  const auto set = reinterpret_cast<SetLogHandler>(::dlsym(glib, "g_log_set_default_handler"));
  if (set != nullptr) set([](const char*, int, const char*, void*) {}, nullptr);
}

TSS2_TCTI_INIT_FUNC find_init() {
  void* const module = ::dlopen("libtss2-tcti-tabrmd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return nullptr;
  silence_glib();
  return reinterpret_cast<TSS2_TCTI_INIT_FUNC>(::dlsym(module, "Tss2_Tcti_Tabrmd_Init"));
}

TSS2_TCTI_INIT_FUNC init_function() {
  static const TSS2_TCTI_INIT_FUNC found = find_init();
  return found;
}

void check(TSS2_RC code, const char* what) {
  if (code == TSS2_RC_SUCCESS) return;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "tpm2-abrmd: %s: 0x%X", what, code);
  throw std::runtime_error(text.data());
}

}  // namespace

bool have_tabrmd() {
  return init_function() != nullptr;
}

TabrmdClient::TabrmdClient(const std::string& bus_name) {
  const std::string configuration = "bus_type=session,bus_name=" + bus_name;
  std::size_t size = 0;
  check(init_function()(nullptr, &size, configuration.c_str()), "size of the context");
  memory_.resize(size / sizeof(std::max_align_t) + 1);
  check(init_function()(context(), &size, configuration.c_str()), "connect");
}

TabrmdClient::~TabrmdClient() {
  Tss2_Tcti_Finalize(context());
}

proto::Bytes TabrmdClient::run(proto::Bytes command) {
  check(Tss2_Tcti_Transmit(context(), command.size(), command.data()), "transmit");
  std::size_t size = room_.size();
  check(Tss2_Tcti_Receive(context(), &size, room_.data(), TSS2_TCTI_TIMEOUT_BLOCK), "receive");
  return proto::Bytes(room_).first(size);
}

int TabrmdClient::socket() {
  TSS2_TCTI_POLL_HANDLE handle{};
  std::size_t count = 1;
  check(Tss2_Tcti_GetPollHandles(context(), &handle, &count), "socket");
  return handle.fd;
}

OpenClient tabrmd_clients(const std::string& bus_name) {
  return [bus_name] { return std::make_unique<TabrmdClient>(bus_name); };
}

}  // namespace tbs::bench
