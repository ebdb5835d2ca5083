#include "client/tbsctl/text/input_file.h"

#include <unistd.h>

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/scratch_folder.h"

using namespace tbs::ctl;
using tbs::test::ScratchFolder;

namespace {

std::string why_not(const std::string& path, std::size_t most = 100) {
  const auto content = read_input_file(path, most);
  REQUIRE_FALSE(content.has_value());
  CHECK(content.error().exit == Exit::Failed);
  CHECK(content.error().message.starts_with("cannot read " + path + ": "));
  return content.error().message.substr(("cannot read " + path + ": ").size());
}

}  // namespace

TEST_CASE("a file is read as a whole", "[tbsctl][input_file]") {
  const ScratchFolder folder;
  const auto content = read_input_file(folder.file("a", std::string(100'000, 'x')), 100'000);
  REQUIRE(content.has_value());
  CHECK(content->size() == 100'000);
  CHECK(read_input_file(folder.file("empty", ""), 10)->empty());
}

TEST_CASE("why a file cannot be read", "[tbsctl][input_file]") {
  const ScratchFolder folder;
  CHECK(why_not(folder.path()) == "it is a folder");
  CHECK(why_not(folder.path() + "/missing") == "No such file or directory");
  CHECK(why_not(folder.file("a", "abc") + "/b") == "it is no folder");
  CHECK(why_not(folder.file("long", std::string(101, 'x'))) == "it has more than 100 bytes");
  CHECK(why_not("/dev/zero") == "it has more than 100 bytes");
  if (::geteuid() != 0) {
    const std::string secret = folder.file("secret", "abc");
    std::filesystem::permissions(secret, std::filesystem::perms::none);
    CHECK(why_not(secret) == "Permission denied");
  }
}

TEST_CASE("why a folder cannot be read", "[tbsctl][input_file]") {
  const ScratchFolder folder;
  CHECK(check_folder(folder.path()).has_value());
  CHECK(check_folder(folder.path() + "/missing")
            .error()
            .message.ends_with("/missing: No such file or directory"));
  CHECK(check_folder(folder.file("a", "")).error().message.ends_with("/a: it is no folder"));
}
