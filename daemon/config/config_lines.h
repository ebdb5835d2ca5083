#pragma once

// Finds the line of the configuration file that an error is about. The option parser knows the
// name and no line.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tbs {

struct ConfigLine {
  std::size_t number = 0;  // from 1; 0 when no line is to blame
  std::string name;        // of the option
};

// The last line of the file whose option is named in `message` and not given on the command line,
// where it would have overridden the file.
ConfigLine find_config_line(std::string_view file, std::string_view message,
                            const std::vector<std::string>& arguments);

}  // namespace tbs
