#include "daemon/config/config_lines.h"

#include "tests/support/catch2.h"

using namespace tbs;

namespace {

constexpr const char* kFile =
    "# device=none\n"
    "\n"
    "device = embedded\r\n"
    "max-contexts=5\n"
    "; max=1\n"
    "  max = 9\n"
    "max-contexts=many";

std::size_t line_of(const char* message, const std::vector<std::string>& arguments = {}) {
  return find_config_line(kFile, message, arguments).number;
}

}  // namespace

TEST_CASE("the line of an error is the last that sets the option", "[config]") {
  CHECK(line_of("--max-contexts: Value many not in range") == 7);
  CHECK(line_of("INI was not able to parse device") == 3);
  CHECK(find_config_line(kFile, "no max here", {}).name == "max");
}

TEST_CASE("an option is found as a whole word only", "[config]") {
  CHECK(line_of("--max: wrong") == 6);
  CHECK(line_of("max-context") == 0);
  CHECK(line_of("devices") == 0);
  CHECK(line_of("my-device") == 0);
  CHECK(line_of("") == 0);
}

TEST_CASE("the command line overrides the file, so the file is not to blame", "[config]") {
  CHECK(line_of("--max-contexts: wrong", {"--max-contexts=0"}) == 0);
  CHECK(line_of("--max-contexts: wrong", {"--max-contexts", "0"}) == 0);
  CHECK(line_of("--max-contexts: wrong", {"--max-contexts-too=0"}) == 7);
}

TEST_CASE("a file without lines has none to blame", "[config]") {
  CHECK(find_config_line("", "device", {}).number == 0);
  CHECK(find_config_line("\n\n\n", "device", {}).number == 0);
  CHECK(find_config_line("=\n", "device", {}).number == 0);
}
