#include "client/tbsctl/top/top_screen.h"

#include "client/tbsctl/top/top_text.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/top/top_samples.h"

using namespace tbs::ctl;
using namespace tbs::test;

namespace {

using ActionKind = TopAction::Kind;
using KeyKind = TopKey::Kind;

// A state that shows the two samples, and keys for it.
struct Screen {
  Screen() { show(); }

  void show() {
    state.show(top_rows(samples.second, &samples.first, state.group(), state.filter(), users));
  }
  TopAction press(const TopKey& key) {
    const TopAction action = state.press(key, 5);
    show();
    return action;
  }
  TopAction press(char letter) { return press({.letter = letter}); }
  std::vector<std::string> draw(ScreenSize size) {
    std::vector<std::string> lines;
    for (const ScreenLine& line :
         draw_top(state, top_header(samples.second, &samples.first, users), size)) {
      lines.push_back(line.text);
    }
    return lines;
  }
  const std::string& chosen() { return state.rows().at(state.chosen()).name; }

  std::pair<TopSample, TopSample> samples = two_samples();
  UserNames users;
  TopState state{TopOrder::Time, TopGroup::Context};
};

}  // namespace

TEST_CASE_METHOD(Screen, "the rows on a screen", "[tbsctl][top][screen]") {
  const auto lines = draw({.width = 120, .height = 24});
  REQUIRE(lines.size() == 24);
  CHECK(lines[0].starts_with("TPM embedded (ready)"));
  CHECK(lines[4].starts_with(
      "CONTEXT  USER        PROGRAM  UNIT            TPM  CMD/S  QUEUED  BYTES  NOW"));
  CHECK(lines[5].starts_with("      1  root        prog1    web.service  50.0 %    5.0       0"));
  CHECK(lines[5].size() == 120);  // reversed over the whole width
  CHECK(lines[7].ends_with("waits 300 ms: context 1 has the TPM"));
  CHECK(lines[23].starts_with("h help  q quit  s sort: time  g by: context"));
}

TEST_CASE_METHOD(Screen, "a small screen has what matters most", "[tbsctl][top][screen]") {
  const auto lines = draw({.width = 40, .height = 10});
  REQUIRE(lines.size() == 10);
  for (const std::string& line : lines) CHECK(line.size() <= 40);
  CHECK(lines[1] == "Runs: CreatePrimary for 1.2 s, context 1");
  CHECK(lines[2] == "CONTEXT     TPM  NOW                    ");
  CHECK(lines[3] == "      1  50.0 %  CreatePrimary for 1.2 s");
  // However small it is, it is filled and no more.
  for (std::size_t height = 1; height < 12; ++height) {
    for (std::size_t width = 1; width < 60; width += 7) {
      const auto small = draw({.width = width, .height = height});
      CHECK(small.size() == height);
      for (const std::string& line : small) CHECK(line.size() <= width);
    }
  }
}

TEST_CASE_METHOD(Screen, "a row stays chosen when the order changes", "[tbsctl][top][screen]") {
  CHECK(chosen() == "1");
  press({.kind = KeyKind::Down});
  CHECK(chosen() == "2");
  press('r');
  CHECK(state.order() == TopOrder::Commands);
  CHECK(state.rows().front().name == "2");
  CHECK(chosen() == "2");
  CHECK(press('s').kind == ActionKind::None);
  CHECK(state.order() == TopOrder::Waiting);
  press({.kind = KeyKind::End});
  CHECK(chosen() == state.rows().back().name);
  press({.kind = KeyKind::PageUp});
  CHECK(state.chosen() == 0);
  press({.kind = KeyKind::Up});
  CHECK(state.chosen() == 0);
  // It goes: the one in its place is chosen.
  samples.second.contexts.pop_back();
  show();
  CHECK(chosen() == "1");
  samples.second.contexts.clear();
  show();
  CHECK(state.chosen() == 0);
  CHECK(press('c').kind == ActionKind::None);
  CHECK_FALSE(state.asking().has_value());
  press({.kind = KeyKind::Enter});
  CHECK_FALSE(state.open().has_value());
}

TEST_CASE_METHOD(Screen, "more rows than fit are seen by going down", "[tbsctl][top][screen]") {
  for (std::uint64_t number = 4; number < 40; ++number) {
    samples.second.contexts.push_back(top_context(number));
  }
  show();
  const ScreenSize size{.width = 40, .height = 10};
  CHECK(draw(size)[3].starts_with("      1"));
  press({.kind = KeyKind::End});
  CHECK(draw(size)[8].starts_with("     39"));
  CHECK(draw(size)[3].starts_with("     34"));
}

