#include "tests/support/client12/client.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm12/command_builder.h"
#include "tests/support/client12/structures.h"

namespace tbs::test::client12 {
namespace {

namespace ord = tpm12::ord;

using proto::ByteReader;
using proto::ByteWriter;

constexpr std::size_t kResponseAuth = 41;

std::array<std::uint8_t, 4> be32(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

std::runtime_error refused(std::uint32_t ordinal, std::uint32_t code) {
  std::ostringstream text;
  text << "TPM 1.2 ordinal 0x" << std::hex << ordinal << " returns 0x" << code;
  return std::runtime_error(text.str());
}

Digest read_digest(ByteReader& reader) {
  Digest digest{};
  std::ranges::copy(reader.take(digest.size()), digest.begin());
  return digest;
}

}  // namespace

Digest secret_of(std::uint8_t number) {
  Digest secret{};
  secret.fill(number);
  return secret;
}

Bytes sized(View bytes) {
  ByteReader reader(bytes);
  const View value = reader.take(reader.be32());
  return {value.begin(), value.end()};
}

Bytes Client::bytes_of(const Command& command) {
  tpm12::CommandBuilder builder(command.ordinal);
  for (const std::uint32_t handle : command.handles) builder.handle(handle);
  builder.bytes(command.parameters);
  const Digest digest = sha1({be32(command.ordinal), command.parameters});
  for (Session* const session : command.sessions) builder.authorization(session->authorize(digest));
  return builder.finish();
}

Reply Client::parse(const Command& command, const Bytes& response) {
  ByteReader reader(response);
  reader.skip(6);
  Reply reply{.code = reader.be32(), .parameters = {}};
  if (!reader.ok() || reply.code != 0) return reply;
  if (command.returns_handle) reply.handle = reader.be32();
  const std::size_t below = kResponseAuth * command.sessions.size();
  const View parameters = reader.take(reader.remaining() - below);
  reply.parameters.assign(parameters.begin(), parameters.end());
  const Digest digest = sha1({be32(reply.code), be32(command.ordinal), parameters});
  for (Session* const session : command.sessions) {
    if (!session->accept(reader.take(kResponseAuth), digest)) {
      throw std::runtime_error("the HMAC of a response is wrong");
    }
  }
  return reply;
}

Reply Client::run(const Command& command) {
  return parse(command, submit_(bytes_of(command)));
}

Reply Client::must(const Command& command) {
  Reply reply = run(command);
  if (reply.code != 0) throw refused(command.ordinal, reply.code);
  return reply;
}

Session Client::oiap(const Digest& secret) {
  const Reply reply = must({.ordinal = ord::kOiap, .returns_handle = true});
  ByteReader reader(reply.parameters);
  Session session{.handle = reply.handle, .nonce_odd = random_nonce(), .secret = secret};
  session.nonce_even = read_digest(reader);
  return session;
}

Session Client::osap(std::uint16_t entity_type, std::uint32_t entity, const Digest& secret) {
  const Digest odd = random_nonce();
  Bytes parameters;
  ByteWriter writer(parameters);
  writer.be16(entity_type);
  writer.be32(entity);
  writer.bytes(odd);
  const Reply reply =
      must({.ordinal = ord::kOsap, .parameters = std::move(parameters), .returns_handle = true});
  ByteReader reader(reply.parameters);
  Session session{.handle = reply.handle, .nonce_odd = random_nonce()};
  session.nonce_even = read_digest(reader);
  session.secret = hmac_sha1(secret, {read_digest(reader), odd});
  return session;
}

bool Client::owned() {
  return property(tpm12::prop::kOwner) != 0;
}

void Client::take_ownership() {
  Bytes nonce(20, 7);
  Reply pubek = run({.ordinal = ord::kReadPubek, .parameters = nonce});
  if (pubek.code != 0) {
    Bytes parameters = nonce;
    const Bytes wanted = key_parameters(2048, KeyUse::Storage);
    parameters.insert(parameters.end(), wanted.begin(), wanted.end());
    must({.ordinal = ord::kCreateEndorsementKeyPair, .parameters = std::move(parameters)});
    pubek = must({.ordinal = ord::kReadPubek, .parameters = nonce});
  }
  const Bytes ek = modulus_of_public_key(pubek.parameters);
  Bytes parameters;
  ByteWriter writer(parameters);
  writer.be16(5);  // TPM_PID_OWNER
  for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}}) {
    const Bytes encrypted = oaep_encrypt(ek, secret_of(number));
    writer.be32(static_cast<std::uint32_t>(encrypted.size()));
    writer.bytes(encrypted);
  }
  writer.bytes(new_key(2048, KeyUse::Storage));
  Session session = oiap(secret_of(1));
  session.goes_on = false;
  must({.ordinal = ord::kTakeOwnership,
        .parameters = std::move(parameters),
        .sessions = {&session}});
}

