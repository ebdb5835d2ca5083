// Housekeeping that gives way to commands at each of its steps, and goes on later: keys and
// sessions are always brought back as they were when they were last used. A session brought back in
// an older state would have an older nonce, and the TPM would refuse the next HMAC.

#include <functional>
#include <memory>

#include "tests/rm12/fixture.h"
#include "tests/support/catch2.h"
#include "tests/support/client12/transport.h"

using namespace tbs;
using namespace tbs::test;
using client12::secret_of;
using client12::Session;

namespace {

constexpr std::size_t kMostSteps = 12;

// Two clients with a key and a session of every kind each.
struct Owner {
  explicit Owner(RealTpm12& tpm, std::uint8_t number)
      : client(tpm.connect()),
        key(client->load_key(signing_key(number))),
        oiap(client->oiap(secret_of(number))),
        osap(client->osap(kKeyHandle, key, secret_of(number))),
        transport(*client) {}

  void use_oiap() { REQUIRE(client->run(sign(key, oiap)).code == 0); }
  void use_osap() { REQUIRE(client->run(sign(key, osap)).code == 0); }
  void use_transport() { REQUIRE(transport.run(random(8)).code == 0); }
  void use_transport_and_session() { REQUIRE(transport.run(sign(key, oiap)).code == 0); }

  std::unique_ptr<RealTpm12::Client> client;
  std::uint32_t key;
  Session oiap;
  Session osap;
  client12::Transport transport;
};

using Use = void (Owner::*)();
constexpr Use kUses[] = {&Owner::use_oiap, &Owner::use_osap, &Owner::use_transport,
                         &Owner::use_transport_and_session};

}  // namespace

TEST_CASE("keys and sessions of TPM 1.2 are brought back as they were last used", "[rm12]") {
  exec::Options options = verified();
  options.share = GENERATE(exec::Share::Idle, exec::Share::Strict);
  RealTpm12 tpm(options);
  Owner one(tpm, 1);
  Owner other(tpm, 2);
  for (const Use use : kUses) {
    for (std::size_t steps = 0; steps < kMostSteps; ++steps) {
      INFO("housekeeping gives way after " << steps << " steps");
      tpm.bench.run_idle(steps);
      (one.*use)();
      tpm.bench.run_idle(steps);
      (other.*use)();
      tpm.bench.run_idle();
      (one.*use)();
    }
  }
  CHECK(tpm.bench.notes.older_states.empty());
  CHECK(tpm.bench.notes.lost_handles.empty());
  CHECK(tpm.bench.notes.differences.empty());
}
