#include "daemon/device/device_spec.h"

#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace tbs::device {
namespace {

using Error = std::unexpected<std::string>;

// Room for a path in sockaddr_un, without the terminating zero.
constexpr std::size_t kMaxSocketPath = 107;

Error error(std::string_view spec, const std::string& what) {
  return Error("\"" + std::string(spec) + "\": " + what);
}

struct SwtpmKeys {
  std::optional<std::string_view> path, host, port, ctrl;

  std::optional<std::string_view>* find(std::string_view key) {
    if (key == "path") return &path;
    if (key == "host") return &host;
    if (key == "port") return &port;
    if (key == "ctrl") return &ctrl;
    return nullptr;
  }
};

std::expected<SwtpmKeys, std::string> split_keys(std::string_view spec, std::string_view list) {
  SwtpmKeys keys;
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view item = list.substr(0, comma);
    const std::size_t equals = item.find('=');
    if (equals == item.npos) {
      return error(spec, "\"" + std::string(item) + "\" is not of the form key=value");
    }
    const std::string key(item.substr(0, equals));
    std::optional<std::string_view>* const slot = keys.find(key);
    if (slot == nullptr) {
      return error(spec, "unknown key \"" + key + "\" (known: path, host, port, ctrl)");
    }
    if (slot->has_value()) return error(spec, "\"" + key + "\" is given twice");
    *slot = item.substr(equals + 1);
    if ((*slot)->empty()) return error(spec, "\"" + key + "\" has no value");
    if (comma == list.npos) return keys;
    list.remove_prefix(comma + 1);
  }
}

std::expected<std::uint16_t, std::string> parse_port(std::string_view spec, std::string_view key,
                                                     std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (code != std::errc() || end != text.data() + text.size() || port == 0) {
    return error(spec, std::string(key) + "=" + std::string(text) +
                           " is not a port number between 1 and 65535");
  }
  return port;
}

std::expected<DeviceSpec, std::string> parse_unix(std::string_view spec, const SwtpmKeys& keys) {
  if (keys.host || keys.port) return error(spec, "give either path= or host= and port=, not both");
  SwtpmUnixSpec unix_spec{
      .data_path = std::string(*keys.path),
      .control_path = keys.ctrl ? std::string(*keys.ctrl) : std::string(*keys.path) + ".ctrl"};
  for (const std::string& path : {unix_spec.data_path, unix_spec.control_path}) {
    if (path.size() > kMaxSocketPath) {
      return error(spec, "socket path \"" + path + "\" is longer than " +
                             std::to_string(kMaxSocketPath) + " characters");
    }
  }
  if (unix_spec.data_path == unix_spec.control_path) {
    return error(spec, "path= and ctrl= are the same socket");
  }
  return unix_spec;
}

std::expected<std::uint16_t, std::string> control_port(std::string_view spec, const SwtpmKeys& keys,
                                                       std::uint16_t data_port) {
  if (keys.ctrl) return parse_port(spec, "ctrl", *keys.ctrl);
  if (data_port == std::numeric_limits<std::uint16_t>::max()) {
    return error(spec, "there is no port after 65535 for the control channel: give ctrl=");
  }
  return static_cast<std::uint16_t>(data_port + 1);
}

std::expected<DeviceSpec, std::string> parse_tcp(std::string_view spec, const SwtpmKeys& keys) {
  if (!keys.host) return error(spec, "path= or host= is missing");
  if (!keys.port) return error(spec, "port= is missing");
  const auto data = parse_port(spec, "port", *keys.port);
  if (!data) return std::unexpected(data.error());
  const auto control = control_port(spec, keys, *data);
  if (!control) return std::unexpected(control.error());
  if (*data == *control) return error(spec, "port= and ctrl= are the same port");
  return SwtpmTcpSpec{
      .host = std::string(*keys.host), .data_port = *data, .control_port = *control};
}

std::expected<DeviceSpec, std::string> parse_swtpm(std::string_view spec, std::string_view list) {
  const auto keys = split_keys(spec, list);
  if (!keys) return std::unexpected(keys.error());
  return keys->path ? parse_unix(spec, *keys) : parse_tcp(spec, *keys);
}

// The part after `word` or after `word:`; nothing when `spec` starts with another word.
std::optional<std::string_view> after_word(std::string_view spec, std::string_view word) {
  if (!spec.starts_with(word)) return std::nullopt;
  const std::string_view rest = spec.substr(word.size());
  if (rest.empty()) return rest;
  if (rest.front() != ':') return std::nullopt;
  return rest;
}

std::expected<DeviceSpec, std::string> parse_embedded(std::string_view spec, std::string_view rest,
                                                      Family family) {
  if (rest == ":") return error(spec, "a folder is missing after the colon");
  if (!rest.empty()) rest.remove_prefix(1);
  return EmbeddedSpec{.state_dir = std::string(rest), .family = family};
}

}  // namespace

std::expected<DeviceSpec, std::string> parse_device_spec(std::string_view text) {
  if (text.find('\0') != text.npos) return Error("a zero byte in the name");
  if (text.starts_with('/')) return CharSpec{.path = std::string(text)};
  if (text == "auto") return CharSpec{};
  if (const auto rest = after_word(text, "embedded")) {
    return parse_embedded(text, *rest, Family::Tpm20);
  }
  if (const auto rest = after_word(text, "embedded12")) {
    return parse_embedded(text, *rest, Family::Tpm12);
  }
  if (const auto rest = after_word(text, "swtpm"); rest && !rest->empty()) {
    return parse_swtpm(text, rest->substr(1));
  }
  return error(text,
               "neither a path that starts with \"/\", nor auto, nor embedded[:DIR], nor "
               "swtpm:path=P, nor swtpm:host=H,port=N");
}

std::expected<DeviceSpec, std::string> parse_usable_device(std::string_view text,
                                                           bool has_embedded) {
  auto spec = parse_device_spec(text);
  if (spec && !has_embedded && std::holds_alternative<EmbeddedSpec>(*spec)) {
    return error(
        text,
        "the embedded TPM is not compiled into this tbsd; take a TPM of the machine (auto) "
        "or a swtpm, or install a tbsd that has it (tbsd --version: +embedded-tpm)");
  }
  return spec;
}

}  // namespace tbs::device
