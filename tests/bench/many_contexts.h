#pragma once

// Contexts that are there and do nothing, each with keys of its own if wanted.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/tbs_client.h"

namespace tbs::bench {

// Each context takes a descriptor here and one in the daemon, which inherits the limit.
void allow_many_descriptors();

class ManyContexts {
 public:
  static constexpr unsigned kKeysOfEach = 3;

  ManyContexts(const std::string& socket, std::size_t count);

  // Gives each of them its keys. They are one key that is loaded again and again, because to make
  // one takes a TPM longer: for the daemon each is an object with a saved state of its own.
  void load_keys() const;
  [[nodiscard]] std::size_t count() const { return clients_.size(); }

 private:
  std::vector<std::unique_ptr<TbsClient>> clients_;
};

}  // namespace tbs::bench
