// An open file of a device node, without a node: what each call comes to, in each state.

#include "client/node/node_file.h"

#include <cerrno>

#include <poll.h>

#include "tests/support/catch2.h"

using namespace tbs;
using node::NodeActions;
using node::NodeFile;

namespace {

constexpr short kReadable = POLLIN | POLLRDNORM;
constexpr short kWritable = POLLOUT | POLLWRNORM;

proto::Buffer command(std::uint8_t size = 12) {
  proto::Buffer bytes{0x80, 1, 0, 0, 0, size, 0, 0, 1, 0x7B};
  bytes.resize(std::max<std::size_t>(size, 10));
  return bytes;
}

proto::Buffer response(std::size_t size) {
  proto::Buffer bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  return bytes;
}

// The only result, of this call.
const node::CallResult& only(const NodeActions& actions, node::Call call) {
  REQUIRE(actions.results.size() == 1);
  REQUIRE(actions.results[0].call == call);
  return actions.results[0];
}

int error_of(const NodeActions& actions, node::Call call) {
  return only(actions, call).error;
}

// With a response of 28 bytes that waits.
NodeFile answered() {
  NodeFile file;
  file.write(1, command(), false);
  file.finished(response(28));
  return file;
}

}  // namespace

TEST_CASE("a command goes to the TPM, and its writer waits for the response", "[node]") {
  NodeFile file;
  CHECK(file.events() == kWritable);
  const NodeActions sent = file.write(1, command(), false);
  CHECK(sent.results.empty());
  CHECK(sent.submit == command());
  CHECK(file.events() == 0);
  const NodeActions done = file.finished(response(28));
  CHECK(only(done, 1).written == 12);
  CHECK(done.clock == true);
  CHECK(done.look_again);
  CHECK(file.events() == kReadable);
  const NodeActions read = file.read(2, 4096);
  CHECK(only(read, 2).read == response(28));
  CHECK(read.clock == false);
  CHECK(file.events() == kWritable);
  CHECK(only(file.read(3, 4096), 3).read.empty());
}

TEST_CASE("what follows the command's end is counted as written and not sent", "[node]") {
  NodeFile file;
  proto::Buffer longer = command();
  longer.push_back(0x55);
  CHECK(file.write(1, longer, false).submit == command());
  CHECK(only(file.finished(response(10)), 1).written == 13);
}

TEST_CASE("a response is read in parts", "[node]") {
  NodeFile file = answered();
  CHECK(only(file.read(2, 10), 2).read == response(10));
  CHECK(file.events() == kReadable);
  CHECK(only(file.read(3, 4), 3).read == proto::Buffer{10, 11, 12, 13});
  const NodeActions last = file.read(4, 4096);
  CHECK(only(last, 4).read.size() == 14);
  CHECK(last.clock == false);
  CHECK(last.look_again);
}

TEST_CASE("another command waits until some of the response was read", "[node]") {
  NodeFile file = answered();
  CHECK(error_of(file.write(2, command(), false), 2) == EBUSY);
  CHECK(file.events() == kReadable);
  file.read(3, 1);
  const NodeActions sent = file.write(4, command(), false);
  CHECK(sent.submit);
  CHECK(sent.clock == false);
  // Nothing is left of the other one.
  file.finished(response(11));
  CHECK(only(file.read(5, 4096), 5).read == response(11));
}

TEST_CASE("what is no command is refused, and changes nothing", "[node]") {
  NodeFile file = answered();
  file.read(2, 10);
  CHECK(error_of(file.write(3, proto::Buffer(4097), false), 3) == E2BIG);
  CHECK(error_of(file.write(4, proto::Buffer(5), false), 4) == EINVAL);
  CHECK(error_of(file.write(5, proto::Buffer{}, false), 5) == EINVAL);
  proto::Buffer beyond = command();
  beyond[5] = 13;
  CHECK(error_of(file.write(6, beyond, false), 6) == EINVAL);
  beyond[2] = 0xFF;
  CHECK(error_of(file.write(7, beyond, true), 7) == EINVAL);
  CHECK(error_of(file.write(8, command(9), false), 8) == EINVAL);
  CHECK(only(file.read(9, 4096), 9).read.size() == 18);
}

