// The socket for services that offer device nodes: for whom each connection is, and what that
// gives.

#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

#include "proto/opener.h"
#include "proto/service_codes.h"
#include "proto/tpm/response_code.h"
#include "tests/integration/support/user_clients.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
namespace proto = tbs::proto;

namespace {

class NodeBench {
 public:
  [[nodiscard]] std::string socket() const { return folder_ / "node.sock"; }
  TestBench& bench() { return bench_; }
  // Connected for this user.
  RawClient speaking_for(std::uint32_t uid, std::uint32_t pid) {
    RawClient client(socket());
    client.send_bytes(proto::opener_bytes({.uid = uid, .gid = uid, .pid = pid}));
    return client;
  }
  // What others see of this context.
  proto::ContextEntry entry_of(const RawClient& client) {
    RawClient observer = RawClient::observer(bench_.daemon().socket());
    const auto list = observer.ask(proto::ListContexts{});
    const auto found =
        std::ranges::find(list.entries, client.context_id(), &proto::ContextEntry::context);
    REQUIRE(found != list.entries.end());
    return *found;
  }

 private:
  TempFolder folder_;
  TestBench bench_{{.arguments = {"--node-socket=" + socket()}}};
};

}  // namespace

TEST_CASE("who is named is the client") {
  NodeBench node;
  struct stat info{};
  REQUIRE(::stat(node.socket().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);

  const auto self = static_cast<std::uint32_t>(::getpid());
  RawClient mine = node.speaking_for(::getuid(), self);
  mine.hello(proto::Role::Context);
  CHECK(node.entry_of(mine).uid == ::getuid());
  CHECK(node.entry_of(mine).pid == self);
  CHECK_FALSE(node.entry_of(mine).program.empty());
  CHECK(code(mine, tpm::get_random(8)) == tbs::tpm::rc::kSuccess);

  // A process of somebody else is not who opened it: nothing is known of that one but the numbers.
  RawClient another = node.speaking_for(kNobody, self);
  another.hello(proto::Role::Context);
  CHECK(node.entry_of(another).uid == kNobody);
  CHECK(node.entry_of(another).pid == 0);
  CHECK(node.entry_of(another).program.empty());
}

TEST_CASE("nobody is an administrator by it") {
  NodeBench node;
  RawClient root = node.speaking_for(0, 0);
  root.hello(proto::Role::Context);
  CHECK(code(root, tpm::clear()) == proto::service::kCommandBlocked);
}

TEST_CASE("who says nothing of the kind is disconnected, and others are not") {
  NodeBench node;
  RawClient good = node.speaking_for(kNobody, 0);
  good.hello(proto::Role::Context);
  RawClient without(node.socket());
  without.send(1, proto::Hello{});
  CHECK_FALSE(without.receive());
  RawClient nobody(node.socket());
  nobody.send_bytes(proto::opener_bytes({.uid = 0xFFFFFFFF, .gid = 0, .pid = 0}));
  CHECK_FALSE(nobody.receive());
  CHECK(code(good, tpm::get_random(8)) == tbs::tpm::rc::kSuccess);
  // Elsewhere those bytes are no frame.
  RawClient elsewhere(node.bench().daemon().everybodys_socket());
  elsewhere.send_bytes(proto::opener_bytes({.uid = 0, .gid = 0, .pid = 0}));
  const auto said = elsewhere.receive();
  CHECK((!said || said->type == proto::Type::Refusal));
}

TEST_CASE("what is said in pieces is said as well") {
  NodeBench node;
  RawClient client(node.socket());
  const proto::Buffer bytes = proto::opener_bytes({.uid = kNobody, .gid = kNobody, .pid = 0});
  for (const std::uint8_t byte : bytes) client.send_bytes(proto::Bytes(&byte, 1));
  client.hello(proto::Role::Context);
  CHECK(node.entry_of(client).uid == kNobody);
}
