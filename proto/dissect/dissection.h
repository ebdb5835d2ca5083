#pragma once

// A TPM command or response taken apart: a list of its fields, in the order of its bytes. A field
// knows where its bytes are and what they mean, but has no copy of them: what is secret is never in
// the list, and who shows or keeps the bytes leaves those out.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tbs::dissect {

struct Field {
  enum class Kind : std::uint8_t {
    Number,
    Bytes,
    Size,   // of what follows, or how many there are
    Group,  // the deeper fields behind it are its parts
  };

  Kind kind = Kind::Number;
  bool secret = false;  // an authorization value, plain data, a key, or nobody knows what it is
  std::uint8_t depth = 0;
  std::size_t offset = 0;
  std::size_t size = 0;
  std::string name;       // as the specification has it: "sessionHandle"
  std::string_view type;  // "TPMI_ALG_HASH"; empty for those without a name
  std::string text;       // what the value means; empty where it says no more than its bytes
};

// What is wrong with the bytes.
struct Fault {
  std::size_t offset = 0;
  std::string text;
};

struct Dissection {
  enum class Family : std::uint8_t { Tpm12, Tpm20 };
  enum class Direction : std::uint8_t { Command, Response };

  Family family = Family::Tpm20;
  Direction direction = Direction::Command;
  std::uint32_t code = 0;  // of the command or of the response
  std::string command;     // "TPM2_GetRandom"; empty when it is not known
  // Those that are no group have, one after the other, all bytes of the message.
  std::vector<Field> fields;
  // In the order in which they were found. Behind the first one that is about the inside of the
  // message, its bytes are left as they are.
  std::vector<Fault> faults;
};

}  // namespace tbs::dissect
