// What tbsctl reads from people, files and responses: hexadecimal text, numbers, keys, response
// codes and their names. A text that is read must be written back to the same bytes; every response
// code has a description that fits on one line.

#include <cstdlib>
#include <string_view>

#include <tss2/tss2_tpm2_types.h>

#include "client/tbsctl/explain/code_readings.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/top/top_keys.h"

using namespace tbs;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_line(const std::string& text) {
  return !text.empty() && ctl::printable(text) == text;
}

void explain(const std::string& text) {
  const auto codes = ctl::read_code(text);
  if (!codes) return require(is_line(codes.error()));
  for (const ctl::FamilyCode& code : *codes) {
    const ctl::CodeReading reading = ctl::explain_code(code, TPM2_CC_Create);
    require(is_line(reading.name) && is_line(reading.layer) && is_line(reading.text));
  }
}

// In one piece, and byte for byte.
void read_keys(std::string_view text) {
  require(ctl::TopKeyReader().read(text).size() <= text.size());
  ctl::TopKeyReader reader;
  for (std::size_t i = 0; i < text.size(); ++i)
    require(reader.read(text.substr(i, 1)).size() <= 16);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const proto::Bytes bytes(data, size);
  const std::string text(bytes.begin(), bytes.end());
  explain(text);
  read_keys(text);
  const auto read = ctl::parse_hex(text);
  if (read) {
    require(ctl::parse_hex(ctl::to_hex(*read)) == *read);
    require(read->size() * 2 <= text.size());
  } else {
    require(is_line(read.error()));
  }
  require(ctl::parse_hex(ctl::to_hex(bytes)) == proto::Buffer(bytes.begin(), bytes.end()));
  const auto priority = ctl::parse_priority(text);
  if (priority) require(ctl::parse_priority(ctl::priority_text(*priority)) == priority);
  proto::ByteReader reader(bytes);
  const proto::TpmHeader header{.tag = reader.be16(), .size = 10, .code = reader.be32()};
  require(is_line(ctl::rc_line(header.code, ctl::describe_response(header))));
  return 0;
}
