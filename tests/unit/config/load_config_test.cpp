// The configuration from command line, file and rules, as tbsd reads it when it starts and when it
// is told to read it again.

#include "daemon/config/load_config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/build_features.h"
#include "daemon/config/option_table.h"
#include "daemon/sandbox/filter.h"
#include "tests/support/catch2.h"
#include "tests/unit/config/option_samples.h"
#include "version.h"

using namespace tbs;

namespace {

// A folder with a configuration and rules of its own.
class Etc {
 public:
  Etc() {
    std::string name = std::filesystem::temp_directory_path() / "tbs-config-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    std::filesystem::create_directory(folder_ / "policy.d");
    write("tbsd.conf", "");
  }
  ~Etc() { std::filesystem::remove_all(folder_); }
  Etc(const Etc&) = delete;
  Etc& operator=(const Etc&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

  [[nodiscard]] std::expected<Loaded, EarlyExit> load(
      std::vector<std::string> arguments = {}) const {
    arguments.push_back("--config=" + path("tbsd.conf"));
    const bool other_rules = std::ranges::any_of(
        arguments, [](const std::string& each) { return each.starts_with("--policy-dir"); });
    if (!other_rules) arguments.push_back("--policy-dir=" + path("policy.d"));
    return load_config(arguments);
  }
  [[nodiscard]] EarlyExit refusal(std::vector<std::string> arguments = {}) const {
    const auto loaded = load(std::move(arguments));
    REQUIRE_FALSE(loaded.has_value());
    return loaded.error();
  }

 private:
  std::filesystem::path folder_;
};

Setting setting_of(const Loaded& loaded, const std::string& name) {
  const auto found = std::ranges::find(loaded.settings, name, &Setting::name);
  REQUIRE(found != loaded.settings.end());
  return *found;
}

// The settings that name a folder or a file may be anywhere, but the rules are read.
bool reads_what_it_names(const config::Option& option) {
  return option.name == "policy-dir";
}

}  // namespace

TEST_CASE("what is not set has its default", "[config]") {
  const Etc etc;
  const auto loaded = etc.load();
  REQUIRE(loaded.has_value());
  REQUIRE(loaded->settings.size() == config::options().size());
  for (const config::Option& option : config::options()) {
    if (reads_what_it_names(option)) continue;
    INFO(option.name);
    const Setting setting = setting_of(*loaded, option.name);
    CHECK(setting.origin == "default");
    CHECK(setting.value == config::text_of(Config{}, option));
  }
}

TEST_CASE("each setting can be in the file", "[config]") {
  const Etc etc;
  for (const config::Option& option : config::options()) {
    if (reads_what_it_names(option)) continue;
    const std::string value = test::sample_of(option).good;
    for (const std::string& line :
         {option.name + "=" + value, option.name + " = \"" + value + "\""}) {
      INFO(line);
      etc.write("tbsd.conf", "# settings\n\n" + line + "\n");
      const auto loaded = etc.load();
      REQUIRE(loaded.has_value());
      CHECK(config::text_of(loaded->config, option) == value);
      CHECK(setting_of(*loaded, option.name).value == value);
      CHECK(setting_of(*loaded, option.name).origin == etc.path("tbsd.conf"));
    }
  }
}

TEST_CASE("each setting can be on the command line, which wins", "[config]") {
  const Etc etc;
  for (const config::Option& option : config::options()) {
    if (reads_what_it_names(option)) continue;
    const std::string value = test::sample_of(option).good;
    INFO(option.name);
    etc.write("tbsd.conf", option.name + "=" + config::text_of(Config{}, option) + "\n");
    for (const auto& arguments : {std::vector<std::string>{"--" + option.name + "=" + value},
                                  std::vector<std::string>{"--" + option.name, value}}) {
      const auto loaded = etc.load(arguments);
      REQUIRE(loaded.has_value());
      CHECK(config::text_of(loaded->config, option) == value);
      CHECK(setting_of(*loaded, option.name).origin == "command line");
    }
  }
}

TEST_CASE("a mistake in the file is told with file and line", "[config]") {
  const Etc etc;
  for (const config::Option& option : config::options()) {
    const std::string bad = test::sample_of(option).bad;
    if (bad.empty()) continue;
    INFO(option.name);
    etc.write("tbsd.conf", "# one\n; two\n" + option.name + " = " + bad + "\n");
    const EarlyExit refusal = etc.refusal();
    CHECK(refusal.exit_code == kExitBadConfiguration);
    CHECK(refusal.text.starts_with("tbsd: " + etc.path("tbsd.conf") + ":3: "));
    CHECK(refusal.text.contains(option.name));
    CHECK(refusal.text.contains(bad));
  }
}

TEST_CASE("a mistake on the command line is told with the option", "[config]") {
  const Etc etc;
  for (const config::Option& option : config::options()) {
    const std::string bad = test::sample_of(option).bad;
    if (bad.empty()) continue;
    INFO(option.name);
    const EarlyExit refusal = etc.refusal({"--" + option.name + "=" + bad});
    CHECK(refusal.exit_code == kExitBadConfiguration);
    CHECK(refusal.text.contains("--" + option.name));
    CHECK(refusal.text.contains(bad));
    CHECK_FALSE(refusal.text.contains("tbsd.conf"));
  }
}

TEST_CASE("an option that there is not is an error", "[config]") {
  const Etc etc;
  CHECK(etc.refusal({"--max-contxts=5"}).exit_code == kExitBadConfiguration);
  etc.write("tbsd.conf", "max-contexts = 5\nmax-contxts = 7\n");
  const EarlyExit refusal = etc.refusal();
  CHECK(refusal.exit_code == kExitBadConfiguration);
  CHECK(refusal.text ==
        "tbsd: " + etc.path("tbsd.conf") + ":2: there is no option 'max-contxts'\n");
}

TEST_CASE("what is for the command line alone cannot be in the file", "[config]") {
  const Etc etc;
  for (const char* name : {"print-config", "check", "version", "help"}) {
    INFO(name);
    etc.write("tbsd.conf", std::string(name) + " = true\n");
    CHECK(etc.refusal().exit_code == kExitBadConfiguration);
  }
}

TEST_CASE("a file that was asked for must be there", "[config]") {
  const auto loaded = load_config({"--config=/no/such/file.conf"});
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().exit_code == kExitBadConfiguration);
  CHECK(loaded.error().text.contains("/no/such/file.conf"));
}

