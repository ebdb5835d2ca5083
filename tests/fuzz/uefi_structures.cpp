// Structures in the events of a log, one reader after the other by the first byte: variables,
// databases of Secure Boot and their certificates, boot options, device paths, partition tables,
// what devices say of themselves, and what boot loaders tag.

#include <array>
#include <optional>

#include "client/tbsctl/log/event_text.h"
#include "client/tbsctl/log/events/device_security.h"
#include "client/tbsctl/log/events/firmware.h"
#include "client/tbsctl/log/uefi/boot_option.h"
#include "client/tbsctl/log/uefi/device_path.h"
#include "client/tbsctl/log/uefi/partition_table.h"
#include "client/tbsctl/log/uefi/signature_list.h"
#include "client/tbsctl/log/uefi/variable.h"
#include "tests/fuzz/printed_description.h"

using namespace tbs;

namespace {

void check(const std::optional<ctl::Description>& description) {
  if (description) test::check_description(*description);
}

void read_lists(proto::Bytes bytes) {
  const auto lists = ctl::read_signature_lists(bytes);
  if (!lists) return;
  std::size_t size = 0;
  for (const ctl::EfiSignatureList& list : *lists) {
    for (const ctl::EfiSignature& signature : list.signatures) size += signature.data.size();
  }
  test::require(size <= bytes.size());
  check(ctl::describe_signature_lists(*lists));
}

void read_path(proto::Bytes bytes) {
  const ctl::DevicePath path = ctl::read_device_path(bytes);
  test::check_line(path.text);
  test::check_line(path.file);
  test::check_line(ctl::place_text(path));
}

void read_event(std::uint32_t type, proto::Bytes bytes) {
  for (const std::uint32_t pcr : {9U, 11U, 12U, 14U}) {
    check(ctl::describe_event({.pcr = pcr, .type = type, .digests = {}, .data = bytes}));
  }
}

constexpr std::array<void (*)(proto::Bytes), 12> kReaders = {
    read_lists,
    read_path,
    [](proto::Bytes bytes) { check(ctl::describe_authority(bytes)); },
    [](proto::Bytes bytes) { check(ctl::describe_boot_option(bytes)); },
    [](proto::Bytes bytes) { check(ctl::describe_partition_table(bytes)); },
    [](proto::Bytes bytes) { check(ctl::describe_device_security(bytes)); },
    [](proto::Bytes bytes) { check(ctl::describe_variable(bytes, false)); },
    [](proto::Bytes bytes) { check(ctl::describe_variable(bytes, true)); },
    [](proto::Bytes bytes) { check(ctl::describe_image(bytes)); },
    [](proto::Bytes bytes) { check(ctl::describe_tables(bytes, true)); },
    [](proto::Bytes bytes) { read_event(0x06, bytes); },
    [](proto::Bytes bytes) { read_event(0x0D, bytes); },
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  kReaders.at(data[0] % kReaders.size())(proto::Bytes(data, size).subspan(1));
  return 0;
}
