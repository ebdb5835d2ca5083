#include "tests/rm12/owned_tpm.h"

#include "proto/tpm12/commands.h"
#include "tests/support/client12/client.h"

namespace tbs::test {
namespace {

constexpr std::uint8_t kKeys = 8;

struct Prepared {
  Prepared() {
    SoftwareTpm chip(SoftwareTpm::Family::Tpm12);
    chip.run(tpm12::build::startup_clear());
    client12::Client client([&chip](auto command) { return chip.run(command); });
    client.take_ownership();
    for (std::uint8_t i = 0; i < kKeys; ++i)
      keys.push_back(client.create_key(client12::secret_of(i)));
    open = client.create_key(client12::secret_of(0), false);
    flash = SoftwareTpm::flash();
  }

  SoftwareTpm::Flash flash;
  std::vector<client12::Bytes> keys;
  client12::Bytes open;
};

const Prepared& prepared() {
  static const Prepared made;
  return made;
}

}  // namespace

const SoftwareTpm::Flash& owned_flash() {
  return prepared().flash;
}

const client12::Bytes& signing_key(std::uint8_t number) {
  return prepared().keys.at(number);
}

const client12::Bytes& open_key() {
  return prepared().open;
}

}  // namespace tbs::test
