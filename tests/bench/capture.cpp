#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/bench/daemon.h"
#include "tests/bench/daemon_pairs.h"
#include "tests/bench/sections.h"
#include "tests/bench/swtpm.h"
#include "tests/integration/support/eventually.h"
#include "tests/integration/support/program.h"

namespace tbs::bench {
namespace {

// tbsctl, which reads what the daemon captures and writes it to a file.
class Reader {
 public:
  Reader(const Setup& setup, const Daemon& daemon, const test::TempFolder& folder)
      : file_(folder / "capture.pcapng"),
        program_({.command = {setup.tbsctl, "--socket", daemon.socket(), "capture", "-w", file_},
                  .environment = {},
                  .output = folder / "capture.log"}) {
    if (!test::eventually([&] { return std::filesystem::exists(file_); })) {
      throw std::runtime_error("tbsctl capture has not begun");
    }
  }

  // Of what it has written until now.
  [[nodiscard]] double bytes() const {
    return static_cast<double>(std::filesystem::file_size(file_));
  }

 private:
  std::string file_;
  test::Program program_;
};

}  // namespace

Section measure_capture(const Setup& setup) {
  const test::TempFolder captured_folder;
  const test::TempFolder other_folder;
  const Swtpm captured_tpm(captured_folder);
  const Swtpm other_tpm(other_folder);
  Daemon captured(setup, captured_folder, "captured", captured_tpm.device());
  Daemon other(setup, other_folder, "other", other_tpm.device());
  captured.wait_until_ready();
  other.wait_until_ready();
  const Reader reader(setup, captured, captured_folder);
  Table table{.title = "GetRandom(16) on swtpm: what it costs that tbsctl captures all, in pairs",
              .columns = pair_columns()};
  for (const unsigned clients : {1U, 8U, 64U}) {
    table.rows.push_back(pair_row(clients, compare(setup, captured, other, clients)));
  }
  if (reader.bytes() == 0) throw std::runtime_error("tbsctl has captured nothing");
  Section section{.name = "capture"};
  section.tables.push_back(std::move(table));
  return section;
}

}  // namespace tbs::bench
