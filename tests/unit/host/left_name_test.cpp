#include "daemon/host/left_name.h"

#include "tests/support/catch2.h"

using tbs::host::LeftName;
using tbs::host::parse_left_name;
using Kind = LeftName::Kind;

TEST_CASE("names of what is left are read as they are written", "[host][store]") {
  const auto [text, name] = GENERATE(table<std::string, LeftName>({
      {"record", {}},
      {"record@alice", {.tenant = "alice"}},
      {"tpm-node", {.kind = Kind::Tpm, .part = "node"}},
      {"tpm-data-2@b_c-9", {.kind = Kind::Tpm, .part = "data-2", .tenant = "b_c-9"}},
      {"client-0", {.kind = Kind::Client}},
      {"client-18446744073709551615", {.kind = Kind::Client, .number = UINT64_MAX}},
      {"client-7@alice", {.kind = Kind::Client, .number = 7, .tenant = "alice"}},
  }));
  CHECK(parse_left_name(text) == name);
  CHECK(to_string(name) == text);
}

TEST_CASE("other names are none of what is left", "[host][store]") {
  const auto* const text = GENERATE(
      "", "@", "everybody", "stored", "record@", "record@@", "record@-x", "record@a@b", "records",
      "tpm-", "tpm-@alice", "tpm-Node", "tpm-a b", "tpm-abcdefghijklmnopqrstuvwxyz0123456789",
      "client-", "client-x", "client-01", "client--1", "client-+1", "client-1 ", "client-0x1",
      "client-18446744073709551616", "client-1@a/b");
  INFO(text);
  CHECK_FALSE(parse_left_name(text));
}
