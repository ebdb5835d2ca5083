#pragma once

// Somebody who sends TPM commands one after another and waits for each response, by whatever path.
// A client is used by one thread at a time.

#include <functional>
#include <memory>

#include "proto/byte_reader.h"

namespace tbs::bench {

class Client {
 public:
  virtual ~Client() = default;
  // The response is valid until the next call. Throws when the path is broken; an error of the TPM
  // is a response like any other.
  virtual proto::Bytes run(proto::Bytes command) = 0;
};

using OpenClient = std::function<std::unique_ptr<Client>()>;

}  // namespace tbs::bench
