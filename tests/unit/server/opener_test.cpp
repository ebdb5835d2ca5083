// For whom a service says that a connection is.

#include "proto/opener.h"

#include "daemon/server/process_status.h"
#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("who is named is read as it was written", "[server][opener]") {
  const proto::Opener opener{.uid = 1000, .gid = 100, .pid = 4321};
  const proto::Buffer bytes = proto::opener_bytes(opener);
  CHECK(bytes == proto::Buffer{'T', 'B', 'S', 'N', 1, 0, 0,    0,    0xE8, 3,
                               0,   0,   100, 0,   0, 0, 0xE1, 0x10, 0,    0});
  CHECK(bytes.size() == proto::kOpenerSize);
  CHECK(proto::read_opener(bytes) == opener);
}

TEST_CASE("what names nobody is refused", "[server][opener]") {
  const proto::Buffer good = proto::opener_bytes({.uid = 1, .gid = 2, .pid = 3});
  const auto changed = [&](std::size_t at, std::uint8_t value, std::size_t count = 1) {
    proto::Buffer bytes = good;
    for (std::size_t i = at; i < at + count; ++i) bytes[i] = value;
    return proto::read_opener(bytes);
  };
  CHECK(changed(8, 7));
  CHECK_FALSE(changed(0, 'X'));
  CHECK_FALSE(changed(4, 2));
  CHECK_FALSE(changed(8, 0xFF, 4));
  CHECK_FALSE(changed(12, 0xFF, 4));
  CHECK_FALSE(changed(19, 0x80));
  CHECK_FALSE(proto::read_opener(proto::Bytes(good).first(19)));
  proto::Buffer longer = good;
  longer.push_back(0);
  CHECK_FALSE(proto::read_opener(longer));
}

TEST_CASE("a thread's process, user and groups are found among the lines of its status",
          "[server][opener]") {
  constexpr std::string_view kText =
      "Name:\tUid:\t7\nUmask:\t0022\nTgid:\t40\nNgid:\t0\nPid:\t42\nUid:\t1\t2\t3\t4\nGid:"
      "\t9\t9\t9\t9\n"
      "FDSize:\t64\nGroups:\t24 25 1000 \nNStgid:\t40\n";
  const auto status = server::process_status(kText);
  REQUIRE(status);
  CHECK(status->process == 40);
  CHECK(status->file_user == 4);
  CHECK(status->groups == std::vector<gid_t>{24, 25, 1000});
  // A number that is cut off could be another one.
  const auto cut = server::process_status(kText.substr(0, kText.find("1000") + 3));
  REQUIRE(cut);
  CHECK(cut->groups == std::vector<gid_t>{24, 25});
  CHECK_FALSE(server::process_status(kText.substr(0, kText.find("Gid:\t9") - 4)));
  CHECK_FALSE(server::process_status(""));
  CHECK_FALSE(server::process_status("Tgid:\t0\nUid:\t1\t1\t1\t1\n"));
  CHECK_FALSE(server::process_status("Tgid:\t99999999999\nUid:\t1\t1\t1\t1\n"));
}
