// The configuration: what is in force and where it comes from, and errors that name the line.

#include "tests/integration/support/daemon_process.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).contains("\n" + line + "\n");
}

Outcome run_with_file(const std::string& text, std::vector<std::string> arguments = {}) {
  TempFolder folder;
  write_file(folder / "tbsd.conf", text);
  arguments.push_back("--config=" + folder / "tbsd.conf");
  Outcome outcome = run_tbsd(folder, arguments);
  // The folder's name is of no interest to the test.
  for (std::size_t at = 0;
       (at = outcome.output.find(folder.path() + "/", at)) != std::string::npos;) {
    outcome.output.erase(at, folder.path().size() + 1);
  }
  return outcome;
}

}  // namespace

TEST_CASE("--print-config says what is in force and from where") {
  const Outcome outcome =
      run_with_file("max-contexts=17\nlog-level=debug\n",
                    {"--device=embedded", "--log-level", "warn", "--print-config"});
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
  CHECK(has_line(outcome.output, "device = embedded  # command line"));
  CHECK(has_line(outcome.output, "log-level = warn  # command line"));
  CHECK(has_line(outcome.output, "max-contexts = 17  # tbsd.conf"));
  CHECK(has_line(outcome.output, "socket = /run/tbs/tbsd.sock  # default"));
}

TEST_CASE("a file may have comments and blank lines") {
  const Outcome outcome =
      run_with_file("# a comment\n\n; another\nmax-contexts = 18\n", {"--print-config"});
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
  CHECK(has_line(outcome.output, "max-contexts = 18  # tbsd.conf"));
}

TEST_CASE("what --print-config prints can be used as a file") {
  const Outcome printed = run_with_file("max-contexts=19\n", {"--print-config"});
  const Outcome again = run_with_file(printed.output, {"--print-config"});
  INFO(again.output);
  CHECK(again.exit_code == 0);
  CHECK(has_line(again.output, "max-contexts = 19  # tbsd.conf"));
}

TEST_CASE("an unknown option in the file is an error that names it and its line") {
  const Outcome outcome = run_with_file("# first\nmax-contexts=5\nmax-contxts=7\n");
  INFO(outcome.output);
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.output.contains("max-contxts"));
  CHECK(outcome.output.contains("tbsd.conf:3"));
}

TEST_CASE("a value that cannot be used is an error that names it and its line") {
  const Outcome outcome = run_with_file("\n\nmax-contexts=many\n");
  INFO(outcome.output);
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.output.contains("max-contexts"));
  CHECK(outcome.output.contains("tbsd.conf:3"));
}

TEST_CASE("errors on the command line end the daemon") {
  TempFolder folder;
  for (const std::string& argument :
       {std::string("--max-contexts=0"), std::string("--objects-per-context=0"),
        std::string("--orphan-lifetime=soon"), std::string("--no-such-option"),
        std::string("--log-level=loud"), "--config=" + folder / "missing.conf"}) {
    const Outcome outcome = run_tbsd(folder, {argument});
    INFO(argument << ": " << outcome.output);
    CHECK(outcome.exit_code == 2);
    CHECK_FALSE(outcome.output.empty());
  }
  CHECK(run_tbsd(folder, {"--admin-group=no-such-group-here"}).exit_code == 1);
}

TEST_CASE("--help and --version print to standard output and succeed") {
  TempFolder folder;
  const Outcome help = run_tbsd(folder, {"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.output.contains("--device"));
  const Outcome version = run_tbsd(folder, {"--version"});
  CHECK(version.exit_code == 0);
  CHECK(version.output.starts_with("tbsd "));
  CHECK(version.output.contains("\nfeatures: "));
}

TEST_CASE("--check says whether the configuration can be used, without a TPM") {
  const Outcome good = run_with_file("max-contexts=5\n", {"--check", "--policy-dir=/no/rules"});
  INFO(good.output);
  CHECK(good.exit_code == 0);
  CHECK(good.output ==
        "tbsd: tbsd.conf, the rules in /no/rules and the tenants in /etc/tbs/tenants.d can be "
        "used\n");
  const Outcome bad = run_with_file("device=floppy\n", {"--check"});
  INFO(bad.output);
  CHECK(bad.exit_code == 2);
  CHECK(bad.output.starts_with("tbsd: tbsd.conf:1: "));
  CHECK(bad.output.contains("floppy"));
}

TEST_CASE("yes and no are written like that, and understood in other words") {
  for (const std::string word : {"yes", "true", "on", "1"}) {
    const Outcome outcome = run_with_file("keep-saved-sessions=" + word + "\n", {"--print-config"});
    INFO(outcome.output);
    CHECK(has_line(outcome.output, "keep-saved-sessions = yes  # tbsd.conf"));
  }
  CHECK(run_with_file("seccomp=0\n", {"--check", "--policy-dir=/no/rules"}).exit_code == 0);
  CHECK(run_with_file("raw-contexts=maybe\n", {"--check"}).exit_code == 2);
}
