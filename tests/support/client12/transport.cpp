#include "tests/support/client12/transport.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "tests/support/client12/structures.h"

namespace tbs::test::client12 {
namespace {

using proto::ByteReader;
using proto::ByteWriter;

using tpm12::ord::kExecuteTransport;

// What the HMACs cover of a wrapped command or response is its digest, handles aside.
Bytes wrapped_digest(std::initializer_list<View> parts) {
  const Digest digest = sha1(parts);
  return {digest.begin(), digest.end()};
}

}  // namespace

Transport::Transport(Client& client) : client_(client) {
  session_.secret = secret_of(77);
  Bytes parameters;
  ByteWriter writer(parameters);
  writer.be16(0x001E);  // TPM_TAG_TRANSPORT_PUBLIC
  writer.be32(0);       // no encryption, no log, not exclusive
  writer.be32(0);
  writer.be16(0);
  writer.be32(20);
  writer.bytes(session_.secret);
  const Reply reply = client_.run({.ordinal = tpm12::ord::kEstablishTransport,
                                   .handles = {tpm12::kReservedTransport},
                                   .parameters = std::move(parameters),
                                   .returns_handle = true});
  if (reply.code != 0)
    throw std::runtime_error("no transport session: " + std::to_string(reply.code));
  session_.handle = reply.handle;
  session_.nonce_odd = random_nonce();
  // Locality, currentTicks, nonceEven.
  const View even = View(reply.parameters).last(20);
  std::ranges::copy(even, session_.nonce_even.begin());
}

Reply Transport::run(const Client::Command& command) {
  const Bytes wrapped = client_.bytes_of(command);
  const std::size_t below = tpm12::kCommandAuthSize * command.sessions.size();
  const std::size_t above = tpm12::kHeaderSize + tpm12::kHandleSize * command.handles.size();
  const View data = View(wrapped).subspan(above, wrapped.size() - above - below);
  Bytes covered = words({static_cast<std::uint32_t>(wrapped.size())});
  const Bytes inner = wrapped_digest({words({command.ordinal}), data});
  covered.insert(covered.end(), inner.begin(), inner.end());
  const Bytes auth = session_.authorize(sha1({words({kExecuteTransport}), covered}));
  const Bytes response = client_.exchange(frame(
      kExecuteTransport, 1, {words({static_cast<std::uint32_t>(wrapped.size())}), wrapped, auth}));

  ByteReader reader(response);
  reader.skip(6);
  outer_code_ = reader.be32();
  if (outer_code_ != 0) return {};
  const View ticks_and_locality = reader.take(12);
  const std::uint32_t size = reader.be32();
  const View answer = reader.take(size);
  const Reply reply = client_.parse(command, {answer.begin(), answer.end()});
  const Bytes outer =
      wrapped_digest({words({reply.code, command.ordinal}), View(reply.parameters)});
  const Digest digest =
      sha1({words({0, kExecuteTransport}), ticks_and_locality, words({size}), outer});
  if (!session_.accept(reader.take(tpm12::kResponseAuthSize), digest)) {
    throw std::runtime_error("the HMAC of a transport response is wrong");
  }
  return reply;
}

}  // namespace tbs::test::client12
