#include "daemon/restart/journal.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

#include "tests/support/catch2.h"
#include "tests/unit/restart/journal_texts.h"

using namespace tbs;
using namespace tbs::restart;
using test::append;
using test::JournalTexts;
using test::texts_of;

namespace {

constexpr std::uint32_t kFormat = 7;
const JournalHeading kHeading{.format = kFormat, .build = "1.2-3", .tpm = "/dev/tpm0"};

// Memory that ends where it ends: under ASan no byte behind it can be read.
class Memory {
 public:
  explicit Memory(std::size_t size) : bytes_(new std::uint8_t[size]()), size_(size) {}
  explicit Memory(proto::Bytes content) : Memory(content.size()) {
    std::ranges::copy(content, bytes_.get());
  }
  [[nodiscard]] std::span<std::uint8_t> span() const { return {bytes_.get(), size_}; }

  template <typename Value>
  void set(std::size_t offset, Value value) const {
    std::memcpy(bytes_.get() + offset, &value, sizeof(value));
  }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_;
};

Journal begin(const Memory& memory, const JournalHeading& heading = kHeading) {
  auto journal = Journal::begin(memory.span(), heading);
  REQUIRE(journal);
  return *std::move(journal);
}

JournalTexts read(const Memory& memory) {
  const auto contents = read_journal(memory.span(), kFormat);
  if (!contents) FAIL(contents.error().reason);
  return texts_of(contents->entries);
}

JournalFault fault(const Memory& memory, std::uint32_t newest_format = kFormat) {
  const auto contents = read_journal(memory.span(), newest_format);
  REQUIRE_FALSE(contents);
  CHECK_FALSE(contents.error().reason.empty());
  return contents.error().fault;
}

// Begun, with one entry of eight bytes behind the heading.
constexpr std::size_t kSmall = 256;
constexpr std::size_t kHeadingSize = sizeof(EntryHead) + padded(sizeof(HeadingHead) + 5 + 9);
constexpr std::size_t kEntry = kHalvesStart + kHeadingSize;
constexpr std::size_t kCommitted = offsetof(JournalHeader, committed);

Memory small_journal() {
  Memory memory(kSmall);
  Journal journal = begin(memory);
  append(journal, 3, "12345678");
  REQUIRE(journal.commit());
  REQUIRE(journal.used() == kHeadingSize + 16);
  return memory;
}

}  // namespace

TEST_CASE("what was committed is read, and nothing that was only appended", "[restart][journal]") {
  const Memory memory(4096);
  Journal journal = begin(memory);
  CHECK(read(memory).empty());
  append(journal, 1, "one");
  append(journal, 2, "");
  CHECK(read(memory).empty());
  REQUIRE(journal.commit());
  append(journal, 3, "lost");
  CHECK(read(memory) == JournalTexts{{1, "one"}, {2, ""}});
  REQUIRE(journal.commit());
  CHECK(read(memory) == JournalTexts{{1, "one"}, {2, ""}, {3, "lost"}});
}

TEST_CASE("an entry may come in parts", "[restart][journal]") {
  const Memory memory(4096);
  Journal journal = begin(memory);
  const std::string head = "head";
  const std::string body = "and body";
  journal.append(5, {test::bytes_of(head), {}, test::bytes_of(body)});
  REQUIRE(journal.commit());
  CHECK(read(memory) == JournalTexts{{5, "headand body"}});
}

TEST_CASE("a journal says who wrote it about which TPM", "[restart][journal]") {
  const Memory memory(4096);
  begin(memory);
  const auto contents = read_journal(memory.span(), kFormat);
  REQUIRE(contents);
  CHECK(contents->heading.format == kFormat);
  CHECK(contents->heading.build == "1.2-3");
  CHECK(contents->heading.tpm == "/dev/tpm0");
}

TEST_CASE("a compaction counts from its commit on", "[restart][journal]") {
  const Memory memory(4096);
  Journal journal = begin(memory);
  append(journal, 1, "old");
  REQUIRE(journal.commit());
  const JournalTexts before = read(memory);

  append(journal, 1, "forgotten");
  journal.compact();
  append(journal, 9, "new");
  CHECK(read(memory) == before);
  REQUIRE(journal.commit());
  CHECK(read(memory) == JournalTexts{{9, "new"}});

  append(journal, 10, "newer");
  REQUIRE(journal.commit());
  CHECK(read(memory) == JournalTexts{{9, "new"}, {10, "newer"}});
  journal.compact();
  REQUIRE(journal.commit());
  CHECK(read(memory).empty());
}

