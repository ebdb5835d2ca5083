#pragma once

// A message of any type with made-up fields, for tests that go through the list of messages, and
// its fields written down as text, to compare two of them without the codec.

#include <algorithm>
#include <deque>
#include <random>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "proto/message_codec.h"
#include "proto/message_list.h"

namespace tbs::test {

// Fills the fields. What has no fixed size (texts, entries, bytes) takes what is left of `room`.
class FieldSampler {
 public:
  FieldSampler(std::mt19937& random, std::size_t room) : random_(random), room_(room) {}

  void operator()(std::uint16_t& value) { value = static_cast<std::uint16_t>(random_()); }
  void operator()(std::uint32_t& value) { value = static_cast<std::uint32_t>(random_()); }
  void operator()(std::uint64_t& value) { value = std::uint64_t{random_()} << 32 | random_(); }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum& value) {
    std::underlying_type_t<Enum> raw{};
    (*this)(raw);
    value = static_cast<Enum>(raw);
  }
  void operator()(std::string& text) {
    text.clear();
    while (text.size() < proto::kMaxText && room_ > 0) {
      text.push_back(static_cast<char>(random_()));
      --room_;
    }
  }
  // The bytes live as long as this object.
  void operator()(proto::Bytes& bytes) {
    proto::Buffer& owned = owned_.emplace_back(room_);
    std::ranges::generate(owned, [&] { return static_cast<std::uint8_t>(random_()); });
    bytes = owned;
    room_ = 0;
  }
  template <typename Entry>
  void operator()(std::vector<Entry>& entries) {
    const std::size_t fixed = fixed_size<Entry>();
    while (room_ >= fixed) {
      room_ -= fixed;
      entries.emplace_back().fields(*this);
    }
  }

  // Of the fields that have a size of their own, and the lengths of texts.
  template <typename Structure>
  static std::size_t fixed_size() {
    proto::Buffer encoded;
    proto::FieldEncoder encoder(encoded);
    Structure empty;
    empty.fields(encoder);
    return encoded.size();
  }

 private:
  std::mt19937& random_;
  std::size_t room_;
  std::deque<proto::Buffer> owned_;
};

// A payload of at most `size` bytes, and of exactly that where the fields allow it.
template <proto::ListedMessage Message>
proto::Buffer sample_payload(std::mt19937& random, std::size_t size) {
  FieldSampler sampler(random, size - std::min(size, FieldSampler::fixed_size<Message>()));
  Message message;
  message.fields(sampler);
  proto::Buffer payload;
  proto::FieldEncoder encoder(payload);
  message.fields(encoder);
  return payload;
}

class FieldWriter {
 public:
  void operator()(std::integral auto& value) { text_ << value << ' '; }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum& value) {
    text_ << static_cast<std::underlying_type_t<Enum>>(value) << ' ';
  }
  void operator()(std::string& text) { text_ << text.size() << ':' << text << ' '; }
  void operator()(proto::Bytes& bytes) {
    for (const unsigned byte : bytes) text_ << byte << ',';
  }
  template <typename Entry>
  void operator()(std::vector<Entry>& entries) {
    text_ << entries.size() << '[';
    for (Entry& entry : entries) entry.fields(*this);
    text_ << ']';
  }
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

template <typename Message>
std::string written_down(Message message) {
  FieldWriter writer;
  message.fields(writer);
  return writer.text();
}

class LastField {
 public:
  void operator()(auto&) { open_ = false; }
  void operator()(proto::Bytes&) { open_ = true; }
  template <typename Entry>
  void operator()(std::vector<Entry>&) {
    open_ = true;
  }
  [[nodiscard]] bool open() const { return open_; }

 private:
  bool open_ = false;
};

// Whether the last field runs to the end of the payload, so that one payload can be the beginning
// of another.
template <typename Message>
bool runs_to_the_end() {
  LastField last;
  Message message;
  message.fields(last);
  return last.open();
}

}  // namespace tbs::test
