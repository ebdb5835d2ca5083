#pragma once

// Whether the folders that the daemon keeps things in can be used, as far as that can be seen from
// outside: for `tbsd --check`.

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace tbs::config {

struct FolderFinding {
  std::string text;    // "state-dir: /x: Not a directory; name a folder: ..."
  bool wrong = false;  // the configuration cannot be right; else it may be so for now only
};

// Nothing for folders that can be used, and for those that do not exist yet: the service manager
// makes state-dir, and the embedded TPM its own.
std::vector<FolderFinding> find_unusable_folders(const Config& config);

}  // namespace tbs::config
