#include "tests/bench/tabrmd_client.h"

#include <dlfcn.h>

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

}  // namespace

bool have_tabrmd() {
  return init_function() != nullptr;
}

TabrmdClient::TabrmdClient(const std::string& bus_name)
    : TctiClient(init_function(), "bus_type=session,bus_name=" + bus_name, "tpm2-abrmd") {}

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
