// Writes the completion scripts into a folder: tbsctl-completion FOLDER.

#include <fstream>
#include <iostream>
#include <span>

#include "client/tbsctl/completion/scripts.h"

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() != 2) {
    std::cerr << "usage: tbsctl-completion FOLDER\n";
    return 2;
  }
  const auto tree = tbs::ctl::command_tree();
  const auto write = [folder = std::string(arguments[1])](const char* name,
                                                          const std::string& text) {
    std::ofstream file(folder + "/" + name);
    file << text;
    file.close();
    if (!file)
      std::cerr << "tbsctl-completion: " << folder << "/" << name << " cannot be written\n";
    return file.good();
  };
  const bool written = write("tbsctl.bash", bash_script(tree)) &&
                       write("_tbsctl", zsh_script(tree)) &&
                       write("tbsctl.fish", fish_script(tree));
  return written ? 0 : 1;
}