TEST_CASE("a compaction may be begun again", "[restart][journal]") {
  const Memory memory(4096);
  Journal journal = begin(memory);
  append(journal, 1, "old");
  REQUIRE(journal.commit());
  journal.compact();
  append(journal, 2, "first try");
  journal.compact();
  CHECK(read(memory) == JournalTexts{{1, "old"}});
  append(journal, 3, "second");
  REQUIRE(journal.commit());
  CHECK(read(memory) == JournalTexts{{3, "second"}});
}

TEST_CASE("the half that nobody needs may be wiped", "[restart][journal]") {
  const Memory memory(4096);
  Journal journal = begin(memory);
  for (unsigned round = 1; round < 5; ++round) {
    append(journal, round, "kept");
    journal.compact();
    CHECK(journal.unused().empty());
    append(journal, round, "kept");
    REQUIRE(journal.commit());
    CHECK(journal.unused().size() == journal.capacity());
    std::ranges::fill(journal.unused(), std::uint8_t{0xff});
    CHECK(read(memory) == JournalTexts{{round, "kept"}});
  }
}

TEST_CASE("a successor goes on behind what it has read", "[restart][journal]") {
  const Memory memory(4096);
  {
    Journal first = begin(memory);
    first.compact();
    append(first, 1, "one");
    REQUIRE(first.commit());
    append(first, 2, "never committed, and longer than what comes in its place");
  }
  const auto contents = read_journal(memory.span(), kFormat);
  REQUIRE(contents);
  Journal second = Journal::resume(memory.span(), contents->position,
                                   {.format = kFormat, .build = "1.3-1", .tpm = "/dev/tpm0"});
  append(second, 3, "three");
  REQUIRE(second.commit());
  CHECK(read(memory) == JournalTexts{{1, "one"}, {3, "three"}});
  CHECK(read_journal(memory.span(), kFormat)->heading.build == "1.2-3");

  second.compact();
  append(second, 4, "four");
  CHECK(read(memory) == JournalTexts{{1, "one"}, {3, "three"}});
  REQUIRE(second.commit());
  CHECK(read(memory) == JournalTexts{{4, "four"}});
  CHECK(read_journal(memory.span(), kFormat)->heading.build == "1.3-1");
}

TEST_CASE("a journal that was full is given up, until a compaction has room",
          "[restart][journal]") {
  const Memory memory(1024);
  Journal journal = begin(memory);
  const std::string large(300, 'x');
  append(journal, 1, large);
  REQUIRE(journal.commit());
  append(journal, 2, large);
  CHECK(journal.full());
  append(journal, 3, "this would have room, and would be misleading");
  CHECK(read(memory) == JournalTexts{{1, large}});

  SECTION("compacted before the commit, nothing is lost") {
    journal.compact();
    append(journal, 4, large);
    REQUIRE(journal.commit());
    CHECK(read(memory) == JournalTexts{{4, large}});
  }
  SECTION("committed, it counts no more") {
    CHECK_FALSE(journal.commit());
    CHECK(fault(memory) == JournalFault::GivenUp);
    append(journal, 4, "");
    CHECK_FALSE(journal.commit());
    CHECK(fault(memory) == JournalFault::GivenUp);

    journal.compact();
    append(journal, 5, "");
    CHECK(fault(memory) == JournalFault::GivenUp);
    REQUIRE(journal.commit());
    CHECK(read(memory) == JournalTexts{{5, ""}});
  }
  SECTION("what is live may be too much for a half") {
    journal.compact();
    append(journal, 4, large);
    append(journal, 5, large);
    CHECK(read(memory) == JournalTexts{{1, large}});
    CHECK_FALSE(journal.commit());
    CHECK(fault(memory) == JournalFault::GivenUp);
    CHECK(journal.unused().empty());
  }
}

TEST_CASE("the last byte of a half can be used", "[restart][journal]") {
  const auto extra = GENERATE(std::size_t{0}, std::size_t{1});
  const Memory memory(1024);
  Journal journal = begin(memory);
  const std::size_t room = journal.capacity() - journal.used() - sizeof(EntryHead);
  append(journal, 1, std::string(room + extra, 'x'));
  CHECK(journal.commit() == (extra == 0));
}