TEST_CASE("size comes before state, and state before what is in the command", "[node]") {
  NodeFile file = answered();
  CHECK(error_of(file.write(2, proto::Buffer(4097), false), 2) == E2BIG);
  CHECK(error_of(file.write(3, proto::Buffer(5), false), 3) == EBUSY);
}

TEST_CASE("a writer that does not wait is told at once; another command is refused meanwhile",
          "[node]") {
  NodeFile file;
  const NodeActions sent = file.write(1, command(), true);
  CHECK(only(sent, 1).written == 12);
  CHECK(sent.submit);
  CHECK(error_of(file.write(2, command(), true), 2) == EBUSY);
  CHECK(error_of(file.write(3, command(), false), 3) == EBUSY);
  const NodeActions done = file.finished(response(10));
  CHECK(done.results.empty());
  CHECK(done.clock == true);
  CHECK(done.look_again);
}

TEST_CASE("reads wait for a command that runs, and share its response in order", "[node]") {
  NodeFile file;
  file.write(1, command(), true);
  CHECK(file.read(2, 10).results.empty());
  CHECK(file.read(3, 4096).results.empty());
  CHECK(file.read(4, 4096).results.empty());
  const NodeActions done = file.finished(response(28));
  REQUIRE(done.results.size() == 3);
  CHECK(done.results[0].read == response(10));
  CHECK(done.results[1].read.size() == 18);
  CHECK(done.results[2].read.empty());
  CHECK(done.clock == false);
  CHECK(file.events() == kWritable);
}

TEST_CASE("a command that fails tells the writer that waits", "[node]") {
  NodeFile file;
  file.write(1, command(), false);
  file.read(2, 10);
  const NodeActions done = file.finished(std::unexpected(EIO));
  REQUIRE(done.results.size() == 2);
  CHECK(done.results[0].error == EIO);
  CHECK(done.results[1].read.empty());
  CHECK(done.results[1].error == 0);
  CHECK(file.events() == kWritable);
  CHECK_FALSE(done.clock);
}

TEST_CASE("and the next read, where nobody waited", "[node]") {
  NodeFile file;
  file.write(1, command(), true);
  CHECK(file.finished(std::unexpected(EPIPE)).results.empty());
  CHECK(file.events() == kReadable);
  CHECK(error_of(file.write(2, command(), true), 2) == EBUSY);
  CHECK(error_of(file.read(3, 10), 3) == EPIPE);
  CHECK(file.events() == kWritable);
  CHECK(error_of(file.read(4, 10), 4) == 0);
}

TEST_CASE("a signal ends the write and cancels its command", "[node]") {
  NodeFile file;
  file.write(1, command(), false);
  file.read(2, 10);
  const NodeActions ended = file.interrupt(1);
  CHECK(ended.cancel);
  REQUIRE(ended.results.size() == 2);
  CHECK(ended.results[0].call == 2);
  CHECK(ended.results[0].read.empty());
  CHECK(ended.results[1].error == EINTR);
  CHECK(file.events() == kWritable);
  // What comes of it is nobody's.
  CHECK(file.finished(response(28)).results.empty());
  CHECK(file.events() == kWritable);
  CHECK(file.write(3, command(), false).submit);
}

TEST_CASE("a signal ends a read, and the command goes on", "[node]") {
  NodeFile file;
  file.write(1, command(), true);
  file.read(2, 10);
  const NodeActions ended = file.interrupt(2);
  CHECK(error_of(ended, 2) == EINTR);
  CHECK_FALSE(ended.cancel);
  CHECK(file.finished(response(28)).results.empty());
  CHECK(only(file.read(3, 4096), 3).read == response(28));
  CHECK(file.interrupt(2).results.empty());
}

TEST_CASE("a response that nobody reads goes by itself", "[node]") {
  NodeFile file = answered();
  file.read(2, 10);
  const NodeActions gone = file.timed_out();
  CHECK(gone.look_again);
  CHECK(file.events() == kWritable);
  CHECK(only(file.read(3, 10), 3).read.empty());
  CHECK(file.write(4, command(), false).submit);
  // Late: it is no business of the next command.
  CHECK_FALSE(file.timed_out().look_again);
  CHECK(file.events() == 0);
}

TEST_CASE("a read of nothing lets the response go", "[node]") {
  NodeFile file = answered();
  CHECK(only(file.read(2, 0), 2).read.empty());
  CHECK(file.events() == kWritable);
}
