#include "daemon/metrics/http_request.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tbs::metrics {
namespace {

constexpr std::size_t kMostMethod = 16;
constexpr std::size_t kMostVersion = 8;  // HTTP/1.1

bool is_token(char character) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
         (character >= 'A' && character <= 'Z') ||
         kOthers.find(character) != std::string_view::npos;
}

bool is_control(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return (byte < 0x20 && character != '\t') || byte == 0x7F;
}

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                              : character;
}

bool same_name(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Cuts off what is before the separator.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(part);
}

// The weight that a part of an Accept header gives its type: 1 when it says nothing.
double weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = next_part(parameters, ';');
    if (!same_name(next_part(value, '='), "q")) continue;
    double weight = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), weight);
    return error == std::errc() && weight >= 0 && weight <= 1 ? weight : 0;
  }
  return 1;
}

}  // namespace

Format format_for(std::string_view accept) {
  double open_metrics = 0;
  double text = 0;
  while (!accept.empty()) {
    std::string_view part = next_part(accept, ',');
    const std::string_view type = next_part(part, ';');
    double* const weight = same_name(type, "application/openmetrics-text")     ? &open_metrics
                           : same_name(type, "text/plain") || type == "text/*" ? &text
                                                                               : nullptr;
    if (weight != nullptr) *weight = std::max(*weight, weight_of(part));
  }
  return open_metrics > 0 && open_metrics >= text ? Format::OpenMetrics : Format::Text;
}

std::optional<HttpRequest> HttpRequestReader::feed(proto::Bytes bytes) {
  for (const std::uint8_t byte : bytes) {
    if (state_ == State::Done) break;
    if (++size_ > kMostRequest) {
      fail(HttpStatus::HeadersTooLarge);
      break;
    }
    take(static_cast<char>(byte));
  }
  if (state_ != State::Done) return std::nullopt;
  return request_;
}

void HttpRequestReader::take(char character) {
  switch (state_) {
    case State::Method:
      return take_method(character);
    case State::Target:
      return take_target(character);
    case State::Version:
      return take_version(character);
    case State::Name:
      return take_name(character);
    case State::Value:
      return take_value(character);
    case State::LineEnd:
      return character == '\n' ? end_of_line() : fail(HttpStatus::BadRequest);
    case State::Done:
      return;
  }
}

void HttpRequestReader::take_method(char character) {
  if (character == ' ' && !method_.empty()) {
    state_ = State::Target;
  } else if (is_token(character) && method_.size() < kMostMethod) {
    method_ += character;
  } else {
    fail(HttpStatus::BadRequest);
  }
}

void HttpRequestReader::take_target(char character) {
  if (character == ' ' && !target_.empty()) {
    state_ = State::Version;
  } else if (target_.size() >= kMostTarget) {
    fail(HttpStatus::UriTooLong);
  } else if (character > ' ' && character <= '~') {
    target_ += character;
  } else {
    fail(HttpStatus::BadRequest);
  }
}

void HttpRequestReader::take_version(char character) {
  if (character == '\r' || character == '\n') {
    line_of_ = State::Version;
    state_ = State::LineEnd;
    if (character == '\n') end_of_line();
  } else if (version_.size() < kMostVersion && !is_control(character)) {
    version_ += character;
  } else {
    fail(HttpStatus::BadRequest);
  }
}

void HttpRequestReader::take_name(char character) {
  if (character == ':' && !name_.empty()) {
    state_ = State::Value;
  } else if (is_token(character)) {
    name_ += character;
  } else if (name_.empty() && (character == '\r' || character == '\n')) {
    line_of_ = State::Name;
    state_ = State::LineEnd;
    if (character == '\n') end_of_line();
  } else {
    fail(HttpStatus::BadRequest);
  }
}

void HttpRequestReader::take_value(char character) {
  if (character == '\r' || character == '\n') {
    line_of_ = State::Value;
    state_ = State::LineEnd;
    if (character == '\n') end_of_line();
  } else if (is_control(character)) {
    fail(HttpStatus::BadRequest);
  } else {
    value_ += character;
  }
}

void HttpRequestReader::end_of_line() {
  state_ = State::Name;
  if (line_of_ == State::Version) {
    if (version_ == "HTTP/1.1" || version_ == "HTTP/1.0") return;
    fail(version_.starts_with("HTTP/") ? HttpStatus::VersionNotSupported : HttpStatus::BadRequest);
  } else if (line_of_ == State::Value) {
    end_of_header();
  } else {
    end_of_head();
  }
}

void HttpRequestReader::end_of_header() {
  const std::string_view value = trimmed(value_);
  if (same_name(name_, "Host")) {
    ++hosts_;
  } else if (same_name(name_, "Accept")) {
    if (!accept_.empty()) accept_ += ',';
    accept_ += value;
  } else if (same_name(name_, "Transfer-Encoding") ||
             (same_name(name_, "Content-Length") && value != "0")) {
    has_body_ = true;
  }
  name_.clear();
  value_.clear();
}

void HttpRequestReader::end_of_head() {
  const bool host_is_wrong = hosts_ > 1 || (hosts_ == 0 && version_ == "HTTP/1.1");
  if (host_is_wrong || has_body_) return fail(HttpStatus::BadRequest);
  request_.head = method_ == "HEAD";
  if (method_ != "GET" && method_ != "HEAD") return fail(HttpStatus::MethodNotAllowed);
  if (std::string_view(target_).substr(0, target_.find('?')) != "/metrics") {
    return fail(HttpStatus::NotFound);
  }
  request_.format = format_for(accept_);
  state_ = State::Done;
}

void HttpRequestReader::fail(HttpStatus status) {
  request_.status = status;
  state_ = State::Done;
}

}  // namespace tbs::metrics
