#include "daemon/loop/deferred.h"

#include <functional>
#include <optional>
#include <string>

#include "tests/support/catch2.h"

using tbs::loop::Deferred;

TEST_CASE("a deferred call is made from the loop", "[loop]") {
  boost::asio::io_context loop;
  Deferred deferred(loop);
  int calls = 0;
  deferred.post([&] { ++calls; });
  CHECK(calls == 0);
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("calls of what is gone are not made", "[loop]") {
  boost::asio::io_context loop;
  std::optional<Deferred> deferred(loop);
  int calls = 0;
  deferred->post([&] { ++calls; });
  SECTION("when it was destroyed") {
    deferred.reset();
  }
  SECTION("when it dropped them") {
    deferred->drop();
  }
  loop.run();
  CHECK(calls == 0);
}

TEST_CASE("what is posted after the others were dropped is made", "[loop]") {
  boost::asio::io_context loop;
  Deferred deferred(loop);
  std::string calls;
  deferred.post([&] { calls += "a"; });
  const auto before = deferred.watch();
  deferred.drop();
  deferred.post([&] { calls += "b"; });
  CHECK(before.expired());
  CHECK_FALSE(deferred.watch().expired());
  loop.run();
  CHECK(calls == "b");
}

TEST_CASE("a failure is handed over, to nobody where nobody waits", "[loop]") {
  boost::asio::io_context loop;
  Deferred deferred(loop);
  std::string failure;
  using Handler = std::move_only_function<void(std::expected<int, std::string>)>;
  deferred.post_failure(
      Handler([&](std::expected<int, std::string> outcome) { failure = outcome.error(); }),
      std::string("no device"));
  deferred.post_failure(Handler(), std::string("nobody hears this"));
  CHECK(failure.empty());
  loop.run();
  CHECK(failure == "no device");
}
