// Transport sessions, and commands within them.

#include "tests/support/client12/transport.h"

#include "proto/service_codes.h"
#include "tests/rm12/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using client12::secret_of;
using client12::Transport;

TEST_CASE("a transport session carries commands", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  Transport transport(*client);
  CHECK(transport.session().handle == kFirstTransport);
  CHECK(client12::sized(transport.run(random(16)).parameters).size() == 16);
  tpm.bench.run_idle();
  CHECK(tpm.direct().handles(kTransport).empty());
  CHECK(client12::sized(transport.run(random(8)).parameters).size() == 8);
  CHECK(client->handles(kTransport).size() == 1);
  transport.end();
  CHECK(transport.run(random(8)).code == 0);
  CHECK(client->handles(kTransport).empty());
  transport.run(random(8));
  CHECK(transport.outer_code() == rc::kInvalidAuthHandle);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("keys and sessions within a transport session are the client's own", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  Transport transport(*client);
  // The handle that is returned inside.
  auto parent = client->oiap(secret_of(2));
  parent.goes_on = false;
  const auto loaded = transport.run({.ordinal = ord::kLoadKey2,
                                     .handles = {client12::kSrk},
                                     .parameters = signing_key(3),
                                     .sessions = {&parent},
                                     .returns_handle = true});
  REQUIRE(loaded.code == 0);
  CHECK(loaded.handle == kFirstKey);
  CHECK(client->handles(kAuth).empty());
  tpm.bench.run_idle();

  auto session = client->oiap(secret_of(3));
  CHECK(transport.run(sign(loaded.handle, session)).code == 0);
  tpm.bench.run_idle();
  CHECK(transport.run(sign(loaded.handle, session)).code == 0);
  session.goes_on = false;
  CHECK(transport.run(sign(loaded.handle, session)).code == 0);
  CHECK(client->handles(kAuth).empty());
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("twenty transport sessions at once", "[rm12]") {
  RealTpm12 tpm;
  std::vector<std::unique_ptr<RealTpm12::Client>> clients;
  std::vector<Transport> transports;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(tpm.connect());
    transports.emplace_back(*clients.back());
  }
  for (int round = 0; round < 2; ++round) {
    for (Transport& transport : transports) REQUIRE(transport.run(random(4)).code == 0);
  }
  for (const auto& client : clients) tpm.disconnect(*client);
  tpm.bench.run_due();
  CHECK(tpm.direct().handles(kTransport).empty());
  CHECK(tpm.direct().handles(kContext).empty());
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a transport session and what is in it belong to one context", "[rm12]") {
  RealTpm12 tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  Transport hers(*alice);
  const std::uint32_t key = alice->load_key(signing_key(3));
  Transport his(*bob);
  auto session = bob->oiap(secret_of(3));
  his.run(sign(key, session));
  CHECK(his.outer_code() == rc::kInvalidKeyHandle);
  CHECK(bob->handles(kTransport).empty());
  CHECK(bob->handles(kAuth).empty());
  CHECK(alice->handles(kTransport).size() == 1);
  CHECK(hers.run(random(4)).code == 0);
}

TEST_CASE("a failure inside ends the session inside", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  Transport transport(*client);
  const std::uint32_t key = client->load_key(signing_key(3));
  auto wrong = client->oiap(secret_of(4));
  CHECK(transport.run(sign(key, wrong)).code == rc::kAuthFail);
  CHECK(transport.outer_code() == 0);
  CHECK(client->handles(kAuth).empty());
  CHECK(client->handles(kTransport).size() == 1);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("what cannot be translated inside is refused", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(3));
  Transport transport(*client);
  tpm.bench.sent.clear();
  transport.run({.ordinal = ord::kFlushSpecific, .parameters = client12::words({key, kKey})});
  CHECK(transport.outer_code() == proto::service::kEmbeddedCommandUnsupported);
  CHECK(std::ranges::count(tpm.bench.sent, ord::kExecuteTransport) == 0);
  CHECK(client->handles(kKey).size() == 1);
}

TEST_CASE("an OSAP session made inside is bound to the client's key", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  client->load_key(open_key());
  const std::uint32_t key = client->load_key(signing_key(3));
  Transport transport(*client);
  const client12::Digest odd = client12::random_nonce();
  client12::Bytes parameters{0, 1};
  proto::ByteWriter writer(parameters);
  writer.be32(key);
  writer.bytes(odd);
  // Part 3: of TPM_OSAP nothing counts as data within a transport session.
  const auto wrapped = client->bytes_of({.ordinal = ord::kOsap, .parameters = parameters});
  const auto digest = client12::sha1({client12::words({ord::kOsap})});
  client12::Bytes covered = client12::words({static_cast<std::uint32_t>(wrapped.size())});
  covered.insert(covered.end(), digest.begin(), digest.end());
  const auto auth = transport.session().authorize(
      client12::sha1({client12::words({ord::kExecuteTransport}), covered}));
  const auto response = client->exchange(client12::frame(
      ord::kExecuteTransport, 1,
      {client12::words({static_cast<std::uint32_t>(wrapped.size())}), wrapped, auth}));
  proto::ByteReader reader(response);
  reader.skip(10 + 8 + 4 + 4);
  reader.skip(6);
  REQUIRE(reader.be32() == 0);
  client12::Session session{.handle = reader.be32(), .nonce_odd = client12::random_nonce()};
  CHECK(session.handle == kFirstAuth);
  std::ranges::copy(reader.take(20), session.nonce_even.begin());
  const auto even = reader.take(20);
  REQUIRE(reader.ok());
  session.secret = client12::hmac_sha1(secret_of(3), {even, odd});
  tpm.bench.run_idle();
  CHECK(client->run(sign(key, session)).code == 0);
  CHECK(tpm.bench.notes.differences.empty());
}
