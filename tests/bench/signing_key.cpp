#include "tests/bench/signing_key.h"

#include <initializer_list>
#include <string_view>

#include "proto/limits.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/structures.h"
#include "tests/bench/expect_success.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/digest.h"
#include "tests/support/signing_template.h"

namespace tbs::bench {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;
using test::hmac_sha256;
using test::sha256;
using tpm::CommandBuilder;
using tpm::marshal;
using tpm::sized;

constexpr std::string_view kPassword = "benchmark";
constexpr std::size_t kNonceSize = 16;

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// A command from its parts; an empty authorization means none.
Buffer command_of(std::uint32_t code, std::initializer_list<std::uint32_t> handles,
                  Bytes authorization, Bytes parameters) {
  CommandBuilder command(code);
  for (const std::uint32_t handle : handles) command.handle(handle);
  if (!authorization.empty()) command.authorization(authorization);
  return command.bytes(parameters).finish();
}

Buffer authorization_of(std::uint32_t session, Bytes nonce, std::uint8_t attributes, Bytes secret) {
  return marshal(TPMS_AUTH_COMMAND{.sessionHandle = session,
                                   .nonce = *sized<TPM2B_NONCE>(nonce),
                                   .sessionAttributes = attributes,
                                   .hmac = *sized<TPM2B_AUTH>(secret)});
}

TPMT_PUBLIC key_template(std::uint32_t unique) {
  Buffer number;
  ByteWriter(number).be32(unique);
  return test::signing_template(number);
}

// Of TPM2_Sign, for the scheme that the key has.
Buffer sign_parameters() {
  Buffer parameters = marshal(*sized<TPM2B_DIGEST>(sha256(bytes_of("what is signed"))));
  ByteWriter out(parameters);
  out.be16(TPM2_ALG_NULL);
  out.bytes(marshal(
      TPMT_TK_HASHCHECK{.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL, .digest = {}}));
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
  ByteReader response(run(
      client, tpm::build::create_primary(TPM2_RH_OWNER, key_template(unique), bytes_of(kPassword)),
      "CreatePrimary"));
  response.skip(proto::kTpmHeaderSize);
  SigningKey key{.handle = response.be32(), .name = {}};
  response.skip(4);  // size of the parameters
  ByteWriter name(key.name);
  name.be16(TPM2_ALG_SHA256);
  name.bytes(sha256(response.take(response.be16())));
  return key;
}

void flush(Client& client, std::uint32_t handle) {
  run(client, tpm::build::flush_context(handle), "FlushContext");
}

Buffer save(Client& client, std::uint32_t handle) {
  const Bytes context =
      run(client, tpm::build::context_save(handle), "ContextSave").subspan(proto::kTpmHeaderSize);
  return {context.begin(), context.end()};
}

std::uint32_t load(Client& client, const Buffer& context) {
  return test::tpm::handle(run(client, tpm::build::context_load(context), "ContextLoad"));
}

void sign_by_password(Client& client, const SigningKey& key) {
  const Buffer authorization = tpm::password_authorization(bytes_of(kPassword));
  run(client, command_of(TPM2_CC_Sign, {key.handle}, authorization, the_sign_parameters()), "Sign");
}

HmacSession::HmacSession(Client& client) : caller_nonce_(kNonceSize, 0x5A) {
  ByteReader response(run(client,
                          CommandBuilder(TPM2_CC_StartAuthSession)
                              .handle(TPM2_RH_NULL)
                              .handle(TPM2_RH_NULL)
                              .sized(caller_nonce_)
                              .u16(0)  // salt
                              .u8(TPM2_SE_HMAC)
                              .u16(TPM2_ALG_NULL)
                              .u16(TPM2_ALG_SHA256)
                              .finish(),
                          "StartAuthSession"));
  response.skip(proto::kTpmHeaderSize);
  handle_ = response.be32();
  const Bytes nonce = response.take(response.be16());
  tpm_nonce_.assign(nonce.begin(), nonce.end());
}

void HmacSession::sign(Client& client, const SigningKey& key) {
  Buffer hashed;
  ByteWriter out(hashed);
  out.be32(TPM2_CC_Sign);
  out.bytes(key.name);
  out.bytes(the_sign_parameters());
  take_nonce(run(
      client,
      command_of(TPM2_CC_Sign, {key.handle}, authorization(sha256(hashed)), the_sign_parameters()),
      "Sign"));
}

Buffer HmacSession::authorization(const Buffer& command_hash) const {
  Buffer input = command_hash;
  ByteWriter out(input);
  out.bytes(caller_nonce_);
  out.bytes(tpm_nonce_);
  out.u8(tpm::kContinueSession);
  return authorization_of(handle_, caller_nonce_, tpm::kContinueSession,
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
