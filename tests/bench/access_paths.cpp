#include "tests/bench/access_paths.h"

#include "tests/bench/daemon.h"
#include "tests/bench/tabrmd.h"
#include "tests/bench/tabrmd_client.h"
#include "tests/bench/tbs_client.h"

namespace tbs::bench {
namespace {

class RawPath : public AccessPath {
 public:
  explicit RawPath(const Chip& chip) : AccessPath("raw", chip) {
    lead(direct_clients(relay()), true);
  }
};

class TabrmdPath : public AccessPath {
 public:
  explicit TabrmdPath(const Chip& chip)
      : AccessPath("tpm2-abrmd", chip),
        tabrmd_(folder(), std::string(chip.name),
                "swtpm:host=127.0.0.1,port=" + std::to_string(relay().port())) {
    lead(tabrmd_clients(tabrmd_.bus_name()), false);
  }

 private:
  Tabrmd tabrmd_;
};

class TbsdPath : public AccessPath {
 public:
  TbsdPath(const Setup& setup, const Chip& chip)
      : AccessPath("tbsd", chip),
        daemon_(setup, folder(), "tbsd",
                "swtpm:host=127.0.0.1,port=" + std::to_string(relay().port())) {
    daemon_.wait_until_ready();
    lead(tbs_clients(daemon_.socket()), false);
  }

 private:
  Daemon daemon_;
};

}  // namespace

AccessPath::AccessPath(std::string name, const Chip& chip)
    : name_(std::move(name)), chip_(chip), tpm_(folder_), relay_(tpm_.data_socket()) {}

AccessPaths build_roads(const Setup& setup, const Chip& chip) {
  AccessPaths paths;
  paths.push_back(std::make_unique<RawPath>(chip));
  if (have_tabrmd()) paths.push_back(std::make_unique<TabrmdPath>(chip));
  paths.push_back(std::make_unique<TbsdPath>(setup, chip));
  return paths;
}

}  // namespace tbs::bench
