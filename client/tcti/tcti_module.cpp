// The two functions that libtss2-tcti-tbs exports.

#include <tss2/tss2_tcti.h>

#include "client/tcti/tcti_config.h"
#include "client/tcti/tcti_context.h"
#include "client/tcti/tss2_tcti_tbs.h"

namespace {

constexpr TSS2_TCTI_INFO kInfo = {
    .version = tbs::tcti::kContextVersion,
    .name = "tbs",
    .description = "TCTI module for tbsd, the TPM Base Services",
    .config_help =
        "Nothing for the usual socket, the path of another, or "
        "socket=PATH,priority=low|normal|high|NUMBER",
    .init = Tss2_Tcti_Tbs_Init,
};

}  // namespace

extern "C" {

[[gnu::visibility("default")]] TSS2_RC Tss2_Tcti_Tbs_Init(TSS2_TCTI_CONTEXT* tctiContext,
                                                          std::size_t* size, const char* conf) {
  return tbs::tcti::init_context(tctiContext, size, conf, tbs::tcti::parse_config);
}

[[gnu::visibility("default")]] const TSS2_TCTI_INFO* Tss2_Tcti_Info(void) {
  return &kInfo;
}
}
