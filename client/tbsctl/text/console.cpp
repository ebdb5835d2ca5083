#include "client/tbsctl/text/console.h"

#include <nlohmann/json.hpp>

namespace tbs::ctl {

void print_json(std::ostream& out, const nlohmann::ordered_json& document) {
  out << document.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) << '\n';
}

void print_json_line(std::ostream& out, const nlohmann::ordered_json& document) {
  out << document.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << '\n';
}

}  // namespace tbs::ctl