Bytes Client::create_key(const Digest& secret, bool authorized) {
  Session session = osap(4, kSrk, secret_of(2));
  Bytes parameters;
  ByteWriter writer(parameters);
  writer.bytes(session.encrypt(secret, session.nonce_even));
  writer.bytes(session.encrypt(secret_of(0), session.nonce_odd));
  writer.bytes(new_key(1024, KeyUse::Signing, authorized));
  return must({.ordinal = ord::kCreateWrapKey,
               .handles = {kSrk},
               .parameters = std::move(parameters),
               .sessions = {&session}})
      .parameters;
}

std::uint32_t Client::load_key(View wrapped) {
  Session session = oiap(secret_of(2));
  session.goes_on = false;
  return must({.ordinal = ord::kLoadKey2,
               .handles = {kSrk},
               .parameters = {wrapped.begin(), wrapped.end()},
               .sessions = {&session},
               .returns_handle = true})
      .handle;
}

Bytes Client::sign(std::uint32_t key, const Digest& key_secret, const Digest& digest) {
  Session session = oiap(key_secret);
  session.goes_on = false;
  return sized(must({.ordinal = ord::kSign,
                     .handles = {key},
                     .parameters = sized_bytes(digest),
                     .sessions = {&session}})
                   .parameters);
}

Bytes Client::seal(const Digest& secret, View data) {
  Session session = osap(4, kSrk, secret_of(2));
  Bytes parameters;
  ByteWriter writer(parameters);
  writer.bytes(session.encrypt(secret, session.nonce_even));
  writer.be32(0);
  writer.bytes(sized_bytes(data));
  return must({.ordinal = ord::kSeal,
               .handles = {kSrk},
               .parameters = std::move(parameters),
               .sessions = {&session}})
      .parameters;
}

Bytes Client::unseal(const Digest& secret, View blob) {
  Session parent = oiap(secret_of(2));
  Session data = oiap(secret);
  parent.goes_on = data.goes_on = false;
  return sized(must({.ordinal = ord::kUnseal,
                     .handles = {kSrk},
                     .parameters = {blob.begin(), blob.end()},
                     .sessions = {&parent, &data}})
                   .parameters);
}

std::uint32_t Client::flush(std::uint32_t handle, std::uint32_t resource_type) {
  return run({.ordinal = ord::kFlushSpecific, .parameters = words({handle, resource_type})}).code;
}

std::vector<std::uint32_t> Client::handles(std::uint32_t resource_type) {
  const Bytes list = sized(must({.ordinal = ord::kGetCapability,
                                 .parameters = words({tpm12::cap::kHandle, 4, resource_type})})
                               .parameters);
  ByteReader reader(list);
  std::vector<std::uint32_t> found(reader.be16());
  for (std::uint32_t& handle : found) handle = reader.be32();
  return found;
}

std::uint32_t Client::property(std::uint32_t sub) {
  const Bytes value = sized(
      must({.ordinal = ord::kGetCapability, .parameters = words({tpm12::cap::kProperty, 4, sub})})
          .parameters);
  ByteReader reader(value);
  return value.size() == 1 ? reader.u8() : reader.be32();
}

Reply Client::save_context(std::uint32_t handle, std::uint32_t resource_type) {
  Bytes parameters = words({handle, resource_type});
  parameters.insert(parameters.end(), 16, 0x5A);
  return run({.ordinal = ord::kSaveContext, .parameters = std::move(parameters)});
}

Reply Client::load_context(std::uint32_t entity, bool keep, View blob) {
  Bytes parameters = words({entity});
  ByteWriter writer(parameters);
  writer.u8(keep ? 1 : 0);
  writer.bytes(sized_bytes(blob));
  return run(
      {.ordinal = ord::kLoadContext, .parameters = std::move(parameters), .returns_handle = true});
}

}  // namespace tbs::test::client12
