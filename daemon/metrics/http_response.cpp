#include "daemon/metrics/http_response.h"

#include <cstdint>

namespace tbs::metrics {
namespace {

struct StatusText {
  std::string_view phrase;
  std::string_view advice;
};

StatusText text_of(HttpStatus status) {
  switch (status) {
    case HttpStatus::Ok:
      return {"OK", ""};
    case HttpStatus::NotFound:
      return {"Not Found", "There is one page here: /metrics.\n"};
    case HttpStatus::MethodNotAllowed:
      return {"Method Not Allowed", "Nothing can be changed here: send GET or HEAD.\n"};
    case HttpStatus::UriTooLong:
      return {"URI Too Long", "The page is /metrics.\n"};
    case HttpStatus::HeadersTooLarge:
      return {"Request Header Fields Too Large", "A request may have 8 KiB.\n"};
    case HttpStatus::Unavailable:
      return {"Service Unavailable", "Too many read the metrics at the same time: try again.\n"};
    case HttpStatus::VersionNotSupported:
      return {"HTTP Version Not Supported", "Send HTTP/1.1.\n"};
    case HttpStatus::BadRequest:
      break;
  }
  return {"Bad Request", "This is no request of HTTP/1.1 without a body.\n"};
}

std::string response(const HttpRequest& request, std::string_view type, std::string_view body) {
  const auto code = static_cast<std::uint16_t>(request.status);
  std::string text = "HTTP/1.1 " + std::to_string(code) + " ";
  text += text_of(request.status).phrase;
  text += "\r\nContent-Type: ";
  text += type;
  text += "\r\nContent-Length: " + std::to_string(body.size());
  if (request.status == HttpStatus::MethodNotAllowed) text += "\r\nAllow: GET, HEAD";
  text += "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
  if (!request.head) text += body;
  return text;
}

}  // namespace

std::string page_response(const HttpRequest& request, std::string_view page) {
  return response(request, content_type(request.format), page);
}

std::string error_response(const HttpRequest& request) {
  return response(request, "text/plain; charset=utf-8", text_of(request.status).advice);
}

}  // namespace tbs::metrics
