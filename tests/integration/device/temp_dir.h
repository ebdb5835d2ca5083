#pragma once

// A folder of one test's own, removed at its end.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace tbs::test {

class TempDir {
 public:
  TempDir() {
    std::string pattern = std::filesystem::temp_directory_path() / "tbs-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// A folder of its own for what this process and its children put into the folder for such things.
class PrivateTmp {
 public:
  PrivateTmp() {
    const char* const before = std::getenv("TMPDIR");
    if (before != nullptr) before_ = before;
    ::setenv("TMPDIR", folder_.path().c_str(), 1);
  }
  ~PrivateTmp() {
    if (before_.empty()) {
      ::unsetenv("TMPDIR");
    } else {
      ::setenv("TMPDIR", before_.c_str(), 1);
    }
  }
  PrivateTmp(const PrivateTmp&) = delete;
  PrivateTmp& operator=(const PrivateTmp&) = delete;

  [[nodiscard]] bool empty() const { return std::filesystem::is_empty(folder_.path()); }

 private:
  TempDir folder_;
  std::string before_;
};

}  // namespace tbs::test
