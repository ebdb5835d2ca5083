#pragma once

// What a client of the bridge sends, taken apart. A framing is given the bytes of one connection as
// they come and says what the client wants, one thing after the other; it does no I/O and knows no
// TPM. There is one for each kind of connection: the raw commands that swtpm's data channel carries
// as well, the two ports of Microsoft's simulator, and swtpm's control channel.
//
// What concerns the power, the state and the life of the TPM is answered as a TPM would that has
// just done it, and only what the program itself owns on the TPM goes: the TPM is shared. What
// cannot be pretended is refused.

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl::bridge {

// More bytes are needed.
struct Nothing {};
// A TPM command to run; its response goes through pack(). Valid until the next call.
struct Execute {
  proto::Bytes command;
  // Of the frame; nothing where the protocol sets the locality on another connection.
  bool has_locality = false;
  std::uint8_t locality = 0;
};
// To be answered at once.
struct Reply {
  proto::Buffer bytes;
};
// What the program of this connection has outstanding is to be cancelled.
struct Cancel {
  proto::Buffer answer;
};
// The program's commands have this locality from now on.
struct UseLocality {
  std::uint8_t locality = 0;
  proto::Buffer answer;
};
// The program switches its TPM off: what it owns there is to go.
struct PowerOff {
  proto::Buffer answer;
};
// The client says goodbye.
struct Leave {};
// The bytes make no sense, or ask for what a shared TPM cannot do. After `answer` the connection is
// to be closed.
struct Broken {
  std::string why;
  proto::Buffer answer;
};
using Wish = std::variant<Nothing, Execute, Reply, Cancel, UseLocality, PowerOff, Leave, Broken>;

class Framing {
 public:
  Framing() = default;
  Framing(const Framing&) = delete;
  Framing& operator=(const Framing&) = delete;
  virtual ~Framing() = default;

  void feed(proto::Bytes bytes);
  // What comes next; after Broken and Leave nothing may be asked any more. Feed it only when it has
  // answered Nothing: then it never holds more than what was fed last and one frame.
  Wish next();
  // The response to a command as the client expects it.
  [[nodiscard]] virtual proto::Buffer pack(proto::Bytes response) const = 0;

 protected:
  // Reads one frame. What it returns does not count when the reader ran out of bytes: then it is
  // called again with more. A length must be checked before that many bytes are asked for.
  virtual Wish parse(proto::ByteReader& reader) = 0;

 private:
  proto::Buffer pending_;
  std::size_t consumed_ = 0;
};

// A length in a frame that nothing may have.
Broken too_long(std::uint32_t length);

using MakeFraming = std::unique_ptr<Framing> (*)();
std::unique_ptr<Framing> raw_framing();
std::unique_ptr<Framing> mssim_command_framing();
std::unique_ptr<Framing> mssim_platform_framing();
std::unique_ptr<Framing> swtpm_control_framing();

}  // namespace tbs::ctl::bridge