TEST_CASE("memory that cannot hold a journal is refused", "[restart][journal]") {
  const Memory memory(256);
  CHECK_FALSE(Journal::begin({}, kHeading));
  CHECK_FALSE(Journal::begin(memory.span().first(kHalvesStart - 1), kHeading));
  CHECK_FALSE(Journal::begin(memory.span().first(kHalvesStart + 2 * kHeadingSize - 1), kHeading));
  CHECK_FALSE(Journal::begin(memory.span().subspan(1), kHeading));
  CHECK(fault(memory) == JournalFault::Empty);
  CHECK(Journal::begin(memory.span().first(kHalvesStart + 2 * kHeadingSize), kHeading));
}

TEST_CASE("a journal of a newer tbsd is not read", "[restart][journal]") {
  const Memory memory = small_journal();
  CHECK(fault(memory, kFormat - 1) == JournalFault::Newer);
  CHECK(read_journal(memory.span(), kFormat + 1));
  memory.set(offsetof(JournalHeader, layout), kJournalLayout + 1);
  CHECK(fault(memory) == JournalFault::Newer);
}

TEST_CASE("a damaged journal is not read", "[restart][journal]") {
  const Memory memory = small_journal();
  const auto length = static_cast<std::uint64_t>(kHeadingSize + 16);
  SECTION("magic number") {
    memory.set(0, std::uint64_t{1});
  }
  SECTION("layout") {
    memory.set(offsetof(JournalHeader, layout), 0U);
  }
  SECTION("reserved") {
    memory.set(offsetof(JournalHeader, reserved), 1U);
  }
  SECTION("size") {
    memory.set(offsetof(JournalHeader, size), std::uint64_t{kSmall} + 8);
  }
  SECTION("unknown flag") {
    memory.set(kCommitted, length | 4);
  }
  SECTION("longer than a half") {
    memory.set(kCommitted, std::uint64_t{half_size(kSmall)} + 8);
  }
  SECTION("longer than all") {
    memory.set(kCommitted, kLengthMask);
  }
  SECTION("no heading") {
    memory.set(kCommitted, std::uint64_t{0});
  }
  SECTION("half a heading") {
    memory.set(kCommitted, std::uint64_t{8});
  }
  SECTION("the other half") {
    memory.set(kCommitted, length | kHalfBit);
  }
  SECTION("ends within an entry") {
    memory.set(kCommitted, length - 8);
  }
  SECTION("goes on behind its entries") {
    memory.set(kCommitted, length + 8);
  }
  SECTION("heading of another kind") {
    memory.set(kHalvesStart + 4, std::uint16_t{1});
  }
  SECTION("heading too short") {
    memory.set(kHalvesStart, 7U);
  }
  SECTION("name longer than the heading") {
    memory.set(kHalvesStart + 12, 15U);
  }
  SECTION("name of any length") {
    memory.set(kHalvesStart + 12, ~0U);
  }
  SECTION("a second heading") {
    memory.set(kEntry + 4, kHeadingKind);
  }
  SECTION("entry too long") {
    memory.set(kEntry, 9U);
  }
  SECTION("entry of any length") {
    memory.set(kEntry, ~0U);
  }
  SECTION("entry too short") {
    memory.set(kEntry, 0U);
  }
  SECTION("padding") {
    memory.set(kEntry, 7U);
  }
  SECTION("reserved in an entry") {
    memory.set(kEntry + 6, std::uint16_t{1});
  }
  CHECK(fault(memory) == JournalFault::Broken);
}

TEST_CASE("no end is read over", "[restart][journal]") {
  const Memory whole = small_journal();
  for (std::size_t size = 0; size < kSmall; ++size) {
    const Memory cut(whole.span().first(size));
    CHECK(fault(cut) == JournalFault::Broken);
    // As if it had been made so small.
    if (size >= sizeof(JournalHeader)) cut.set(offsetof(JournalHeader, size), std::uint64_t{size});
    (void)read_journal(cut.span(), kFormat);
  }
}

TEST_CASE("garbage is never more than an error", "[restart][journal]") {
  std::mt19937 random(1);
  unsigned accepted = 0;
  for (unsigned round = 0; round < 20000; ++round) {
    const Memory memory(small_journal().span());
    for (unsigned changes = random() % 4 + 1; changes > 0; --changes) {
      memory.set(random() % kSmall, static_cast<std::uint8_t>(random()));
    }
    if (read_journal(memory.span(), kFormat)) ++accepted;
  }
  // A change of a payload, or of what does not count, is none that a reader could see.
  CHECK(accepted > 0);
  CHECK(accepted < 20000);
}