TEST_CASE("what --print-config prints is a configuration that means the same", "[config]") {
  const Etc etc;
  std::string all;
  for (const config::Option& option : config::options()) {
    if (reads_what_it_names(option)) continue;
    all += option.name + " = \"" + test::sample_of(option).good + "\"\n";
  }
  for (const std::string& text : {std::string(), all}) {
    etc.write("tbsd.conf", text);
    const EarlyExit printed = etc.refusal({"--print-config"});
    CHECK(printed.exit_code == 0);
    const auto first = etc.load();
    etc.write("tbsd.conf", printed.text);
    const auto second = etc.load();
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    for (const config::Option& option : config::options()) {
      INFO(option.name);
      CHECK(config::text_of(second->config, option) == config::text_of(first->config, option));
    }
  }
}

TEST_CASE("the group that may read metrics is looked up", "[config]") {
  const Etc etc;
  const auto root = etc.load({"--metrics-group=root"});
  REQUIRE(root.has_value());
  CHECK(root->config.metrics_gid == 0);
  const EarlyExit refusal = etc.refusal({"--metrics-group=no-such-group-here"});
  CHECK(refusal.exit_code == 1);
  CHECK(refusal.text.find("metrics-group: there is no group") != std::string::npos);
}

TEST_CASE("the administrators' group is looked up", "[config]") {
  const Etc etc;
  const auto root = etc.load({"--admin-group=root"});
  REQUIRE(root.has_value());
  CHECK(root->config.admin_gid == 0);
  const EarlyExit refusal = etc.refusal({"--admin-group=no-such-group-here"});
  CHECK(refusal.exit_code == 1);
  CHECK(refusal.text.contains("no-such-group-here"));
}

TEST_CASE("a rule that cannot be used is an error like any other", "[config]") {
  const Etc etc;
  etc.write("policy.d/10-good.conf", "profile linux\n");
  REQUIRE(etc.load().has_value());
  etc.write("policy.d/20-bad.conf", "# rules\nforbid everything\n");
  for (const auto& arguments : {std::vector<std::string>{}, std::vector<std::string>{"--check"}}) {
    const EarlyExit refusal = etc.refusal(arguments);
    CHECK(refusal.exit_code == kExitBadConfiguration);
    CHECK(refusal.text.starts_with("tbsd: " + etc.path("policy.d/20-bad.conf") + ":2:"));
  }
  CHECK(etc.refusal({"--print-config"}).exit_code == 0);
}

