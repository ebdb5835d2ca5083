#include "client/tbsctl/top/top_keys.h"

#include "tests/support/catch2.h"

using namespace tbs::ctl;

namespace {

using Kind = TopKey::Kind;
using Keys = std::vector<TopKey>;

Keys keys_of(std::string_view bytes) {
  return TopKeyReader().read(bytes);
}

}  // namespace

TEST_CASE("keys of a terminal", "[tbsctl][top][keys]") {
  CHECK(keys_of("q?\r\n") == Keys{{.letter = 'q'}, {.letter = '?'}, {Kind::Enter}, {Kind::Enter}});
  CHECK(
      keys_of("\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[4~") ==
      Keys{{Kind::Up}, {Kind::Down}, {Kind::PageUp}, {Kind::PageDown}, {Kind::Home}, {Kind::End}});
  CHECK(keys_of("\x1b") == Keys{{Kind::Escape}});
  CHECK(keys_of("\x1b\x1b[A") == Keys{{Kind::Escape}, {Kind::Up}});
}

TEST_CASE("what is no key is passed over", "[tbsctl][top][keys]") {
  CHECK(keys_of("\x01\x7f\xc3\xa4") == Keys{});
  CHECK(keys_of("\x1b[1;5Cq\x1b[200~s") == Keys{{.letter = 'q'}, {.letter = 's'}});
  // One that does not end is given up.
  TopKeyReader reader;
  CHECK(reader.read("\x1b[" + std::string(13, '1')).empty());
  CHECK(reader.read("1q") == Keys{{.letter = 'q'}});
}

TEST_CASE("a sequence may come in pieces", "[tbsctl][top][keys]") {
  TopKeyReader reader;
  CHECK(reader.read("s\x1b[") == Keys{{.letter = 's'}});
  CHECK(reader.read("5").empty());
  CHECK(reader.read("~q") == Keys{{Kind::PageUp}, {.letter = 'q'}});
}
