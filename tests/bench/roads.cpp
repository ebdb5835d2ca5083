#include "tests/bench/roads.h"

#include "tests/bench/daemon.h"
#include "tests/bench/tabrmd.h"
#include "tests/bench/tabrmd_client.h"
#include "tests/bench/tbs_client.h"

namespace tbs::bench {
namespace {

class RawRoad : public Road {
 public:
  explicit RawRoad(const Chip& chip) : Road("raw", chip) { lead(direct_clients(relay()), true); }
};

class TabrmdRoad : public Road {
 public:
  explicit TabrmdRoad(const Chip& chip)
      : Road("tpm2-abrmd", chip),
        tabrmd_(folder(), std::string(chip.name),
                "swtpm:host=127.0.0.1,port=" + std::to_string(relay().port())) {
    lead(tabrmd_clients(tabrmd_.bus_name()), false);
  }

 private:
  Tabrmd tabrmd_;
};

class TbsdRoad : public Road {
 public:
  TbsdRoad(const Setup& setup, const Chip& chip)
      : Road("tbsd", chip),
        daemon_(setup, folder(), "tbsd",
                "swtpm:host=127.0.0.1,port=" + std::to_string(relay().port())) {
    daemon_.wait_until_ready();
    lead(tbs_clients(daemon_.socket()), false);
  }

 private:
  Daemon daemon_;
};

}  // namespace

Road::Road(std::string name, const Chip& chip)
    : name_(std::move(name)), chip_(chip), tpm_(folder_), relay_(tpm_.data_socket()) {}

Roads build_roads(const Setup& setup, const Chip& chip) {
  Roads roads;
  roads.push_back(std::make_unique<RawRoad>(chip));
  if (have_tabrmd()) roads.push_back(std::make_unique<TabrmdRoad>(chip));
  roads.push_back(std::make_unique<TbsdRoad>(setup, chip));
  return roads;
}

}  // namespace tbs::bench
