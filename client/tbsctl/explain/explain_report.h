#pragma once

// What `tbsctl explain` prints, for people and as JSON.

#include <ostream>

#include <nlohmann/json_fwd.hpp>

#include "client/tbsctl/explain/code_readings.h"
#include "proto/byte_reader.h"
#include "proto/dissect/dissection.h"

namespace tbs::ctl {

void print_code(std::ostream& out, const CodeReading& reading);
nlohmann::ordered_json code_as_json(const CodeReading& reading);

// With `secrets` also the bytes that are masked otherwise.
void print_message(std::ostream& out, proto::Bytes bytes, const dissect::Dissection& message,
                   bool secrets);
nlohmann::ordered_json message_as_json(proto::Bytes bytes, const dissect::Dissection& message,
                                       bool secrets);

}  // namespace tbs::ctl
