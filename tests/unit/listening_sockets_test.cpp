// The files of the sockets and whose rights each gives; no client takes part.

#include "daemon/listening_sockets.h"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/support/temp_folder.h"
#include "tests/integration/support/unix_socket.h"
#include "tests/support/catch2.h"

using namespace tbs;

namespace {

class Bench {
 public:
  Bench() { config.socket = folder / "tbsd.sock"; }

  [[nodiscard]] std::string path(const std::string& name) const { return folder / name; }
  [[nodiscard]] mode_t mode(const std::string& name) const {
    struct stat info{};
    return ::stat(path(name).c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  [[nodiscard]] bool exists(const std::string& name) const {
    return std::filesystem::exists(path(name));
  }
  // Connects, and says what the connection gets; null when nobody takes it.
  server::SharedProfile profile_at(const std::string& path) {
    taken = nullptr;
    const int client = test::try_connect(path);
    if (client < 0) return nullptr;
    io.restart();
    while (!taken) io.run_one();
    ::close(client);
    return taken;
  }
  void start() {
    sockets.start([this](server::Listener::Socket,
                         server::SharedProfile profile) { taken = std::move(profile); },
                  [this](server::Listener::Socket) { ++readers; });
  }
  Tenant& add_tenant(const std::string& name) {
    config.tenants.push_back({.name = name, .limits = {}});
    return config.tenants.back();
  }

  test::TempFolder folder;
  Config config;
  boost::asio::io_context io{1};
  server::SharedProfile taken;
  int readers = 0;  // of metrics
  ListeningSockets sockets{io};
};

}  // namespace

TEST_CASE("the administrators' socket is beside everybody's", "[sockets]") {
  Config config;
  CHECK(admin_socket_path(config) == "/run/tbs/admin.sock");
  config.socket = "/run/tbs/tpm1.sock";
  CHECK(admin_socket_path(config) == "/run/tbs/tpm1.admin.sock");
  config.socket = "/tmp/s";
  CHECK(admin_socket_path(config) == "/tmp/s.admin.sock");
  config.socket = "tbsd.sock";
  CHECK(admin_socket_path(config) == "admin.sock");
  config.admin_socket = "/elsewhere";
  CHECK(admin_socket_path(config) == "/elsewhere");
  config.admin_socket = "none";
  CHECK(admin_socket_path(config).empty());
}

TEST_CASE("each socket has its mode and its rights", "[sockets]") {
  Bench bench;
  REQUIRE(bench.sockets.open(bench.config, {}));
  bench.start();
  CHECK(bench.mode("tbsd.sock") == 0666);
  CHECK(bench.mode("admin.sock") == 0600);
  CHECK(bench.profile_at(bench.path("tbsd.sock")) == server::everybodys_profile());
  CHECK(bench.profile_at(bench.path("admin.sock")) == server::administrators_profile());
  bench.sockets.stop();
  CHECK_FALSE(bench.exists("tbsd.sock"));
  CHECK_FALSE(bench.exists("admin.sock"));
}

TEST_CASE("a group may open the administrators' socket", "[sockets]") {
  Bench bench;
  bench.config.admin_group = "ours";
  bench.config.admin_gid = ::getgid();
  REQUIRE(bench.sockets.open(bench.config, {}));
  CHECK(bench.mode("admin.sock") == 0660);
}

TEST_CASE("there need be no administrators' socket", "[sockets]") {
  Bench bench;
  bench.config.admin_socket = "none";
  REQUIRE(bench.sockets.open(bench.config, {}));
  CHECK_FALSE(bench.exists("admin.sock"));
  CHECK(bench.exists("tbsd.sock"));
}

TEST_CASE("sockets of a dead daemon are replaced, those of a living one are not", "[sockets]") {
  Bench bench;
  ::close(test::listen_on(bench.path("admin.sock")));
  ::close(test::listen_on(bench.path("tbsd.sock")));
  REQUIRE(bench.sockets.open(bench.config, {}));
  ListeningSockets second(bench.io);
  const auto opened = second.open(bench.config, {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().find(bench.path("admin.sock")) != std::string::npos);
}

TEST_CASE("tenants come, change and go", "[sockets]") {
  Bench bench;
  bench.add_tenant("web").mode = 0666;
  REQUIRE(bench.sockets.open(bench.config, {}));
  bench.start();
  CHECK(bench.mode("tenants/web.sock") == 0666);
  const auto web = bench.profile_at(bench.path("tenants/web.sock"));
  REQUIRE(web);
  CHECK(web->tenant == "web");
  CHECK(web->highest == server::HighestRole::User);

  bench.config.tenants[0].role = "builders";
  bench.config.tenants[0].mode = 0600;
  bench.add_tenant("db").socket = bench.path("db.sock");
  bench.sockets.set_tenants(bench.config);
  CHECK(bench.mode("tenants/web.sock") == 0600);
  CHECK(bench.profile_at(bench.path("tenants/web.sock")) == web);
  CHECK(web->role == "builders");
  CHECK(bench.profile_at(bench.path("db.sock"))->tenant == "db");
  CHECK(bench.sockets.tenants().size() == 2);

  bench.config.tenants.erase(bench.config.tenants.begin());
  bench.sockets.set_tenants(bench.config);
  CHECK_FALSE(bench.exists("tenants/web.sock"));
  CHECK(bench.profile_at(bench.path("tenants/web.sock")) == nullptr);
  CHECK(bench.sockets.tenants().size() == 1);
}

TEST_CASE("a tenant whose socket cannot be made stops nobody else", "[sockets]") {
  Bench bench;
  test::write_file(bench.path("file"), "");
  bench.add_tenant("web").socket = bench.path("file/web.sock");
  bench.add_tenant("db");
  REQUIRE(bench.sockets.open(bench.config, {}));
  REQUIRE(bench.sockets.tenants().size() == 1);
  CHECK(bench.sockets.tenants()[0]->tenant == "db");
}

TEST_CASE("sockets of systemd are told apart by their names, and none is bound beside them",
          "[sockets]") {
  Bench bench;
  const auto inherited = [&](const std::string& name) {
    return host::InheritedSocket{.descriptor = test::listen_on(bench.path(name)), .name = name};
  };
  REQUIRE(bench.sockets.open(
      bench.config, {inherited("tbsd.socket"), inherited("everybody"), inherited("admin"),
                     inherited("administrators"), inherited("tenant-web"), inherited("tenant-"),
                     inherited("tenant-a.b")}));
  bench.start();
  CHECK_FALSE(bench.exists("tbsd.sock"));
  CHECK_FALSE(bench.exists("admin.sock"));
  CHECK(bench.profile_at(bench.path("admin")) == server::administrators_profile());
  // Whatever is not known gives the least.
  for (const char* const name :
       {"tbsd.socket", "everybody", "administrators", "tenant-", "tenant-a.b"}) {
    CHECK(bench.profile_at(bench.path(name)) == server::everybodys_profile());
  }
  CHECK(bench.profile_at(bench.path("tenant-web"))->tenant == "web");
  // A file gives it limits, and no second socket; without the file it stays.
  bench.add_tenant("web").limits.contexts_per_user = 2;
  bench.sockets.set_tenants(bench.config);
  CHECK_FALSE(bench.exists("tenants/web.sock"));
  REQUIRE(bench.sockets.tenants().size() == 1);
  CHECK(bench.sockets.tenants()[0]->limits->contexts_per_user == 2);
  bench.config.tenants.clear();
  bench.sockets.set_tenants(bench.config);
  REQUIRE(bench.sockets.tenants().size() == 1);
  CHECK_FALSE(bench.sockets.tenants()[0]->limits);
  bench.sockets.stop();
  CHECK(bench.exists("admin"));
}

TEST_CASE("metrics have a socket where one is named, for the daemon's user or a group",
          "[sockets][metrics]") {
  Bench bench;
  SECTION("none") {
    REQUIRE(bench.sockets.open(bench.config, {}));
    CHECK(bench.sockets.descriptors().size() == 2);
  }
  SECTION("of the daemon's user") {
    bench.config.metrics_socket = bench.path("metrics.sock");
    REQUIRE(bench.sockets.open(bench.config, {}));
    CHECK(bench.mode("metrics.sock") == 0600);
    CHECK(bench.sockets.descriptors().back().name == "own-metrics");
    bench.start();
    const int reader = test::try_connect(bench.path("metrics.sock"));
    REQUIRE(reader >= 0);
    while (bench.readers == 0) bench.io.run_one();
    ::close(reader);
    CHECK(bench.taken == nullptr);
    bench.sockets.stop();
    CHECK_FALSE(bench.exists("metrics.sock"));
  }
  SECTION("of a group") {
    bench.config.metrics_socket = bench.path("metrics.sock");
    bench.config.metrics_group = "readers";
    bench.config.metrics_gid = ::getgid();
    REQUIRE(bench.sockets.open(bench.config, {}));
    CHECK(bench.mode("metrics.sock") == 0660);
  }
  SECTION("of another daemon") {
    const int other = test::listen_on(bench.path("metrics.sock"));
    bench.config.metrics_socket = bench.path("metrics.sock");
    // Whoever needs the TPM is served all the same.
    REQUIRE(bench.sockets.open(bench.config, {}));
    CHECK(bench.sockets.descriptors().size() == 2);
    ::close(other);
  }
}

TEST_CASE("a metrics' socket that is handed over is no client's", "[sockets][metrics]") {
  Bench bench;
  const int everybody = test::listen_on(bench.path("given.sock"));
  const int metrics = test::listen_on(bench.path("metrics.sock"));
  bench.config.metrics_socket = bench.path("another.sock");
  REQUIRE(bench.sockets.open(bench.config, {{.descriptor = everybody, .name = "everybody"},
                                            {.descriptor = metrics, .name = "metrics"}}));
  bench.start();
  CHECK_FALSE(bench.exists("another.sock"));
  CHECK_FALSE(bench.exists("tbsd.sock"));
  CHECK(bench.sockets.descriptors().back().name == "metrics");
  const int reader = test::try_connect(bench.path("metrics.sock"));
  while (bench.readers == 0) bench.io.run_one();
  ::close(reader);
  CHECK(bench.taken == nullptr);
}

TEST_CASE("a metrics' socket alone leaves the clients' to the daemon", "[sockets][metrics]") {
  Bench bench;
  const int metrics = test::listen_on(bench.path("metrics.sock"));
  REQUIRE(bench.sockets.open(bench.config, {{.descriptor = metrics, .name = "metrics"}}));
  CHECK(bench.exists("tbsd.sock"));
  CHECK(bench.exists("admin.sock"));
}

TEST_CASE("the socket for nodes is its owner's alone, and whoever connects says for whom",
          "[sockets][node]") {
  Bench bench;
  SECTION("bound by the daemon, where the configuration has a path") {
    REQUIRE(bench.sockets.open(bench.config, {}));
    CHECK(bench.sockets.descriptors().size() == 2);
    ListeningSockets with(bench.io);
    bench.config.socket = bench.path("other.sock");
    bench.config.node_socket = bench.path("node.sock");
    REQUIRE(with.open(bench.config, {}));
    CHECK(bench.mode("node.sock") == 0600);
    CHECK(with.descriptors().back().name == "own-node");
    with.stop();
    CHECK_FALSE(bench.exists("node.sock"));
  }
  SECTION("handed over") {
    const int node = test::listen_on(bench.path("node.sock"));
    bench.config.node_socket = bench.path("another.sock");
    REQUIRE(bench.sockets.open(bench.config, {{.descriptor = node, .name = "node"}}));
    bench.start();
    CHECK_FALSE(bench.exists("another.sock"));
    CHECK(bench.sockets.descriptors().back().name == "node");
    const auto profile = bench.profile_at(bench.path("node.sock"));
    REQUIRE(profile);
    CHECK(profile->delegates);
    CHECK(profile->highest == server::HighestRole::User);
    CHECK_FALSE(server::everybodys_profile()->delegates);
    CHECK_FALSE(server::administrators_profile()->delegates);
    // The clients' own are the daemon's to bind all the same.
    CHECK(bench.exists("tbsd.sock"));
  }
}
