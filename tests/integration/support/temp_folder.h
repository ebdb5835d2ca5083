#pragma once

// A folder of the test's own, gone with all it holds when the test ends. Others may look into it:
// scenarios with a second user need the daemon's socket there.

#include <string>

namespace tbs::test {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Writes `text` as the whole content of the file.
void write_file(const std::string& path, const std::string& text);
// The file's content; empty when there is none.
std::string read_file(const std::string& path);

}  // namespace tbs::test
