// The journal between any two instructions of its writer.

#include <algorithm>
#include <atomic>

#include "daemon/restart/journal.h"
#include "daemon/restart/state_memory.h"
#include "tests/support/catch2.h"
#include "tests/unit/restart/journal_texts.h"
#include "tests/unit/restart/stepped_process.h"

using namespace tbs;
using namespace tbs::restart;
using test::JournalTexts;

namespace {

constexpr unsigned kCommits = 30;
constexpr std::uint32_t kFormat = 1;

// What the writer appends for its commit with this number; a compaction has all that still counts.
struct Change {
  bool compacts = false;
  JournalTexts entries;
};

using Script = std::vector<Change>;

Script make_script() {
  Script script;
  for (unsigned number = 0; number < kCommits; ++number) {
    Change change{.compacts = number % 7 == 5, .entries = {}};
    for (unsigned i = 0; i < number % 3 + 1; ++i) {
      change.entries.emplace_back(number + 1,
                                  std::string((number * 5 + i * 3) % 20, 'a' + char(i)));
    }
    script.push_back(change);
  }
  return script;
}

// After no commit, one, two, ...
std::vector<JournalTexts> states_of(const Script& script) {
  std::vector<JournalTexts> states{{}};
  for (const Change& change : script) {
    JournalTexts next = change.compacts ? JournalTexts{} : states.back();
    next.insert(next.end(), change.entries.begin(), change.entries.end());
    states.push_back(next);
  }
  return states;
}

// What the writer says about itself, beside the journal.
struct Progress {
  std::atomic<bool> exists;
  std::atomic<unsigned> begun;  // commits
  std::atomic<unsigned> done;
};

void write(const Script& script, std::span<std::uint8_t> memory, Progress& progress) {
  auto journal = Journal::begin(memory, {.format = kFormat, .build = "build", .tpm = "tpm"});
  if (!journal) std::abort();
  progress.exists = true;
  for (const Change& change : script) {
    if (change.compacts) journal->compact();
    for (const auto& [kind, text] : change.entries) test::append(*journal, kind, text);
    ++progress.begun;
    if (!journal->commit()) std::abort();
    ++progress.done;
  }
}

// How many commits the journal has; nothing when it does not exist yet.
std::optional<std::size_t> state_in(proto::Bytes memory, const std::vector<JournalTexts>& states,
                                    const Progress& progress) {
  const auto contents = read_journal(memory, kFormat);
  if (!contents && contents.error().fault == JournalFault::Empty) {
    REQUIRE_FALSE(progress.exists);
    return {};
  }
  if (!contents) FAIL(contents.error().reason);
  const JournalTexts texts = test::texts_of(contents->entries);
  for (std::size_t number = progress.done; number <= progress.begun; ++number) {
    if (states[number] == texts) return number;
  }
  FAIL("after " << progress.done << " of " << progress.begun << " commits another state is read");
  return {};
}

}  // namespace

TEST_CASE("a journal is right between any two instructions", "[restart][journal][steps]") {
  auto memory = StateMemory::create("tbsd-test", 8192);
  REQUIRE(memory);
  auto& progress = *new (memory->bytes().data()) Progress{};
  const auto bytes = memory->bytes().subspan(4096, 1024);
  const Script script = make_script();
  const auto states = states_of(script);

  test::SteppedProcess writer([] {}, [&] { write(script, bytes, progress); });
  if (!writer.can_step()) {
    WARN("skipped: no debugging here");
    return;
  }
  unsigned steps = 0;
  std::optional<std::size_t> last;
  do {
    const auto now = state_in(bytes, states, progress);
    if (now < last) FAIL("step " << steps << " goes back");
    last = now;
    ++steps;
  } while (writer.step());
  CHECK(writer.succeeded());
  CHECK(last == kCommits);
  CHECK(steps > 1000);
}
