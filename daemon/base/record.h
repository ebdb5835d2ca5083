#pragma once

// State as bytes and back, for what outlives the process. A structure lists what it consists of in
// one member function, and the writer and the reader both walk that list:
//
//   template <typename Record>
//   void fields(Record& record) { record(first, second); }
//
// The reader believes nothing: it fails for good, with the first reason, when the bytes end too
// early or make no sense, and what it has read then is of no use. Integers are little-endian;
// texts, bytes and lists have their length in front. A part begins with its name and the version of
// its format.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs {

// Four letters, and which form of it.
struct RecordPart {
  std::string_view name;
  std::uint16_t version;
};

class RecordWriter {
 public:
  static constexpr bool kReads = false;

  // Appends to `out`, which must outlive the writer.
  explicit RecordWriter(proto::Buffer& out) : out_(out), writer_(out) {}

  void part(const RecordPart& part) {
    text(part.name);
    writer_.le16(part.version);
  }

  template <typename... Values>
  void operator()(const Values&... values) {
    if constexpr (sizeof...(Values) > 1 && (kIsNumber<Values> && ...)) {
      // All at once: a vector checks its room at each call.
      const std::size_t size = out_.size();
      out_.resize(size + (sizeof(Values) + ...));
      std::uint8_t* to = out_.data() + size;
      ((to = little(values, to)), ...);
    } else {
      (put(values), ...);
    }
  }
  // An enumeration, of which this is the last enumerator.
  template <typename Enum>
  void choice(const Enum& value, Enum) {
    put(value);
  }
  void bytes(proto::Bytes raw) {
    put(static_cast<std::uint32_t>(raw.size()));
    writer_.bytes(raw);
  }
  // What another writer has written.
  void written(proto::Bytes raw) { writer_.bytes(raw); }
  void text(std::string_view words) {
    put(static_cast<std::uint32_t>(words.size()));
    out_.insert(out_.end(), words.begin(), words.end());
  }
  void count(std::size_t items) { put(static_cast<std::uint32_t>(items)); }

 private:
  template <typename Value>
  static constexpr bool kIsNumber = std::integral<Value> || std::is_enum_v<Value>;

  template <typename Value>
  static std::uint8_t* little(Value value, std::uint8_t* to) {
    const auto number = static_cast<std::uint64_t>(value);
    for (unsigned i = 0; i < sizeof(Value); ++i) *to++ = static_cast<std::uint8_t>(number >> 8 * i);
    return to;
  }

  void put(bool value) { writer_.u8(value ? 1 : 0); }
  template <std::integral Number>
  void put(Number value) {
    if constexpr (sizeof(Number) == 1) writer_.u8(static_cast<std::uint8_t>(value));
    if constexpr (sizeof(Number) == 2) writer_.le16(static_cast<std::uint16_t>(value));
    if constexpr (sizeof(Number) == 4) writer_.le32(static_cast<std::uint32_t>(value));
    if constexpr (sizeof(Number) == 8) writer_.le64(static_cast<std::uint64_t>(value));
  }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void put(Enum value) {
    put(static_cast<std::underlying_type_t<Enum>>(value));
  }
  template <typename Rep, typename Period>
  void put(std::chrono::duration<Rep, Period> value) {
    put(value.count());
  }
  template <typename Clock, typename Duration>
  void put(std::chrono::time_point<Clock, Duration> value) {
    put(value.time_since_epoch());
  }
  void put(const std::string& words) { text(words); }
  void put(const proto::Buffer& raw) { bytes(raw); }
  template <typename Value>
  void put(const std::optional<Value>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <typename Item>
  void put(const std::vector<Item>& items) {
    count(items.size());
    for (const Item& item : items) put(item);
  }
  template <typename Key, typename Value>
  void put(const std::map<Key, Value>& entries) {
    count(entries.size());
    for (const auto& [key, value] : entries) (*this)(key, value);
  }
  // One list of fields serves both ways; here it is only looked at.
  template <typename Structure>
    requires std::is_class_v<Structure>
  void put(const Structure& structure) {
    const_cast<Structure&>(structure).fields(*this);
  }

  proto::Buffer& out_;
  proto::ByteWriter writer_;
};

class RecordReader {
 public:
  static constexpr bool kReads = true;

