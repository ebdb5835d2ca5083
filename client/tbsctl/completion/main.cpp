// Writes the completion scripts into a folder: tbsctl-completion FOLDER.

#include <exception>
#include <fstream>
#include <iostream>

#include "client/tbsctl/completion/scripts.h"

namespace tbs::ctl {
namespace {

bool write_script(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) std::cerr << "tbsctl-completion: " << path << " cannot be written\n";
  return file.good();
}

bool write_scripts(const std::string& folder) {
  const auto tree = command_tree();
  return write_script(folder + "/tbsctl.bash", bash_script(tree)) &&
         write_script(folder + "/_tbsctl", zsh_script(tree)) &&
         write_script(folder + "/tbsctl.fish", fish_script(tree));
}

}  // namespace
}  // namespace tbs::ctl

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: tbsctl-completion FOLDER\n";
    return 2;
  }
  try {
    return tbs::ctl::write_scripts(argv[1]) ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "tbsctl-completion: " << error.what() << '\n';
    return 1;
  }
}
