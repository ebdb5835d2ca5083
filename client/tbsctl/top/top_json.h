#pragma once

#include <nlohmann/json_fwd.hpp>

#include "client/tbsctl/text/user_names.h"
#include "client/tbsctl/top/top_rows.h"

namespace tbs::ctl {

// A page of `top` for programs. `before` may be null.
nlohmann::ordered_json top_json(const TopSample& sample, const TopSample* before, TopOrder order,
                                UserNames& users);

}  // namespace tbs::ctl
