#include "daemon/exec/saved_state.h"

#include "tests/support/catch2.h"

using tbs::exec::SavedState;
using tbs::proto::Buffer;

TEST_CASE("what changes is brought back only as it was when it was last used", "[exec]") {
  SavedState state(true);
  CHECK_FALSE(state.current());
  state.store({1});
  CHECK(state.current());
  CHECK(state.context() == Buffer{1});
  state.note_use();
  CHECK_FALSE(state.current());
  CHECK_FALSE(state.is_newest());
  CHECK(state.context().empty());
  state.store({2});
  CHECK(state.context() == Buffer{2});
  state.clear();
  CHECK_FALSE(state.current());
}

TEST_CASE("what does not change is saved once", "[exec]") {
  SavedState state(false);
  state.store({1});
  state.note_use();
  state.note_use();
  CHECK(state.is_newest());
  CHECK(state.context() == Buffer{1});
}

TEST_CASE("unless a command may change it all the same", "[exec]") {
  SavedState state(false);
  state.store({1});
  state.note_change();
  CHECK_FALSE(state.current());
  state.store({2});
  state.note_use();
  CHECK(state.context() == Buffer{2});
}
