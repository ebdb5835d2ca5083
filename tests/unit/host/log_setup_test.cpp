#include "daemon/host/log_setup.h"

#include "tests/support/catch2.h"

using tbs::host::harmless_lines;

TEST_CASE("a log keeps its lines and nothing that steers a terminal", "[host]") {
  CHECK(harmless_lines("") == "");
  CHECK(harmless_lines("one\ntwo\n") == "one\ntwo\n");
  CHECK(harmless_lines("a\x1b[2J\r\n\x9b"
                       "b\xc2\x9b\x7f") == "a?[2J?\n?b??");
}
