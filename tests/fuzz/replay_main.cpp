// Runs every file of a folder through a fuzz target once. It fails when there is none, so that a
// corpus that went missing does not pass for one that was run.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::uint8_t> content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  return {bytes.begin(), bytes.end()};
}

}  // namespace

int main(int count, char** values) {
  if (count != 2) return 2;
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(values[1])) {
    const std::vector<std::uint8_t> input = content(entry.path());
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++inputs;
  }
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::printf("%d inputs\n", inputs);
  return inputs == 0 ? 1 : 0;
}
