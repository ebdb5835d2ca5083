#pragma once

// What a reader of metrics is answered. The connection ends with it.

#include <string>
#include <string_view>

#include "daemon/metrics/http_request.h"

namespace tbs::metrics {

// Of a request that is fine.
std::string page_response(const HttpRequest& request, std::string_view page);
// Of any other one: in words what would be right.
std::string error_response(const HttpRequest& request);

}  // namespace tbs::metrics
