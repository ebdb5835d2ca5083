// The two functions that libtss2-tcti-tabrmd exports: a module for tbsd by the name under which
// programs load or link that of tpm2-abrmd.

#include <tss2/tss2_tcti.h>

#include "client/tcti/tabrmd/tabrmd_config.h"
#include "client/tcti/tabrmd/tss2/tss2-tcti-tabrmd.h"
#include "client/tcti/tcti_context.h"

namespace {

constexpr TSS2_TCTI_INFO kInfo = {
    .version = tbs::tcti::kContextVersion,
    .name = "tcti-abrmd",
    .description = "TCTI module for tbsd, in place of that for tpm2-abrmd",
    .config_help =
        "Nothing for the usual socket, or socket=PATH,priority=low|normal|high|NUMBER; bus_name "
        "and bus_type are read and not used",
    .init = Tss2_Tcti_Tabrmd_Init,
};

}  // namespace

extern "C" {

[[gnu::visibility("default")]] TSS2_RC Tss2_Tcti_Tabrmd_Init(TSS2_TCTI_CONTEXT* context,
                                                             std::size_t* size, const char* conf) {
  return tbs::tcti::init_context(context, size, conf, tbs::tcti::parse_tabrmd_config);
}

[[gnu::visibility("default")]] const TSS2_TCTI_INFO* Tss2_Tcti_Info(void) {
  return &kInfo;
}
}
