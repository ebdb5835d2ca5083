#include "client/tbsctl/tpm/command_bytes.h"

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/scratch_folder.h"

using namespace tbs::ctl;
using tbs::test::ScratchFolder;

TEST_CASE("only a whole TPM command is sent", "[tbsctl][submit]") {
  CHECK(command_from_hex("80010000000c0000017b0010")->size() == 12);
  const auto too_short = command_from_hex("8001");
  CHECK(too_short.error().exit == Exit::Usage);
  CHECK(too_short.error().message ==
        "not a TPM command: it has 2 bytes, the header alone takes 10");
  CHECK(command_from_hex("80010000000c0000017b").error().message ==
        "not a TPM command: its header says 12 bytes, there are 10");
  CHECK(command_from_hex(std::string(2 * 16385, '0')).error().message ==
        "the TPM command is too large: more than 16384 bytes");
}

TEST_CASE("a command in a file is text or bytes", "[tbsctl][submit]") {
  const ScratchFolder folder;
  const std::string bytes("\x80\x01\0\0\0\x0c\0\0\x01\x7b\0\x10", 12);
  CHECK(command_from_file(folder.file("binary", bytes))->size() == 12);
  CHECK(command_from_file(folder.file("text", "80 01 0000000c\n0x0000017b 0010\n"))->size() == 12);
  const auto empty = command_from_file(folder.file("empty", ""));
  CHECK(empty.error().exit == Exit::Usage);
  CHECK(empty.error().message.ends_with("/empty is empty"));
  CHECK(command_from_file(folder.path()).error().message.ends_with(": it is a folder"));
  CHECK(command_from_file("/dev/zero").error().message.find("more than") != std::string::npos);
}
