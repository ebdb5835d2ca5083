// Commands and responses taken apart. The first four bytes are the command that a response belongs
// to; FF FF FF FF says that the rest is a command. Whatever the bytes are: the fields that are no
// group have them all, one after the other, groups hold their parts, and faults are inside.

#include "proto/dissect/dissect.h"

#include <cstdlib>
#include <optional>

#include "proto/tpm/structures.h"

using namespace tbs;
using dissect::Dissection;
using dissect::Field;

namespace {

[[maybe_unused]] const bool kSilent = (tpm::silence_marshalling(), true);

void require(bool condition) {
  if (!condition) std::abort();
}

void check_order(const Dissection& message, std::size_t size) {
  std::size_t next = 0;
  for (const Field& field : message.fields) {
    require(!field.name.empty());
    require(field.offset == next);
    if (field.kind == Field::Kind::Group) {
      require(field.size <= size - field.offset);
    } else {
      next += field.size;
      require(next <= size);
    }
    require(!field.secret || field.text.empty() || field.kind == Field::Kind::Bytes);
  }
  require(next == size);
}

// A group ends where its last part does.
void check_groups(const Dissection& message) {
  for (std::size_t i = 0; i < message.fields.size(); ++i) {
    const Field& group = message.fields[i];
    if (group.kind != Field::Kind::Group) continue;
    std::size_t end = group.offset;
    for (std::size_t j = i + 1; j < message.fields.size(); ++j) {
      const Field& part = message.fields[j];
      if (part.depth <= group.depth) break;
      if (part.kind != Field::Kind::Group) end += part.size;
    }
    require(end == group.offset + group.size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  proto::ByteReader reader(proto::Bytes(data, size));
  const std::uint32_t command = reader.be32();
  if (!reader.ok()) return 0;
  const proto::Bytes bytes = reader.rest();
  const Dissection message = command == UINT32_MAX ? dissect::dissect_command(bytes)
                                                   : dissect::dissect_response(bytes, command);
  check_order(message, bytes.size());
  check_groups(message);
  for (const dissect::Fault& fault : message.faults) {
    require(fault.offset <= bytes.size() && !fault.text.empty());
  }
  return 0;
}
