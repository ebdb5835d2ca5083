#pragma once

// Through tbsd, with libtbs.

#include <array>
#include <string>
#include <tbsx.h>

#include "tests/bench/client.h"

namespace tbs::bench {

// Throws with the code's name when the result is not TBS_SUCCESS.
void check(TBS_RESULT result, const char* what);

// A context of its own on the daemon at this socket. Can be cancelled from another thread.
class TbsClient : public Client {
 public:
  explicit TbsClient(const std::string& socket);
  ~TbsClient() override;
  TbsClient(const TbsClient&) = delete;
  TbsClient& operator=(const TbsClient&) = delete;

  proto::Bytes run(proto::Bytes command) override;
  // The same without throwing; the response is in response().
  TBS_RESULT submit(proto::Bytes command);
  [[nodiscard]] proto::Bytes response() const { return proto::Bytes(room_).first(size_); }
  void cancel();

 private:
  TBS_HCONTEXT context_ = nullptr;
  std::array<std::uint8_t, 4096> room_{};
  UINT32 size_ = 0;
};

OpenClient tbs_clients(const std::string& socket);

}  // namespace tbs::bench
