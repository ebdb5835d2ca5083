#pragma once

// Through tbsd, with the interface for C++, tbs.hpp.

#include <array>
#include <string>
#include <tbs.hpp>

#include "tests/bench/client.h"

namespace tbs::bench {

class CppClient : public Client {
 public:
  explicit CppClient(const std::string& socket);
  proto::Bytes run(proto::Bytes command) override;

 private:
  context tpm_;
  std::array<std::uint8_t, 4096> room_{};
};

}  // namespace tbs::bench
