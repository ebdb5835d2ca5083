#pragma once

// Who reads the metrics: connections of HTTP, one request each. They are few, each has little time,
// and pages are made at a bounded rate, so that readers delay no client however they behave.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "daemon/base/clock.h"
#include "daemon/metrics/exposition.h"
#include "daemon/server/listener.h"

namespace tbs::metrics {

inline constexpr std::size_t kMostReaders = 16;
// For a request, its answer and all.
inline constexpr std::chrono::seconds kReaderTime{5};
// From one page to the next: a page takes less than a millisecond of the loop.
inline constexpr std::chrono::milliseconds kPagePause{10};

class MetricsServer {
 public:
  // The page as it is now.
  using MakePage = std::function<std::string(Format)>;

  MetricsServer(boost::asio::io_context& io, MakePage make_page);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  // The loop has ended, or goes on for others: what is on its way comes to nothing.
  ~MetricsServer();

  void accept(server::Listener::Socket socket);

 private:
  class Reader;
  // What readers share; they may outlive this.
  struct Shared {
    boost::asio::io_context& io;
    MakePage make_page;  // null when there is nobody to ask
    std::size_t readers = 0;
    TimePoint next_page;
  };

  std::shared_ptr<Shared> shared_;
};

}  // namespace tbs::metrics
