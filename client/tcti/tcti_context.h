#pragma once

// A TCTI context in a caller's memory, for each of the modules: they differ in names and in the
// configuration that they understand.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <tss2/tss2_tcti.h>

#include "client/tcti/tcti_config.h"

namespace tbs::tcti {

// Of the functions in a context.
inline constexpr std::uint32_t kContextVersion = 2;

using ReadConfig = std::expected<Config, std::string> (*)(std::string_view);

// What the Init function of a module does: tells the size of a context, or makes one and connects
// it. `configuration` may be null.
TSS2_RC init_context(TSS2_TCTI_CONTEXT* context, std::size_t* size, const char* configuration,
                     ReadConfig read) noexcept;

}  // namespace tbs::tcti
