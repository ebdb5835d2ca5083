// A TPM that gives false sequence numbers of saved sessions: everybody is served all the same, and
// the TPM comes to rest.

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "proto/tpm/command_builder.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"
#include "tests/integration/support/lying_tpm.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

using Number = std::uint64_t;

void put_number(Buffer& message, Number number) {
  for (std::size_t i = 0; i < 8; ++i) {
    message[tbs::tpm::kHeaderSize + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  }
}

// The number and the handle of the saved session in a message, if there is one.
using Key = std::pair<Number, std::uint32_t>;
std::optional<Key> session_in(const Buffer& message) {
  tbs::proto::ByteReader reader(tbs::proto::Bytes(message).subspan(tbs::tpm::kHeaderSize));
  const Number number = reader.be64();
  const std::uint32_t handle = reader.be32();
  if (!reader.ok() || !tbs::tpm::is_session(handle)) return std::nullopt;
  return Key{number, handle};
}

// Shows the numbers that `lie` makes of the right ones; the TPM gets its own numbers back.
LyingTpm::Lie numbers(std::function<Number(Number)> lie) {
  return [lie = std::move(lie), right = std::map<Key, Number>()](const Buffer& command,
                                                                 const LyingTpm::Ask& ask) mutable {
    const std::uint32_t code = tbs::proto::read_tpm_header(command)->code;
    Buffer sent = command;
    if (code == tbs::tpm::cc::kContextLoad) {
      const auto shown = session_in(sent);
      if (shown && right.contains(*shown)) put_number(sent, right[*shown]);
    }
    Buffer response = ask(sent);
    if (code == tbs::tpm::cc::kContextSave && tpm::code(response) == tpm::kSuccess) {
      if (const auto real = session_in(response)) {
        const Number shown = lie(real->first);
        right[{shown, real->second}] = real->first;
        put_number(response, shown);
      }
    }
    return response;
  };
}

// An HMAC session, unbound and unsalted.
Buffer start_session() {
  return tbs::tpm::CommandBuilder(tbs::tpm::cc::kStartAuthSession)
      .u32(TPM2_RH_NULL)
      .u32(TPM2_RH_NULL)
      .sized(Buffer(16, 0x5A))
      .u16(0)
      .u8(TPM2_SE_HMAC)
      .u16(TPM2_ALG_NULL)
      .u16(TPM2_ALG_SHA256)
      .finish();
}

Buffer context_save(std::uint32_t handle) {
  return tbs::tpm::CommandBuilder(tbs::tpm::cc::kContextSave).u32(handle).finish();
}

}  // namespace

TEST_CASE("false sequence numbers keep no client from being served") {
  if (device_under_test() != DeviceKind::Swtpm) {
    WARN("skipped: it stands in front of a swtpm");
    return;
  }
  TempFolder folder;
  SwtpmProcess swtpm(folder);
  swtpm.start();
  LyingTpm liar(folder, swtpm);
  Number calls = 0;
  SECTION("huge, once") {
    liar.lie(numbers([&calls](Number right) { return calls++ == 0 ? Number{1} << 62 : right; }));
  }
  SECTION("at random") {
    liar.lie(numbers([&calls](Number) { return ++calls * 0x9E3779B97F4A7C15; }));
  }
  SECTION("far ahead each time") {
    liar.lie(numbers([&calls](Number) { return ++calls * 40'000; }));
  }
  DaemonProcess daemon(folder, {.device = liar.device()});
  daemon.wait_until_listening();
  RawClient owner = RawClient::context(daemon.socket());
  std::vector<std::uint32_t> sessions;
  for (int i = 0; i < 6; ++i) sessions.push_back(tpm::handle(owner.response(start_session())));
  std::vector<Buffer> blobs;
  for (const std::uint32_t session : sessions) {
    const Buffer saved = owner.response(context_save(session));
    REQUIRE(tpm::code(saved) == tpm::kSuccess);
    blobs.push_back(saved);
  }
  RawClient victim = RawClient::context(daemon.socket());
  for (int i = 0; i < 50; ++i) {
    REQUIRE(tpm::code(victim.response(tpm::get_random(8))) == tpm::kSuccess);
  }
  // At rest: nothing is sent any more that no client has asked for.
  std::uint64_t before = 0;
  CHECK(eventually([&] {
    const std::uint64_t last = std::exchange(before, liar.commands());
    std::this_thread::sleep_for(200ms);
    return last == before && before == liar.commands();
  }));
  for (const Buffer& saved : blobs) {
    const Buffer load = tbs::tpm::CommandBuilder(tbs::tpm::cc::kContextLoad)
                            .bytes(tbs::proto::Bytes(saved).subspan(tbs::tpm::kHeaderSize))
                            .finish();
    CHECK(tpm::code(owner.response(load)) == tpm::kSuccess);
  }
  CHECK(daemon.stop() == 0);
}
