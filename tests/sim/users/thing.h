#pragma once

// What a user has on the TPM, and what it has asked for.

#include <cstdint>
#include <memory>
#include <string>

#include "proto/byte_writer.h"
#include "tests/sim/world.h"

namespace tbs::sim {

// Something that it has on the TPM.
struct Thing {
  enum class Kind : std::uint8_t { Key, Sequence, Session };

  Kind kind = Kind::Key;
  std::uint32_t handle = 0;
  std::uint64_t id = 0;
  std::uint64_t value = 0;  // as the TPM must have it when all that was sent is done
  Time made = 0;
  unsigned waiting = 0;   // commands about it that are not answered
  bool doubtful = false;  // one was not answered with what came of it
  bool saved = false;
  bool gone = false;
  bool lost = false;  // another one has its handle
};
using SharedThing = std::shared_ptr<Thing>;

enum class Op : std::uint8_t {
  MakeKey,
  MakeSequence,
  MakeSession,
  Sign,
  ReadPublic,
  Update,
  Complete,
  Policy,
  PolicyDigest,
  Save,
  Load,
  Flush,
  Random,
  Extend,
  ReadPcr,
  ListOwn,
  ListSessions,
  DefineCounter,
  Increment,
  ReadCounter,
  UndefineCounter,
  Nonsense,
};

const char* name_of(Op op);
// Whether a response code says that the TPM has not got what a command is about.
bool names_unknown(std::uint32_t code);
// In hexadecimal.
std::string text_of(std::uint32_t number);

struct Waiting {
  Op op = Op::Random;
  SharedThing thing;
  std::uint64_t expected = 0;
  std::uint64_t tag = 0;
  proto::Buffer saved;
  Time sent = 0;
  bool canceled = false;
  bool high = false;
  std::uint64_t begun_before = 0;
  std::uint64_t put_off_before = 0;
};

}  // namespace tbs::sim
