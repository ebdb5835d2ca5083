#include "daemon/server/capture.h"

#include <algorithm>
#include <utility>

#include "proto/limits.h"

namespace tbs::server {
namespace {

// Whoever reads on asks again within moments.
constexpr std::chrono::seconds kPatience{10};

}  // namespace

void Capture::asked(TimePoint now) {
  running_ = true;
  last_asked_ = now;
}

void Capture::add(const proto::CapturedExchange& exchange, TimePoint now) {
  if (!waiting_ && now - last_asked_ > kPatience) return end();
  proto::CapturedExchange numbered = exchange;
  numbered.number = ++newest_;
  Kept& kept = kept_.emplace_back();
  kept.number = numbered.number;
  kept.context = numbered.context;
  kept.bytes.reserve(numbered.size());
  proto::append_exchange(kept.bytes, numbered);
  bytes_ += kept.bytes.size();
  while (bytes_ > most_bytes_) {
    bytes_ -= kept_.front().bytes.size();
    kept_.pop_front();
  }
  added_();
}

std::uint64_t Capture::begin() {
  newest_ = std::max<std::uint64_t>(newest_, 1);
  return newest_;
}

void Capture::end() {
  running_ = false;
  kept_ = {};
  bytes_ = 0;
}

Capture::Page Capture::page(std::uint64_t after, std::uint64_t context) const {
  Page page{.exchanges = {}, .last = after, .lost = 0};
  // Numbers begin anew with each daemon: whoever knows higher ones has seen none of these.
  const std::uint64_t known = std::min(after, newest_);
  const std::uint64_t oldest = kept_.empty() ? newest_ + 1 : kept_.front().number;
  if (oldest > known + 1) page.lost = oldest - known - 1;
  page.last = std::max(known, oldest - 1);
  for (auto kept = std::ranges::upper_bound(kept_, known, {}, &Kept::number); kept != kept_.end();
       ++kept) {
    if (context == 0 || kept->context == context) {
      if (page.exchanges.size() + kept->bytes.size() > proto::kMaxCapturePage) break;
      page.exchanges.insert(page.exchanges.end(), kept->bytes.begin(), kept->bytes.end());
    }
    page.last = kept->number;
  }
  return page;
}

}  // namespace tbs::server