TEST_CASE_METHOD(Screen, "a cancel is asked for first", "[tbsctl][top][screen]") {
  press({.kind = KeyKind::Down});
  CHECK(press('c').kind == ActionKind::None);
  CHECK(draw({}).back() == "Cancel what context 2 has outstanding? y/n");
  SECTION("and done") {
    const auto action = press('y');
    CHECK(action.kind == ActionKind::Cancel);
    CHECK(action.context == 2);
    CHECK_FALSE(state.asking().has_value());
  }
  SECTION("or not") {
    // No other key does what it does else.
    const char letter = GENERATE('n', 'q', 'c', ' ');
    CHECK(press(letter).kind == ActionKind::None);
    CHECK(draw({}).back() == "nothing was cancelled");
    press({.kind = KeyKind::Down});
    CHECK(draw({}).back().starts_with("h help"));
  }
  SECTION("of the context that was chosen, though another is in its place now") {
    std::swap(samples.second.contexts[0].activity.tpm_us,
              samples.second.contexts[1].activity.tpm_us);
    show();
    CHECK(press('y').context == 2);
  }
}

TEST_CASE_METHOD(Screen, "users and units are opened before a context is",
                 "[tbsctl][top][screen]") {
  press('g');
  CHECK(state.group() == TopGroup::User);
  press('g');
  CHECK(state.group() == TopGroup::Unit);
  CHECK(chosen() == "web.service");
  CHECK(draw({})[4].starts_with("UNIT            TPM  CMD/S  QUEUED  BYTES  NOW"));
  press('c');
  CHECK_FALSE(state.asking().has_value());
  CHECK(draw({}).back().starts_with("a cancel is for one context"));
  press({.kind = KeyKind::Enter});
  CHECK(state.group() == TopGroup::Context);
  CHECK(state.rows().size() == 2);
  press({.kind = KeyKind::Enter});
  CHECK(state.open() == 1);
  press({.kind = KeyKind::Escape});
  CHECK_FALSE(state.open().has_value());
  CHECK(state.rows().size() == 2);
  press({.kind = KeyKind::Escape});
  CHECK(state.group() == TopGroup::Unit);
  CHECK(chosen() == "web.service");
  press('g');
  CHECK(state.group() == TopGroup::Context);
  CHECK(state.rows().size() == 3);
}

TEST_CASE_METHOD(Screen, "an open context is scrolled", "[tbsctl][top][screen]") {
  press({.kind = KeyKind::Enter});
  CHECK(state.open() == 1);
  std::vector<std::string> held;
  for (int line = 0; line < 20; ++line) held.push_back("line " + std::to_string(line));
  state.show_open(held);
  const ScreenSize size{.width = 40, .height = 9};  // room for 5
  CHECK(draw(size)[2].starts_with("Context 1 "));
  CHECK(draw(size)[3] == "line 0");
  press({.kind = KeyKind::PageDown});
  CHECK(draw(size)[3] == "line 5");
  press({.kind = KeyKind::Down});
  CHECK(draw(size)[3] == "line 6");
  press({.kind = KeyKind::End});
  CHECK(draw(size)[7] == "line 19");
  press({.kind = KeyKind::Down});
  CHECK(draw(size)[7] == "line 19");
  press({.kind = KeyKind::Home});
  CHECK(draw(size)[3] == "line 0");
  CHECK(press('c').kind == ActionKind::None);
  CHECK(state.asking() == 1);
  press('n');
  press({.kind = KeyKind::Enter});
  CHECK_FALSE(state.open().has_value());
}

TEST_CASE_METHOD(Screen, "help, and the end", "[tbsctl][top][screen]") {
  press(GENERATE('h', '?'));
  CHECK(state.help());
  CHECK(draw({})[0].starts_with("Keys"));
  CHECK(draw({}).back() == "any key goes back");
  SECTION("any key goes back") {
    CHECK(press('c').kind == ActionKind::None);
    CHECK_FALSE(state.help());
    CHECK_FALSE(state.asking().has_value());
    CHECK(press(' ').kind == ActionKind::Look);
    CHECK(press('x').kind == ActionKind::None);
  }
  CHECK(press('q').kind == ActionKind::Quit);
}
