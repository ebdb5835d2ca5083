#pragma once

// One TPM command of a client, on its way from the frame that brought it to the TPM. It is made
// once, where the frame is decoded, and never changes; everybody on the way shares it and looks at
// what was read from its bytes then.

#include <cstdint>
#include <memory>
#include <optional>

#include "daemon/base/family.h"
#include "daemon/base/ids.h"
#include "daemon/command/requester.h"
#include "daemon/command/required.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm_header.h"

namespace tbs {

class ClientCommand;
using SharedCommand = std::shared_ptr<const ClientCommand>;

// What a client asks for.
struct Submission {
  Required<std::shared_ptr<const Requester>> requester;
  Required<ContextId> context;
  Required<RequestId> request;
  Required<std::uint32_t> priority;  // capped to what the requester may use
  Required<std::uint8_t> locality;
  Required<Family> family;  // of the TPM that the command is for
  Required<proto::Buffer> bytes;
};

class ClientCommand {
  // Only read() makes commands.
  struct Key {};

 public:
  // Nothing when the bytes are no TPM command: a header whose size is not theirs.
  static SharedCommand read(Submission submission);
  ClientCommand(Key, Submission submission, const proto::TpmHeader& header);
  ~ClientCommand();
  ClientCommand(const ClientCommand&) = delete;
  ClientCommand& operator=(const ClientCommand&) = delete;

  [[nodiscard]] const Requester& requester() const { return **submission_.requester; }
  [[nodiscard]] const std::shared_ptr<const Requester>& shared_requester() const {
    return *submission_.requester;
  }
  [[nodiscard]] ContextId context() const { return submission_.context; }
  [[nodiscard]] RequestId request() const { return submission_.request; }
  [[nodiscard]] std::uint32_t priority() const { return submission_.priority; }
  [[nodiscard]] std::uint8_t locality() const { return submission_.locality; }
  [[nodiscard]] Family family() const { return submission_.family; }
  [[nodiscard]] proto::Bytes bytes() const { return *submission_.bytes; }

  [[nodiscard]] const proto::TpmHeader& header() const { return header_; }
  [[nodiscard]] std::uint32_t code() const { return header_.code; }
  // Whether it brings an authorization, by its tag.
  [[nodiscard]] bool has_authorization() const;

  // The command inside a TPM 1.2 transport session (TPM_ExecuteTransport). What stands there may be
  // anything.
  [[nodiscard]] std::optional<proto::Bytes> embedded() const { return embedded_; }
  // The code of the command inside, where there is one (0 when that has no header), else its own.
  [[nodiscard]] std::uint32_t effective_code() const { return effective_code_; }

 private:
  Submission submission_;
  proto::TpmHeader header_;
  std::optional<proto::Bytes> embedded_;  // in the submission's bytes
  std::uint32_t effective_code_;
};

}  // namespace tbs
