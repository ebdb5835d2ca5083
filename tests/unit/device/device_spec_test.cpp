#include "daemon/device/device_spec.h"

#include "tests/support/catch2.h"

using namespace tbs::device;
using tbs::Family;

namespace {

template <class Spec>
Spec parsed(std::string_view text) {
  const auto spec = parse_device_spec(text);
  if (!spec) FAIL(spec.error());
  REQUIRE(std::holds_alternative<Spec>(*spec));
  return std::get<Spec>(*spec);
}

std::string refusal(std::string_view text) {
  const auto spec = parse_device_spec(text);
  REQUIRE_FALSE(spec);
  return spec.error();
}

}  // namespace

TEST_CASE("an absolute path is a character device") {
  CHECK(parsed<CharSpec>("/dev/tpm0").path == "/dev/tpm0");
  CHECK(parsed<CharSpec>("/dev/embedded:x,path=1").path == "/dev/embedded:x,path=1");
}

TEST_CASE("auto is whatever the kernel has") {
  CHECK(parsed<CharSpec>("auto").path.empty());
  CHECK_FALSE(parse_device_spec("automatic"));
}

TEST_CASE("the embedded TPM takes a folder or none, and a family") {
  CHECK(parsed<EmbeddedSpec>("embedded").state_dir.empty());
  CHECK(parsed<EmbeddedSpec>("embedded").family == Family::Tpm20);
  CHECK(parsed<EmbeddedSpec>("embedded:/var/lib/a:b").state_dir == "/var/lib/a:b");
  CHECK(parsed<EmbeddedSpec>("embedded12").family == Family::Tpm12);
  CHECK(parsed<EmbeddedSpec>("embedded12:/s").state_dir == "/s");
}

TEST_CASE("a swtpm on Unix sockets") {
  const auto plain = parsed<SwtpmUnixSpec>("swtpm:path=/run/sw/sock");
  CHECK(plain.data_path == "/run/sw/sock");
  CHECK(plain.control_path == "/run/sw/sock.ctrl");
  CHECK(parsed<SwtpmUnixSpec>("swtpm:ctrl=/c,path=/d").control_path == "/c");
  CHECK(parsed<SwtpmUnixSpec>("swtpm:path=a=b").data_path == "a=b");
}

TEST_CASE("a swtpm on TCP ports") {
  const auto plain = parsed<SwtpmTcpSpec>("swtpm:host=::1,port=2321");
  CHECK(plain.host == "::1");
  CHECK(plain.data_port == 2321);
  CHECK(plain.control_port == 2322);
  CHECK(parsed<SwtpmTcpSpec>("swtpm:host=localhost,port=65535,ctrl=9").control_port == 9);
}

TEST_CASE("a refusal names what is wrong") {
  const auto [spec, reason] = GENERATE(table<std::string, std::string>({
      {"", "neither a path"},
      {"dev/tpm0", "neither a path"},
      {"swtpm", "neither a path"},
      {"embeddedx", "neither a path"},
      {"embedded:", "a folder is missing"},
      {"swtpm:", "not of the form key=value"},
      {"swtpm:path=/a,", "not of the form key=value"},
      {"swtpm:path=", "\"path\" has no value"},
      {"swtpm:path=/a,path=/b", "\"path\" is given twice"},
      {"swtpm:paht=/a", "unknown key \"paht\""},
      {"swtpm:path=/a,host=h", "not both"},
      {"swtpm:path=/a,ctrl=/a", "same socket"},
      {"swtpm:port=1", "host= is missing"},
      {"swtpm:host=h", "port= is missing"},
      {"swtpm:host=h,port=0", "port=0 is not a port number"},
      {"swtpm:host=h,port=65536", "not a port number"},
      {"swtpm:host=h,port=12x", "not a port number"},
      {"swtpm:host=h,port=65535", "give ctrl="},
      {"swtpm:host=h,port=5,ctrl=5", "same port"},
      {"swtpm:host=h,port=5,ctrl=no", "ctrl=no is not a port number"},
  }));
  CAPTURE(spec);
  CHECK_THAT(refusal(spec), Catch::Matchers::ContainsSubstring(reason));
}

TEST_CASE("limits of a socket path and zero bytes") {
  CHECK(parse_device_spec("swtpm:path=/" + std::string(101, 'a')).has_value());
  CHECK_THAT(refusal("swtpm:path=/" + std::string(102, 'a')),
             Catch::Matchers::ContainsSubstring("longer than 107"));
  CHECK_THAT(refusal(std::string_view("/dev\0x", 6)),
             Catch::Matchers::ContainsSubstring("zero byte"));
}

TEST_CASE("a build without the embedded TPM says so, and takes the others") {
  for (const std::string spec : {"embedded", "embedded12:/srv/tpm"}) {
    CHECK(parse_usable_device(spec, true).has_value());
    const auto refused = parse_usable_device(spec, false);
    REQUIRE_FALSE(refused.has_value());
    CHECK_THAT(refused.error(), Catch::Matchers::ContainsSubstring("\"" + spec + "\": ") &&
                                    Catch::Matchers::ContainsSubstring("not compiled into"));
  }
  for (const std::string spec : {"auto", "/dev/tpm0", "swtpm:path=/tpm"}) {
    CHECK(parse_usable_device(spec, false).has_value());
  }
  CHECK_FALSE(parse_usable_device("floppy", false).has_value());
}
