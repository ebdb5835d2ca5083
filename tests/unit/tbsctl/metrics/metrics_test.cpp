#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "client/tbsctl/metrics/commands.h"
#include "client/tbsctl/metrics/page_answer.h"
#include "client/tbsctl/metrics/text_file.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/scratch_folder.h"

using namespace tbs::ctl;

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the metrics' socket is beside the daemon's", "[tbsctl][metrics]") {
  CHECK(metrics_socket_beside("") == "/run/tbs/metrics.sock");
  CHECK(metrics_socket_beside("/run/tbs/tbsd.sock") == "/run/tbs/metrics.sock");
  CHECK(metrics_socket_beside("/run/tbs/admin.sock") == "/run/tbs/metrics.sock");
  CHECK(metrics_socket_beside("/run/tbs/tpm1.sock") == "/run/tbs/tpm1.metrics.sock");
  CHECK(metrics_socket_beside("/run/tbs/tpm1.admin.sock") == "/run/tbs/tpm1.metrics.sock");
  CHECK(metrics_socket_beside("tbsd.sock") == "metrics.sock");
  CHECK(metrics_socket_beside("/tmp/s") == "/tmp/s.metrics.sock");
}

TEST_CASE("an answer is a page that has come to its end, or a reason", "[tbsctl][metrics]") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n";
  CHECK(page_in(head + "a 1\n") == "a 1\n");
  CHECK(page_in("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == "");
  const auto error_of = [](const std::string& answer) { return page_in(answer).error(); };
  CHECK(error_of(head + "a 1") == "the page did not come to its end");
  CHECK(error_of(head + "a 1\nb") == "the page did not come to its end");
  CHECK(error_of("HTTP/1.1 200 OK\r\n\r\na 1\n") == "the page did not come to its end");
  CHECK(error_of("HTTP/1.1 200 OK\r\nContent-Length: x4\r\n\r\na 1\n") ==
        "the page did not come to its end");
  CHECK(error_of("HTTP/1.1 503 Service Unavailable\r\n\r\n") ==
        "tbsd answered 503 Service Unavailable");
  CHECK(error_of("HTTP/1.1 \x1b[31m\r\n\r\n").find('\x1b') == std::string::npos);
  for (const char* const other : {"", "HTTP/1.1 200 OK", "TBS\x01\r\n\r\n"}) {
    CHECK(error_of(other) == "what answers there is no tbsd");
  }
}

TEST_CASE("a file is replaced in one step, and everybody may read it", "[tbsctl][metrics]") {
  const tbs::test::ScratchFolder folder;
  const std::filesystem::path path = std::filesystem::path(folder.path()) / "tbs.prom";
  REQUIRE(replace_file(path, "a 1\n"));
  CHECK(text_of(path) == "a 1\n");
  const std::ifstream reader(path);
  REQUIRE(replace_file(path, "a 22\n"));
  CHECK(text_of(path) == "a 22\n");
  // Who had opened the old one has it in full.
  std::stringstream old;
  old << reader.rdbuf();
  CHECK(old.str() == "a 1\n");
  struct stat info{};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0644);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a file that cannot be written leaves nothing behind", "[tbsctl][metrics]") {
  const tbs::test::ScratchFolder folder;
  const auto missing =
      replace_file(std::filesystem::path(folder.path()) / "none" / "tbs.prom", "a 1\n");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("tbs.prom") != std::string::npos);
  // A folder of that name cannot be replaced by a file.
  std::filesystem::create_directory(std::filesystem::path(folder.path()) / "tbs.prom");
  CHECK_FALSE(replace_file(std::filesystem::path(folder.path()) / "tbs.prom", "a 1\n"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}
