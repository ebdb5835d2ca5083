#pragma once

// What a reader of metrics may send: one request of HTTP/1.1 without a body, taken apart byte by
// byte as it comes. Whatever comes is bounded; what is not understood has a status of HTTP.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/metrics/exposition.h"
#include "proto/byte_reader.h"

namespace tbs::metrics {

// The request line and all headers together.
inline constexpr std::size_t kMostRequest = 8192;
inline constexpr std::size_t kMostTarget = 1024;

enum class HttpStatus : std::uint16_t {
  Ok = 200,
  BadRequest = 400,
  NotFound = 404,
  MethodNotAllowed = 405,
  UriTooLong = 414,
  HeadersTooLarge = 431,
  Unavailable = 503,
  VersionNotSupported = 505,
};

struct HttpRequest {
  HttpStatus status = HttpStatus::Ok;  // what it is to be answered
  bool head = false;                   // without the page itself
  Format format = Format::Text;        // with Ok
};

class HttpRequestReader {
 public:
  // The request once it is complete or known to be wrong; what comes after it is not looked at.
  std::optional<HttpRequest> feed(proto::Bytes bytes);

 private:
  enum class State : std::uint8_t { Method, Target, Version, Name, Value, LineEnd, Done };

  void take(char character);
  void take_method(char character);
  void take_target(char character);
  void take_version(char character);
  void take_name(char character);
  void take_value(char character);
  void end_of_line();
  void end_of_head();
  void end_of_header();
  void fail(HttpStatus status);

  State state_ = State::Method;
  State line_of_ = State::Method;  // with LineEnd: what the line was
  std::size_t size_ = 0;
  std::string method_;
  std::string target_;
  std::string version_;
  std::string name_;
  std::string value_;
  std::string accept_;
  unsigned hosts_ = 0;
  bool has_body_ = false;
  HttpRequest request_;
};

// What the Accept header asks for.
Format format_for(std::string_view accept);

}  // namespace tbs::metrics
