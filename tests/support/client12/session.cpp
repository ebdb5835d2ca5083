#include "tests/support/client12/session.h"

#include <algorithm>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::test::client12 {

Bytes Session::authorize(const Digest& in_parameters) {
  const std::uint8_t flag = goes_on ? 1 : 0;
  const Digest hmac = hmac_sha1(secret, {in_parameters, nonce_even, nonce_odd, View(&flag, 1)});
  Bytes line;
  proto::ByteWriter writer(line);
  writer.be32(handle);
  writer.bytes(nonce_odd);
  writer.u8(flag);
  writer.bytes(hmac);
  return line;
}

bool Session::accept(View authorization, const Digest& out_parameters) {
  proto::ByteReader reader(authorization);
  std::ranges::copy(reader.take(20), nonce_even.begin());
  const std::uint8_t flag = reader.u8();
  const Digest hmac = hmac_sha1(secret, {out_parameters, nonce_even, nonce_odd, View(&flag, 1)});
  goes_on = flag != 0;
  const bool good = std::ranges::equal(reader.rest(), hmac);
  nonce_odd = random_nonce();
  return good;
}

Digest Session::encrypt(const Digest& new_secret, const Digest& nonce) const {
  Digest pad = sha1({secret, nonce});
  for (std::size_t i = 0; i < pad.size(); ++i) pad[i] ^= new_secret[i];
  return pad;
}

}  // namespace tbs::test::client12
