#include "tests/support/client12/crypto.h"

#include <memory>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdexcept>

namespace tbs::test::client12 {
namespace {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};

using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

void require(bool good) {
  if (!good) throw std::runtime_error("OpenSSL refuses");
}

Bytes joined(std::initializer_list<View> parts) {
  Bytes all;
  for (const View part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Key public_key(View modulus) {
  const Number n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const Builder builder(OSSL_PARAM_BLD_new());
  require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
          OSSL_PARAM_BLD_push_ulong(builder.get(), OSSL_PKEY_PARAM_RSA_E, 65537) == 1);
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  require(EVP_PKEY_fromdata_init(context.get()) == 1 &&
          EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) == 1);
  return Key(key);
}

}  // namespace

Digest sha1(std::initializer_list<View> parts) {
  const Bytes all = joined(parts);
  Digest digest{};
  require(EVP_Digest(all.data(), all.size(), digest.data(), nullptr, EVP_sha1(), nullptr) == 1);
  return digest;
}

Digest hmac_sha1(View key, std::initializer_list<View> parts) {
  const Bytes all = joined(parts);
  Digest digest{};
  require(HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), all.data(), all.size(),
               digest.data(), nullptr) != nullptr);
  return digest;
}

Digest random_nonce() {
  Digest nonce{};
  require(RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) == 1);
  return nonce;
}

Bytes oaep_encrypt(View modulus, View secret) {
  const Key key = public_key(modulus);
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  // Taken over by the context.
  auto* const label = static_cast<unsigned char*>(OPENSSL_memdup("TCPA", 4));
  require(EVP_PKEY_encrypt_init(context.get()) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
          EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), label, 4) == 1);
  Bytes encrypted(modulus.size());
  std::size_t size = encrypted.size();
  require(EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, secret.data(), secret.size()) ==
          1);
  encrypted.resize(size);
  return encrypted;
}

bool signature_is_good(View modulus, const Digest& digest, View signature) {
  const Key key = public_key(modulus);
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  require(EVP_PKEY_verify_init(context.get()) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
          EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha1()) == 1);
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                         digest.size()) == 1;
}

}  // namespace tbs::test::client12
