#include "daemon/device/kept_device.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::device;
using namespace std::string_literals;

namespace {

using Log = std::vector<std::string>;

// Says what it is told, and is asked to fail or to give other descriptors.
class ScriptedDevice final : public Transceiver {
 public:
  ScriptedDevice(boost::asio::io_context& loop, Log& log) : deferred_(loop), log_(log) {}

  void open(OpenHandler handler) override { answer("open", std::move(handler)); }
  void adopt(std::vector<KeptDescriptor> left, OpenHandler handler) override {
    answer("adopt " + left.front().name, std::move(handler));
  }
  [[nodiscard]] std::vector<KeptDescriptor> kept() const override { return kept_now; }
  void transmit(std::span<const std::uint8_t>, std::uint8_t, ResponseHandler) override {
    log_.emplace_back("transmit");
  }
  void resume(std::span<const std::uint8_t>, std::uint8_t, ResponseHandler) override {
    log_.emplace_back("resume");
  }
  void cancel() override {}
  void close(CloseHandler handler) override {
    log_.emplace_back("close");
    deferred_.post(std::move(handler));
  }
  [[nodiscard]] std::string_view name() const override { return "scripted"; }

  std::vector<KeptDescriptor> kept_now = {{.name = "socket", .descriptor = 11},
                                          {.name = "process", .descriptor = 12}};
  bool fails = false;

 private:
  void answer(const std::string& what, OpenHandler handler) {
    log_.push_back(what);
    if (fails) return deferred_.post_failure(std::move(handler), Failure{.operation = what});
    deferred_.post([handler = std::move(handler)]() mutable { handler(Facts{}); });
  }

  loop::Deferred deferred_;
  Log& log_;
};

struct LoggedKeeper final : DescriptorKeeper {
  explicit LoggedKeeper(Log& log_of_all) : log(log_of_all) {}
  void keep(std::string name, int descriptor) override {
    log.push_back("keep " + name + " " + std::to_string(descriptor));
  }
  bool keep_first(std::string name, int descriptor,
                  std::move_only_function<void()> /*go_on*/) override {
    keep(std::move(name), descriptor);
    return true;
  }
  void drop(std::string name, std::move_only_function<void()> gone) override {
    log.push_back("drop " + name);
    waiting.push_back(std::move(gone));
  }
  void tell_gone() {
    auto told = std::exchange(waiting, {});
    for (auto& gone : told) {
      if (gone) gone();
    }
  }
  Log& log;
  std::vector<std::move_only_function<void()>> waiting;
};

struct Fixture {
  Fixture() {
    auto made = std::make_unique<ScriptedDevice>(loop, log);
    inner = made.get();
    device = std::make_unique<KeptDevice>(loop, std::move(made), keeper, "@one");
  }
  void run() {
    loop.restart();
    loop.run();
  }
  auto opened() {
    return [this](const std::expected<Facts, Failure>& facts) {
      log.emplace_back(facts ? "opened" : "failed");
    };
  }
  Log take() { return std::exchange(log, {}); }

  boost::asio::io_context loop;
  Log log;
  LoggedKeeper keeper{log};
  ScriptedDevice* inner = nullptr;
  std::unique_ptr<KeptDevice> device;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an open device is kept until it is to be closed", "[restart]") {
  device->open(opened());
  run();
  CHECK(take() == Log{"open", "keep tpm-socket@one 11", "keep tpm-process@one 12", "opened"});

  device->close([this] { log.emplace_back("closed"); });
  run();
  CHECK(take() == Log{"drop tpm-socket@one", "drop tpm-process@one"});
  std::exchange(keeper.waiting.front(), nullptr)();
  run();
  CHECK(take().empty());
  keeper.tell_gone();
  run();
  CHECK(take() == Log{"close", "closed"});

  device->open(opened());
  run();
  CHECK(take() == Log{"open", "keep tpm-socket@one 11", "keep tpm-process@one 12", "opened"});
}

TEST_CASE_METHOD(Fixture, "a device that was not opened is not kept", "[restart]") {
  inner->fails = true;
  device->open(opened());
  run();
  CHECK(take() == Log{"open", "failed"});
  device->close([this] { log.emplace_back("closed"); });
  CHECK(take().empty());
  run();
  CHECK(take() == Log{"close", "closed"});
}

TEST_CASE_METHOD(Fixture, "what was adopted is kept already", "[restart]") {
  device->adopt({{.name = "socket", .descriptor = 5}, {.name = "process", .descriptor = 6}},
                opened());
  run();
  CHECK(take() == Log{"adopt socket", "opened"});
  device->close([this] { log.emplace_back("closed"); });
  CHECK(take() == Log{"drop tpm-socket@one", "drop tpm-process@one"});
}

TEST_CASE_METHOD(Fixture, "what an adopted device does not use is dropped", "[restart]") {
  inner->kept_now = {{.name = "socket", .descriptor = 5}, {.name = "new", .descriptor = 7}};
  device->adopt({{.name = "socket", .descriptor = 5}, {.name = "process", .descriptor = 6}},
                opened());
  run();
  CHECK(take() == Log{"adopt socket", "keep tpm-new@one 7", "drop tpm-process@one", "opened"});
}

TEST_CASE_METHOD(Fixture, "a device that cannot be adopted is gone from the keeper first",
                 "[restart]") {
  inner->fails = true;
  device->adopt({{.name = "socket", .descriptor = 5}}, opened());
  run();
  CHECK(take() == Log{"adopt socket", "drop tpm-socket@one"});
  keeper.tell_gone();
  run();
  CHECK(take() == Log{"failed"});
}

TEST_CASE_METHOD(Fixture, "commands go through", "[restart]") {
  device->transmit({}, 0, [](const Transceiver::Response&) {});
  device->resume({}, 0, [](const Transceiver::Response&) {});
  CHECK(take() == Log{"transmit", "resume"});
}

TEST_CASE_METHOD(Fixture, "a device that is gone is not closed afterwards", "[restart]") {
  device->open(opened());
  run();
  device->close([] {});
  device.reset();
  keeper.tell_gone();
  run();
  CHECK(take().back() == "drop tpm-process@one");
}
