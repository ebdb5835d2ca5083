#pragma once

// The folder that keeps the embedded TPM's non-volatile memory: one file per blob that libtpms
// names, written so that a crash at any moment leaves the old content or the new one, and a lock so
// that two processes never share it.

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tbs::device::embedded {

class StateFolder {
 public:
  // Creates the folder (0700) where it is missing; its parent must exist. Waits a second at most
  // for another process to let go of it. `durable` says whether the content must survive a power
  // cut.
  static std::expected<StateFolder, std::string> open(const std::string& path,
                                                      std::string_view prefix, bool durable);

  StateFolder(StateFolder&& other) noexcept;
  StateFolder& operator=(StateFolder&&) = delete;
  ~StateFolder();
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;

  // Nothing when there is no such blob.
  std::expected<std::optional<std::vector<std::uint8_t>>, std::string> load(
      std::string_view name) const;
  std::expected<void, std::string> store(std::string_view name,
                                         std::span<const std::uint8_t> data) const;
  // False when there was no such blob.
  std::expected<bool, std::string> remove(std::string_view name) const;

 private:
  StateFolder(std::string path, std::string_view prefix, bool durable)
      : path_(std::move(path)), prefix_(prefix), durable_(durable) {}

  std::expected<void, std::string> lock();
  std::expected<void, std::string> write_file(const std::string& file,
                                              std::span<const std::uint8_t> data) const;
  [[nodiscard]] std::string file_name(std::string_view blob) const;
  [[nodiscard]] std::unexpected<std::string> failure(std::string_view verb,
                                                     std::string_view file) const;

  std::string path_;
  std::string prefix_;  // of the file names: a folder may hold a TPM of each family
  bool durable_;
  int folder_ = -1;
  int lock_ = -1;
};

}  // namespace tbs::device::embedded
