// A request for the metrics, cut into pieces of any size, must be understood whatever the cut, and
// within its bounds; and the same bytes as an answer to tbsctl, which must be a page or a reason
// that fits on a line. The first byte is the size of the pieces.

#include <algorithm>
#include <cstdlib>

#include "client/tbsctl/metrics/page_answer.h"
#include "client/tbsctl/text/format.h"
#include "daemon/metrics/http_request.h"
#include "daemon/metrics/http_response.h"

using namespace tbs;
using metrics::HttpRequest;
using metrics::HttpStatus;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::optional<HttpRequest> read_request(proto::Bytes stream, std::size_t piece) {
  metrics::HttpRequestReader reader;
  std::optional<HttpRequest> request;
  std::size_t taken = 0;
  while (!stream.empty() && !request) {
    const proto::Bytes part = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(part.size());
    request = reader.feed(part);
    taken += part.size();
    require(request || taken <= metrics::kMostRequest);
  }
  return request;
}

void require_same(const std::optional<HttpRequest>& one, const std::optional<HttpRequest>& other) {
  require(one.has_value() == other.has_value());
  if (!one) return;
  require(one->status == other->status);
  require(one->head == other->head);
  require(one->format == other->format);
}

// What tbsd answers, tbsctl understands.
void require_understood(const HttpRequest& request) {
  if (request.status != HttpStatus::Ok) {
    require(metrics::error_response(request).starts_with("HTTP/1.1 "));
    return;
  }
  const auto page = ctl::page_in(metrics::page_response(request, "a 1\n"));
  require(request.head ? !page.has_value() : page == "a 1\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const proto::Bytes stream(data + 1, size - 1);
  const auto request = read_request(stream, std::max<std::size_t>(stream.size(), 1));
  require_same(request, read_request(stream, std::size_t{data[0]} + 1));
  require_same(request, read_request(stream, 1));
  if (request) require_understood(*request);
  const auto page = ctl::page_in(std::string(stream.begin(), stream.end()));
  if (page) {
    require(page->size() < stream.size());
  } else {
    require(!page.error().empty() && ctl::printable(page.error()) == page.error());
  }
  return 0;
}
