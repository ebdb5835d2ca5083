#include "tests/bench/many_contexts.h"

#include <sys/resource.h>

#include "tests/bench/signing_key.h"

namespace tbs::bench {

void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

ManyContexts::ManyContexts(const std::string& socket, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) clients_.push_back(std::make_unique<TbsClient>(socket));
}

void ManyContexts::load_keys() const {
  if (clients_.empty()) return;
  TbsClient& first = *clients_.front();
  const SigningKey key = create_key(first, 0);
  const proto::Buffer saved = save(first, key.handle);
  flush(first, key.handle);
  for (const auto& client : clients_) {
    for (unsigned i = 0; i < kKeysOfEach; ++i) load(*client, saved);
  }
}

}  // namespace tbs::bench
