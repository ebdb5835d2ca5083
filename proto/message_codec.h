#pragma once

// Turns the `fields()` of a message structure into its wire form and back. There is one encoder and
// one decoder for all messages; a message is data.
//
// Texts are a 16-bit length and that many bytes, cut to kMaxText when encoded. A list of entries
// runs to the end of the payload. Decoding fails unless exactly the whole payload is used.

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/frame.h"
#include "proto/message_list.h"

namespace tbs::proto {

class FieldEncoder {
 public:
  explicit FieldEncoder(Buffer& out) : writer_(out) {}

  void operator()(std::uint16_t value) { writer_.le16(value); }
  void operator()(std::uint32_t value) { writer_.le32(value); }
  void operator()(std::uint64_t value) { writer_.le64(value); }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum value) {
    (*this)(static_cast<std::underlying_type_t<Enum>>(value));
  }
  void operator()(Bytes rest) { writer_.bytes(rest); }
  void operator()(const std::string& text) {
    const std::size_t length = std::min(text.size(), kMaxText);
    writer_.le16(static_cast<std::uint16_t>(length));
    for (std::size_t i = 0; i < length; ++i) writer_.u8(static_cast<std::uint8_t>(text[i]));
  }
  template <typename Entry>
  void operator()(std::vector<Entry>& entries) {
    for (Entry& entry : entries) entry.fields(*this);
  }

 private:
  ByteWriter writer_;
};

class FieldDecoder {
 public:
  explicit FieldDecoder(Bytes payload) : reader_(payload) {}

  [[nodiscard]] bool complete() const { return valid_ && reader_.at_end(); }

  void operator()(std::uint16_t& value) { value = reader_.le16(); }
  void operator()(std::uint32_t& value) { value = reader_.le32(); }
  void operator()(std::uint64_t& value) { value = reader_.le64(); }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum& value) {
    std::underlying_type_t<Enum> raw{};
    (*this)(raw);
    value = static_cast<Enum>(raw);
  }
  void operator()(Bytes& rest) { rest = reader_.rest(); }
  void operator()(std::string& text) {
    const std::size_t length = reader_.le16();
    if (length > kMaxText) valid_ = false;
    const Bytes raw = reader_.take(length);
    text.assign(raw.begin(), raw.end());
  }
  template <typename Entry>
  void operator()(std::vector<Entry>& entries) {
    while (valid_ && reader_.ok() && reader_.remaining() > 0) {
      entries.emplace_back().fields(*this);
    }
  }

 private:
  ByteReader reader_;
  bool valid_ = true;
};

// Appends one whole frame to `out`.
template <ListedMessage Message>
void append_frame(Buffer& out, std::uint64_t request_id, Message message) {
  const std::size_t start = begin_frame(out, Message::kType, request_id);
  FieldEncoder encoder(out);
  message.fields(encoder);
  end_frame(out, start);
}

// The message in a payload, or nothing when the payload is not exactly one such message. Byte
// fields of the result point into `payload`.
template <ListedMessage Message>
std::optional<Message> decode(Bytes payload) {
  Message message;
  FieldDecoder decoder(payload);
  message.fields(decoder);
  if (!decoder.complete()) return std::nullopt;
  return message;
}

}  // namespace tbs::proto