  explicit RecordReader(proto::Bytes bytes) : reader_(bytes) {}

  [[nodiscard]] bool ok() const { return reason_.empty(); }
  // What is wrong; empty when nothing is.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] std::size_t remaining() const { return reader_.remaining(); }
  // Nothing must be left.
  void end() { require(reader_.remaining() == 0, "there is more than belongs to it"); }

  void fail(std::string reason) {
    if (ok()) reason_ = std::move(reason);
    reader_.rest();
  }
  void require(bool condition, const char* reason) {
    if (!condition) fail(reason);
  }

  // Which form of the part it is: this one or an older. Fails for a newer one.
  std::uint16_t part(const RecordPart& part);

  template <typename... Values>
  void operator()(Values&... values) {
    (get(values), ...);
  }
  template <typename Enum>
  void choice(Enum& value, Enum last) {
    std::underlying_type_t<Enum> number{};
    get(number);
    require(number <= static_cast<std::underlying_type_t<Enum>>(last), "a choice is unknown");
    if (ok()) value = static_cast<Enum>(number);
  }
  proto::Bytes bytes() {
    std::uint32_t size = 0;
    get(size);
    const proto::Bytes raw = reader_.take(size);
    check();
    return raw;
  }
  proto::Bytes rest() { return reader_.rest(); }
  // Of a list. No item takes less than a byte, so there are never more of them than bytes.
  std::size_t count() {
    std::uint32_t items = 0;
    get(items);
    require(items <= reader_.remaining(), "a list is longer than its record");
    return ok() ? items : 0;
  }

 private:
  void check() {
    if (!reader_.ok()) fail("the record ends too early");
  }
  void get(bool& value) {
    std::uint8_t number = 0;
    get(number);
    require(number <= 1, "a flag is neither set nor clear");
    value = number == 1;
  }
  template <std::integral Number>
  void get(Number& value) {
    if constexpr (sizeof(Number) == 1) value = static_cast<Number>(reader_.u8());
    if constexpr (sizeof(Number) == 2) value = static_cast<Number>(reader_.le16());
    if constexpr (sizeof(Number) == 4) value = static_cast<Number>(reader_.le32());
    if constexpr (sizeof(Number) == 8) value = static_cast<Number>(reader_.le64());
    check();
  }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void get(Enum& value) {
    std::underlying_type_t<Enum> number{};
    get(number);
    value = static_cast<Enum>(number);
  }
  template <typename Rep, typename Period>
  void get(std::chrono::duration<Rep, Period>& value) {
    Rep ticks{};
    get(ticks);
    value = std::chrono::duration<Rep, Period>(ticks);
  }
  template <typename Clock, typename Duration>
  void get(std::chrono::time_point<Clock, Duration>& value) {
    Duration since{};
    get(since);
    value = std::chrono::time_point<Clock, Duration>(since);
  }
  void get(std::string& words) {
    const proto::Bytes raw = bytes();
    words.assign(raw.begin(), raw.end());
  }
  void get(proto::Buffer& raw) {
    const proto::Bytes found = bytes();
    raw.assign(found.begin(), found.end());
  }
  template <typename Value>
  void get(std::optional<Value>& value) {
    bool there = false;
    get(there);
    value.reset();
    if (!there) return;
    // Not emplace(): clang refuses it for a structure of a class that it is still reading.
    Value found{};
    get(found);
    value = std::move(found);
  }
  template <typename Item>
  void get(std::vector<Item>& items) {
    items.clear();
    for (std::size_t left = count(); left != 0 && ok(); --left) get(items.emplace_back());
  }
  template <typename Key, typename Value>
  void get(std::map<Key, Value>& entries) {
    entries.clear();
    for (std::size_t left = count(); left != 0 && ok(); --left) {
      Key key{};
      get(key);
      require(entries.empty() || entries.rbegin()->first < key, "entries are not in their order");
      get(entries[key]);
    }
  }
  template <typename Structure>
    requires std::is_class_v<Structure>
  void get(Structure& structure) {
    structure.fields(*this);
  }

  proto::ByteReader reader_;
  std::string reason_;
};

}  // namespace tbs
