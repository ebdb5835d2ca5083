#pragma once

// Three paths to a TPM, each to one of its own with a relay in front: straight, through tpm2-abrmd,
// through tbsd.

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/chip.h"
#include "tests/bench/client.h"
#include "tests/bench/relay.h"
#include "tests/bench/setup.h"
#include "tests/bench/swtpm.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::bench {

class AccessPath {
 public:
  AccessPath(std::string name, const Chip& chip);
  virtual ~AccessPath() = default;
  AccessPath(const AccessPath&) = delete;
  AccessPath& operator=(const AccessPath&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // Nobody keeps objects apart or makes room for them.
  [[nodiscard]] bool raw() const { return raw_; }
  [[nodiscard]] std::unique_ptr<Client> open() const { return open_(); }
  [[nodiscard]] std::size_t tpm_commands() const { return relay_.commands(); }
  // The TPM is as slow as the chip only between the two.
  void slow_down() { relay_.take_times_of(chip_); }
  void speed_up() { relay_.take_times_of(kNoChip); }

 protected:
  void lead(OpenClient open, bool raw) {
    open_ = std::move(open);
    raw_ = raw;
  }
  [[nodiscard]] const test::TempFolder& folder() const { return folder_; }
  [[nodiscard]] const Relay& relay() const { return relay_; }

 private:
  std::string name_;
  const Chip& chip_;
  test::TempFolder folder_;
  Swtpm tpm_;
  Relay relay_;
  OpenClient open_;
  bool raw_ = false;
};

using AccessPaths = std::vector<std::unique_ptr<AccessPath>>;

// All that can be had: tpm2-abrmd may not be installed. The bus for it must be there.
AccessPaths build_roads(const Setup& setup, const Chip& chip);

}  // namespace tbs::bench
