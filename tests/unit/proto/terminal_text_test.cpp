#include "proto/terminal_text.h"

#include "tests/support/catch2.h"

using tbs::proto::terminal_text;

TEST_CASE("text that can be read stays", "[proto][terminal]") {
  for (const char* const text :
       {"", "plain text", "Schl\xc3\xbcssel", "\xe9\x8d\xb5", "\xf0\x9f\x94\x91", "\xc2\xa0"}) {
    CHECK(terminal_text(text) == text);
  }
}

TEST_CASE("what steers a terminal goes", "[proto][terminal]") {
  CHECK(terminal_text("a\x1b[31mb\nc\rd\x7f") == "a?[31mb?c?d?");
  CHECK(terminal_text("\xc2\x9b"
                      "31m") == "?31m");  // the control sequence introducer
  CHECK(terminal_text("a\xe2\x80\xae"
                      "b") == "a?b");                        // from right to left
  CHECK(terminal_text("\xe2\x80\xa8\xe2\x81\xa6") == "??");  // a line separator, an isolate
  CHECK(terminal_text(std::string_view("\0", 1)) == "?");
}

TEST_CASE("bytes that are no UTF-8 go, one by one", "[proto][terminal]") {
  CHECK(terminal_text("\xff\x80") == "??");
  CHECK(terminal_text("\xc3") == "?");
  CHECK(terminal_text("\xc3(") == "?(");
  CHECK(terminal_text("\xc0\x9b") == "??");            // an overlong form
  CHECK(terminal_text("\xe0\x82\x9b") == "???");       // another
  CHECK(terminal_text("\xed\xa0\x80") == "???");       // half a surrogate pair
  CHECK(terminal_text("\xf4\x90\x80\x80") == "????");  // beyond the last character
}
