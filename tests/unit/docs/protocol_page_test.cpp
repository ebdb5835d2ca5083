// Keeps docs/protocol.md true: its tables and its byte dump are compared with proto/.

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "proto/message_codec.h"
#include "proto/message_list.h"
#include "tests/support/catch2.h"

using namespace tbs::proto;

namespace {

std::vector<std::string> page_lines() {
  std::ifstream file(TBS_DOCS_DIR "/protocol.md");
  REQUIRE(file.is_open());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The lines below a heading, up to the next heading of any level.
std::vector<std::string> section(const std::string& heading) {
  const auto lines = page_lines();
  const auto begin = std::ranges::find(lines, heading);
  INFO(heading);
  REQUIRE(begin != lines.end());
  const auto end =
      std::find_if(begin + 1, lines.end(), [](const auto& line) { return line.starts_with('#'); });
  return {begin + 1, end};
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" `");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" `") - begin + 1);
}

using Row = std::vector<std::string>;

// The rows of the tables in a section, without their headings.
std::vector<Row> rows_of(const std::vector<std::string>& lines) {
  std::vector<Row> rows;
  for (const std::string& line : lines) {
    if (!line.starts_with('|')) continue;
    if (line.starts_with("|---")) {
      rows.pop_back();
      continue;
    }
    Row row;
    std::istringstream cells(line.substr(1));
    for (std::string cell; std::getline(cells, cell, '|');) row.push_back(trimmed(cell));
    rows.push_back(row);
  }
  return rows;
}

template <typename Structure>
void fields_are_described(std::string_view name);

// Writes down the types of a structure's fields in the words of the page.
class TypeLister {
 public:
  std::vector<std::string> types;

  void operator()(std::uint16_t&) { types.emplace_back("u16"); }
  void operator()(std::uint32_t&) { types.emplace_back("u32"); }
  void operator()(std::uint64_t&) { types.emplace_back("u64"); }
  void operator()(Bytes&) { types.emplace_back("bytes"); }
  void operator()(std::string&) { types.emplace_back("text"); }
  // The structure of the entries has a section of its own.
  template <typename Entry>
  void operator()(std::vector<Entry>&) {
    types.emplace_back("entries");
    fields_are_described<Entry>(Entry::kName);
  }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum&) {
    std::underlying_type_t<Enum> raw{};
    (*this)(raw);
  }
};

template <typename Structure>
void fields_are_described(std::string_view name) {
  INFO(name);
  Structure structure;
  TypeLister lister;
  structure.fields(lister);
  std::vector<std::string> described;
  for (const Row& row : rows_of(section("### `" + std::string(name) + "`"))) {
    described.push_back(row.at(1));
  }
  CHECK(described == lister.types);
}

std::string hex_number(std::uint16_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << std::uppercase;
  text.width(4);
  text.fill('0');
  text << value;
  return text.str();
}

// The bytes of each fenced block: what stands before the first three blanks of a line.
std::vector<Buffer> dumped_frames() {
  std::vector<Buffer> frames;
  bool inside = false;
  for (const std::string& line : section("## Example")) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) frames.emplace_back();
    } else if (inside) {
      std::istringstream bytes(line.substr(0, line.find("   ")));
      bytes >> std::hex;
      for (unsigned byte = 0; bytes >> byte;) {
        frames.back().push_back(static_cast<std::uint8_t>(byte));
      }
    }
  }
  return frames;
}

template <typename Message>
Buffer frame_of(std::uint64_t id, Message message) {
  Buffer frame;
  append_frame(frame, id, message);
  return frame;
}

}  // namespace

TEST_CASE("the page's table of messages is the one in the code", "[docs][proto]") {
  std::map<Type, std::string> replies;
  for_each_request([&]<typename Request, typename Reply>(const MessageRule& rule) {
    replies[rule.type] = rule_of(number_of(Reply::kType))->name;
  });
  std::vector<Row> expected;
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    expected.push_back({std::string(rule.name), hex_number(number_of(rule.type)),
                        rule.direction == Direction::ToDaemon ? "to daemon" : "to client",
                        std::to_string(rule.min_payload), std::to_string(rule.max_payload),
                        replies[rule.type]});
  });
  CHECK(rows_of(section("## Messages")) == expected);
}

TEST_CASE("the page describes the fields of every message", "[docs][proto]") {
  for_each_message(
      []<typename Message>(const MessageRule& rule) { fields_are_described<Message>(rule.name); });
}

TEST_CASE("the page's limits are those of the code", "[docs][proto]") {
  std::vector<std::string> stated;
  for (const Row& row : rows_of(section("## Limits"))) {
    stated.push_back(row.at(1).substr(0, row.at(1).find_first_not_of("0123456789")));
  }
  CHECK(stated == std::vector<std::string>{
                      std::to_string(kProtocolVersion), std::to_string(kFrameHeaderSize),
                      std::to_string(kMaxTpmMessage), std::to_string(kWindow),
                      std::to_string(kMaxPendingOutput), std::to_string(kMaxContextsPerPage),
                      std::to_string(kMaxLogPart), std::to_string(kMaxText)});
}

TEST_CASE("the page's example is what the code sends", "[docs][proto]") {
  const Buffer command = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 4};
  const Buffer response = {0x80, 0x01, 0, 0, 0, 16, 0, 0, 0, 0, 0, 4, 0x5b, 0x0e, 0x93, 0xd1};
  const Buffer token = {0x3b, 0x60, 0x7e, 0x11, 0xc4, 0x9d, 0x02, 0x58,
                        0xa7, 0xe3, 0x4f, 0x90, 0x1c, 0x6d, 0x8a, 0xf5};
  const auto frames = dumped_frames();
  REQUIRE(frames.size() == 4);
  CHECK(frames[0] == frame_of(1, Hello{}));
  CHECK(frames[1] ==
        frame_of(1, HelloReply{
                        .context = 7, .max_command = 4096, .max_response = 4096, .token = token}));
  CHECK(frames[2] == frame_of(2, Submit{.priority = 200, .command = command}));
  CHECK(frames[3] == frame_of(2, Result{.response = response}));
}
