#include "client/tbsctl/log/uefi/certificate.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

// No certificate in a firmware's variable is longer.
constexpr std::size_t kMostCertificate = 65536;

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  // UTF-8 stays as it is.
  constexpr unsigned long kFlags =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (memory == nullptr || X509_NAME_print_ex(memory.get(), name, 0, kFlags) < 0) return "?";
  const char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  if (text == nullptr || size <= 0) return "no name";
  return log_text({text, static_cast<std::size_t>(size)});
}

std::string day_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return "?";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday);
  return text.data();
}

}  // namespace

std::optional<Certificate> read_certificate(proto::Bytes der) {
  if (der.empty() || der.size() > kMostCertificate) return std::nullopt;
  const unsigned char* position = der.data();
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      d2i_X509(nullptr, &position, static_cast<long>(der.size())), X509_free);
  ERR_clear_error();
  if (certificate == nullptr) return std::nullopt;
  const auto size = static_cast<std::size_t>(position - der.data());
  const auto digest = bank_digest(TPM2_ALG_SHA256, der.first(size));
  return Certificate{.subject = name_text(X509_get_subject_name(certificate.get())),
                     .issuer = name_text(X509_get_issuer_name(certificate.get())),
                     .not_before = day_text(X509_get0_notBefore(certificate.get())),
                     .not_after = day_text(X509_get0_notAfter(certificate.get())),
                     .sha256 = digest ? to_hex(*digest) : "?"};
}

}  // namespace tbs::ctl
