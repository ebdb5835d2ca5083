#include "daemon/metrics/http_request.h"

#include "daemon/metrics/http_response.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::metrics;

namespace {

std::optional<HttpRequest> read(std::string_view text) {
  HttpRequestReader reader;
  return reader.feed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

HttpStatus status_of(std::string_view text) {
  const auto request = read(text);
  REQUIRE(request);
  return request->status;
}

std::string get(std::string_view headers = "", std::string_view target = "/metrics") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: tbsd\r\n" + std::string(headers) +
         "\r\n";
}

Format format_of(std::string_view headers) {
  const auto request = read(get(headers));
  REQUIRE(request);
  CHECK(request->status == HttpStatus::Ok);
  return request->format;
}

}  // namespace

TEST_CASE("a request for the page is complete with its empty line", "[metrics][http]") {
  const std::string whole = get();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(read(std::string_view(whole).substr(0, size)));
  }
  REQUIRE(read(whole));
  CHECK(read(whole)->status == HttpStatus::Ok);
  CHECK_FALSE(read(whole)->head);
  CHECK(read(whole)->format == Format::Text);
  // What follows is nobody's.
  CHECK(status_of(whole + "GARBAGE\x01") == HttpStatus::Ok);
}

TEST_CASE("byte by byte is the same", "[metrics][http]") {
  HttpRequestReader reader;
  const std::string whole = get("Accept: application/openmetrics-text\r\n");
  std::optional<HttpRequest> request;
  for (const char character : whole) {
    REQUIRE_FALSE(request);
    const auto byte = static_cast<std::uint8_t>(character);
    request = reader.feed({&byte, 1});
  }
  REQUIRE(request);
  CHECK(request->format == Format::OpenMetrics);
}

TEST_CASE("lines may end without a carriage return", "[metrics][http]") {
  CHECK(status_of("GET /metrics HTTP/1.1\nHost: x\n\n") == HttpStatus::Ok);
  CHECK(status_of("GET /metrics HTTP/1.0\n\n") == HttpStatus::Ok);
}

TEST_CASE("the head of a page and a query are fine", "[metrics][http]") {
  CHECK(status_of(get("", "/metrics?name=x")) == HttpStatus::Ok);
  const auto head = read("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(head);
  CHECK(head->status == HttpStatus::Ok);
  CHECK(head->head);
}

TEST_CASE("what is not understood has its status", "[metrics][http]") {
  CHECK(status_of(get("", "/")) == HttpStatus::NotFound);
  CHECK(status_of(get("", "/metrics/")) == HttpStatus::NotFound);
  CHECK(status_of("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n") == HttpStatus::MethodNotAllowed);
  CHECK(status_of("GET /metrics HTTP/2.0\r\n") == HttpStatus::VersionNotSupported);
  CHECK(status_of("GET /metrics SSH-2.0\r\n") == HttpStatus::BadRequest);
  // No host, or two.
  CHECK(status_of("GET /metrics HTTP/1.1\r\n\r\n") == HttpStatus::BadRequest);
  CHECK(status_of(get("Host: y\r\n")) == HttpStatus::BadRequest);
  // A body.
  CHECK(status_of(get("Content-Length: 5\r\n")) == HttpStatus::BadRequest);
  CHECK(status_of(get("transfer-encoding: chunked\r\n")) == HttpStatus::BadRequest);
  CHECK(status_of(get("Content-Length: 0\r\n")) == HttpStatus::Ok);
  // Headers that are none.
  CHECK(status_of(get("no colon\r\n")) == HttpStatus::BadRequest);
  CHECK(status_of(get(": empty\r\n")) == HttpStatus::BadRequest);
  CHECK(status_of(get(" folded: x\r\n")) == HttpStatus::BadRequest);
  CHECK(status_of(get("A: x\rB: y\r\n")) == HttpStatus::BadRequest);
  CHECK(status_of(get(std::string_view("A: \0\r\n", 6))) == HttpStatus::BadRequest);
  // As soon as it is known.
  CHECK(status_of("\r") == HttpStatus::BadRequest);
  CHECK(status_of(" ") == HttpStatus::BadRequest);
  CHECK(status_of("TBS\x01") == HttpStatus::BadRequest);
  CHECK(status_of("GET \x01") == HttpStatus::BadRequest);
}

TEST_CASE("whatever comes is bounded", "[metrics][http]") {
  CHECK(status_of(std::string(17, 'A')) == HttpStatus::BadRequest);
  CHECK_FALSE(read("GET /" + std::string(kMostTarget - 1, 'a')));
  CHECK(status_of("GET /" + std::string(kMostTarget, 'a')) == HttpStatus::UriTooLong);
  const std::string start = "GET /metrics HTTP/1.1\r\n";
  CHECK_FALSE(read(start + std::string(kMostRequest - start.size(), 'a')));
  CHECK(status_of(start + std::string(kMostRequest - start.size() + 1, 'a')) ==
        HttpStatus::HeadersTooLarge);
  std::string many = start;
  while (many.size() <= kMostRequest) many += "A: b\r\n";
  CHECK(status_of(many) == HttpStatus::HeadersTooLarge);
}

TEST_CASE("the format is that which is wanted most", "[metrics][http]") {
  CHECK(format_of("") == Format::Text);
  CHECK(format_of("Accept: */*\r\n") == Format::Text);
  CHECK(format_of("Accept: text/plain;version=0.0.4\r\n") == Format::Text);
  CHECK(format_of("ACCEPT:application/OpenMetrics-Text; version=1.0.0\r\n") == Format::OpenMetrics);
  // Prometheus 2.42.
  CHECK(format_of("Accept: application/openmetrics-text;version=1.0.0,"
                  "application/openmetrics-text;version=0.0.1;q=0.75,"
                  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n") == Format::OpenMetrics);
  CHECK(format_of("Accept: application/openmetrics-text;q=0.2,text/plain;q=0.4\r\n") ==
        Format::Text);
  CHECK(format_of("Accept: text/plain;q=0.4\r\nAccept: application/openmetrics-text\r\n") ==
        Format::OpenMetrics);
  for (const char* const weight : {"0", "-1", "x", "", "2", "nan", "inf"}) {
    INFO(weight);
    CHECK(format_of("Accept: application/openmetrics-text;q=" + std::string(weight) + "\r\n") ==
          Format::Text);
  }
  CHECK(format_of("Accept: ,;,;q,=,;=;q=1,application/openmetrics-text\r\n") ==
        Format::OpenMetrics);
}

TEST_CASE("an answer names its length and ends the connection", "[metrics][http]") {
  const std::string whole = page_response({}, "a 1\n");
  CHECK(whole.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"));
  CHECK(whole.find("\r\nContent-Length: 4\r\n") != std::string::npos);
  CHECK(whole.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(whole.ends_with("\r\n\r\na 1\n"));
  const std::string head = page_response({.head = true}, "a 1\n");
  CHECK(head.find("\r\nContent-Length: 4\r\n") != std::string::npos);
  CHECK(head.ends_with("\r\n\r\n"));
  const std::string wrong = error_response({.status = HttpStatus::MethodNotAllowed});
  CHECK(wrong.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(wrong.find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
  for (const HttpStatus status :
       {HttpStatus::BadRequest, HttpStatus::NotFound, HttpStatus::UriTooLong,
        HttpStatus::HeadersTooLarge, HttpStatus::Unavailable, HttpStatus::VersionNotSupported}) {
    const std::string answer = error_response({.status = status});
    CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(static_cast<int>(status)) + " "));
    CHECK(answer.ends_with(".\n"));
  }
}