TEST_CASE("--check says in one line that all is well", "[config]") {
  const Etc etc;
  const EarlyExit said = etc.refusal({"--check", "--state-dir=" + etc.path("policy.d")});
  CHECK(said.exit_code == 0);
  CHECK(std::ranges::count(said.text, '\n') == 1);
  CHECK(said.text.contains(etc.path("tbsd.conf")));
  CHECK(said.text.contains(etc.path("policy.d")));
}

TEST_CASE("--check says that a folder cannot be one", "[config]") {
  const Etc etc;
  const std::string file = etc.path("tbsd.conf");
  for (const std::string& option : {"--state-dir=" + file, "--device=embedded:" + file}) {
    if (!kHasEmbeddedTpm && option.starts_with("--device")) continue;
    const EarlyExit said = etc.refusal({"--check", option});
    CHECK(said.exit_code == 2);
    CHECK(said.text.find(file + ": Not a directory; ") != std::string::npos);
  }
  CHECK(etc.refusal({"--check", "--state-dir=" + etc.path("policy.d")}).exit_code == 0);
}

TEST_CASE("--check says what is wrong, with file and line", "[config]") {
  const Etc etc;
  etc.write("tbsd.conf", "\nmax-contexts = lots\n");
  const EarlyExit refusal = etc.refusal({"--check"});
  CHECK(refusal.exit_code == kExitBadConfiguration);
  CHECK(refusal.text.starts_with("tbsd: " + etc.path("tbsd.conf") + ":2: "));
}

TEST_CASE("--help and --version succeed", "[config]") {
  const Etc etc;
  const EarlyExit help = etc.refusal({"--help"});
  CHECK(help.exit_code == 0);
  for (const config::Option& option : config::options()) {
    INFO(option.name);
    CHECK(help.text.contains("--" + option.name + " " + option.form));
  }
  const EarlyExit version = etc.refusal({"--version"});
  CHECK(version.exit_code == 0);
  CHECK(version.text.starts_with(std::string("tbsd ") + kVersion + "\nfeatures: "));
  CHECK(version.text.contains(sandbox::kAvailable ? "+seccomp" : "-seccomp"));
  CHECK(version.text.contains(kHasEmbeddedTpm ? "+embedded-tpm" : "-embedded-tpm"));
}

TEST_CASE("a configuration that wants what is not compiled in is refused with its line",
          "[config]") {
  const Etc etc;
  etc.write("tbsd.conf", "\ndevice = embedded\n");
  const EarlyExit said = etc.refusal({"--check"});
  CHECK(said.exit_code == (kHasEmbeddedTpm ? 0 : kExitBadConfiguration));
  if (!kHasEmbeddedTpm) CHECK(said.text.contains("tbsd.conf:2: "));
}

TEST_CASE("tenants are read with the configuration", "[config][tenant]") {
  const Etc etc;
  std::filesystem::create_directory(etc.path("tenants.d"));
  const std::vector<std::string> arguments = {"--tenants-dir=" + etc.path("tenants.d")};
  CHECK(etc.load(arguments)->config.tenants.empty());
  etc.write("policy.d/10.conf", "role builders = uid 4000\n");
  etc.write("tenants.d/web.conf", "group = root\nrole = builders\n");
  etc.write("tenants.d/db.conf", "");
  etc.write("tenants.d/README", "no tenant");
  const auto loaded = etc.load(arguments);
  REQUIRE(loaded);
  REQUIRE(loaded->config.tenants.size() == 2);
  CHECK(loaded->config.tenants[0].name == "db");
  CHECK(loaded->config.tenants[1].name == "web");
  CHECK(loaded->config.tenants[1].gid == 0U);

  for (const std::string text : {"group = no-such-group-here\n", "role = masons\n",
                                 "role = administrator\n", "colour = red\n"}) {
    etc.write("tenants.d/web.conf", text);
    const EarlyExit refusal = etc.refusal(arguments);
    INFO(refusal.text);
    CHECK(refusal.exit_code == kExitBadConfiguration);
    CHECK(refusal.text.find(etc.path("tenants.d/web.conf")) != std::string::npos);
  }
}
