#include <algorithm>
#include <array>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <link.h>
#include <system_error>

#include <unistd.h>

#include "client/tbsctl/doctor/tcti_check.h"
#include "client/tbsctl/text/input_file.h"

namespace tbs::ctl {
namespace {

struct KnownConsumer {
  std::string_view name;
  const char* variable;
  TctiFallback fallback;
};

constexpr std::array kKnownConsumers = {
    KnownConsumer{"tpm2-tools", "TPM2TOOLS_TCTI", TctiFallback::Loader},
    KnownConsumer{"tpm2-openssl", "TPM2OPENSSL_TCTI", TctiFallback::Loader},
    KnownConsumer{"tpm2-tss-engine", "TPM2TSSENGINE_TCTI", TctiFallback::Loader},
    KnownConsumer{"tpm2-pkcs11", "TPM2_PKCS11_TCTI", TctiFallback::Loader},
    KnownConsumer{"systemd", "SYSTEMD_TPM2_DEVICE", TctiFallback::Kernel},
};

constexpr const char* kFapiVariable = "TSS2_FAPICONF";
constexpr const char* kFapiFile = "/etc/tpm2-tss/fapi-config.json";
constexpr std::size_t kLargestConfiguration = 65536;

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

// The loader of the system is asked, as tpm2-tss asks it.
std::string target_of(const std::string& name) {
  void* const module = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (module == nullptr) return {};
  std::string target = name;
  link_map* map = nullptr;
  if (::dlinfo(module, RTLD_DI_LINKMAP, static_cast<void*>(&map)) == 0 && map != nullptr) {
    std::error_code error;
    const auto path = std::filesystem::canonical(map->l_name, error);
    if (!error) target = path.filename();
  }
  ::dlclose(module);
  return target;
}

void add_fapi(TctiFacts& facts) {
  const auto named = variable(kFapiVariable);
  facts.fapi_path = named.value_or(kFapiFile);
  // Without its configuration FAPI is not used here.
  if (!named && ::access(kFapiFile, F_OK) != 0) return;
  TctiConsumer consumer{.name = "FAPI", .variable = facts.fapi_path, .value = {}};
  const auto text = read_input_file(facts.fapi_path, kLargestConfiguration);
  if (!text) {
    facts.fapi_problem = text.error().message;
    return;
  }
  auto tcti = tcti_of_fapi({text->begin(), text->end()});
  if (!tcti) {
    facts.fapi_problem = tcti.error();
    return;
  }
  consumer.value = *std::move(tcti);
  facts.consumers.push_back(std::move(consumer));
}

void add_module(TctiFacts& facts, const std::string& name) {
  if (std::ranges::find(facts.modules, name, &TctiModule::name) != facts.modules.end()) return;
  facts.modules.push_back({name, target_of(name)});
}

bool opens(const char* path) {
  return ::access(path, R_OK | W_OK) == 0;
}

}  // namespace

TctiFacts tcti_facts() {
  TctiFacts facts;
  for (const KnownConsumer& known : kKnownConsumers) {
    facts.consumers.push_back(
        {std::string(known.name), known.variable, variable(known.variable), known.fallback});
  }
  add_fapi(facts);
  for (const char* const name : {"libtss2-tcti-default.so", "libtss2-tcti-tabrmd.so.0",
                                 "libtss2-tcti-device.so.0", "libtss2-tcti-tbs.so.0"}) {
    add_module(facts, name);
  }
  for (const TctiConsumer& consumer : facts.consumers) {
    if (!consumer.value) continue;
    for (const std::string& name : tcti_files(tcti_name(*consumer.value))) add_module(facts, name);
  }
  facts.opens_tpmrm0 = opens("/dev/tpmrm0");
  facts.opens_tpm0 = opens("/dev/tpm0");
  return facts;
}

}  // namespace tbs::ctl
