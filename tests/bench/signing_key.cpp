#include "tests/bench/signing_key.h"

#include <array>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string_view>

#include "proto/limits.h"
#include "proto/tpm_header.h"
#include "tests/bench/command_codes.h"
#include "tests/bench/swtpm.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;

constexpr std::string_view kPassword = "benchmark";
constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kNonceSize = 16;
// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, sign.
constexpr std::uint32_t kSigningKey = 0x00040472;

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Buffer sha256(Bytes data) {
  Buffer digest(kDigestSize);
  EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

Buffer hmac_sha256(Bytes key, Bytes data) {
  Buffer digest(kDigestSize);
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(),
         digest.data(), nullptr);
  return digest;
}

void put_sized(ByteWriter& out, Bytes data) {
  out.be16(static_cast<std::uint16_t>(data.size()));
  out.bytes(data);
}

// A command from its parts; an empty authorization area means none.
Buffer command_of(std::uint32_t code, Bytes handles, Bytes authorization, Bytes parameters) {
  const bool authorized = !authorization.empty();
  const std::size_t size = proto::kTpmHeaderSize + handles.size() + parameters.size() +
                           (authorized ? 4 + authorization.size() : 0);
  Buffer command;
  ByteWriter out(command);
  out.be16(authorized ? proto::kTagSessions : proto::kTagNoSessions);
  out.be32(static_cast<std::uint32_t>(size));
  out.be32(code);
  out.bytes(handles);
  if (authorized) out.be32(static_cast<std::uint32_t>(authorization.size()));
  out.bytes(authorization);
  out.bytes(parameters);
  return command;
}

Buffer handle_bytes(std::uint32_t handle) {
  Buffer bytes;
  ByteWriter(bytes).be32(handle);
  return bytes;
}

// TPMS_AUTH_COMMAND.
Buffer authorization_of(std::uint32_t session, Bytes nonce, std::uint8_t attributes, Bytes secret) {
  Buffer area;
  ByteWriter out(area);
  out.be32(session);
  put_sized(out, nonce);
  out.u8(attributes);
  put_sized(out, secret);
  return area;
}

Buffer key_template(std::uint32_t unique) {
  Buffer area;
  ByteWriter out(area);
  out.be16(kAlgEcc);
  out.be16(kAlgSha256);
  out.be32(kSigningKey);
  out.be16(0);         // authPolicy
  out.be16(kAlgNull);  // symmetric
  out.be16(kAlgEcdsa);
  out.be16(kAlgSha256);
  out.be16(kEccNistP256);
  out.be16(kAlgNull);  // kdf
  put_sized(out, handle_bytes(unique));
  out.be16(0);
  return area;
}

Buffer create_parameters(std::uint32_t unique) {
  Buffer sensitive;
  ByteWriter inner(sensitive);
  put_sized(inner, bytes_of(kPassword));
  inner.be16(0);
  Buffer parameters;
  ByteWriter out(parameters);
  put_sized(out, sensitive);
  put_sized(out, key_template(unique));
  out.be16(0);  // outsideInfo
  out.be32(0);  // creationPCR
  return parameters;
}

// Of TPM2_Sign, for the scheme that the key has.
Buffer sign_parameters() {
  Buffer parameters;
  ByteWriter out(parameters);
  put_sized(out, sha256(bytes_of("what is signed")));
  out.be16(kAlgNull);
  out.be16(kStHashCheck);
  out.be32(kRhNull);
  out.be16(0);
  return parameters;
}

const Buffer& the_sign_parameters() {
  static const Buffer parameters = sign_parameters();
  return parameters;
}

Bytes run(Client& client, const Buffer& command, const char* what) {
  const Bytes response = client.run(command);
  expect_success(response, what);
  return response;
}

}  // namespace

SigningKey create_key(Client& client, std::uint32_t unique) {
  const Buffer owner = authorization_of(kRsPassword, {}, 0, {});
  ByteReader response(
      run(client,
          command_of(kCcCreatePrimary, handle_bytes(kRhOwner), owner, create_parameters(unique)),
          "CreatePrimary"));
  response.skip(proto::kTpmHeaderSize);
  SigningKey key{.handle = response.be32(), .name = {}};
  response.skip(4);  // size of the parameters
  ByteWriter name(key.name);
  name.be16(kAlgSha256);
  name.bytes(sha256(response.take(response.be16())));
  return key;
}

void flush(Client& client, std::uint32_t handle) {
  run(client, test::tpm::flush_context(handle), "FlushContext");
}

Buffer save(Client& client, std::uint32_t handle) {
  const Bytes context =
      run(client, command_of(kCcContextSave, handle_bytes(handle), {}, {}), "ContextSave")
          .subspan(proto::kTpmHeaderSize);
  return {context.begin(), context.end()};
}

std::uint32_t load(Client& client, const Buffer& context) {
  return test::tpm::handle(run(client, command_of(kCcContextLoad, {}, {}, context), "ContextLoad"));
}

void sign_by_password(Client& client, const SigningKey& key) {
  const Buffer authorization = authorization_of(kRsPassword, {}, 0, bytes_of(kPassword));
  run(client, command_of(kCcSign, handle_bytes(key.handle), authorization, the_sign_parameters()),
      "Sign");
}

HmacSession::HmacSession(Client& client) : caller_nonce_(kNonceSize, 0x5A) {
  Buffer parameters;
  ByteWriter out(parameters);
  put_sized(out, caller_nonce_);
  out.be16(0);  // salt
  out.u8(kSessionHmac);
  out.be16(kAlgNull);
  out.be16(kAlgSha256);
  Buffer handles = handle_bytes(kRhNull);
  ByteWriter(handles).be32(kRhNull);
  ByteReader response(
      run(client, command_of(kCcStartAuthSession, handles, {}, parameters), "StartAuthSession"));
  response.skip(proto::kTpmHeaderSize);
  handle_ = response.be32();
  const Bytes nonce = response.take(response.be16());
  tpm_nonce_.assign(nonce.begin(), nonce.end());
}

void HmacSession::sign(Client& client, const SigningKey& key) {
  Buffer hashed = handle_bytes(kCcSign);
  ByteWriter out(hashed);
  out.bytes(key.name);
  out.bytes(the_sign_parameters());
  take_nonce(run(client,
                 command_of(kCcSign, handle_bytes(key.handle), authorization(sha256(hashed)),
                            the_sign_parameters()),
                 "Sign"));
}

Buffer HmacSession::authorization(const Buffer& command_hash) const {
  Buffer input = command_hash;
  ByteWriter out(input);
  out.bytes(caller_nonce_);
  out.bytes(tpm_nonce_);
  out.u8(kContinueSession);
  return authorization_of(handle_, caller_nonce_, kContinueSession,
                          hmac_sha256(bytes_of(kPassword), input));
}

// The authorization area follows the parameters.
void HmacSession::take_nonce(Bytes response) {
  ByteReader reader(response);
  reader.skip(proto::kTpmHeaderSize);
  reader.skip(reader.be32());
  const Bytes nonce = reader.take(reader.be16());
  tpm_nonce_.assign(nonce.begin(), nonce.end());
}

}  // namespace tbs::bench
