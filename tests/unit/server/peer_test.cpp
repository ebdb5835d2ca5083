#include "daemon/server/peer.h"

#include <catch2/catch.hpp>

using namespace tbs;
using server::assign_roles;
using server::Peer;

namespace {

Peer peer_of_user(std::uint32_t uid, std::vector<std::uint32_t> groups = {}) {
  Peer peer{.principal = principal_of(UserId{uid})};
  peer.subject.uid = uid;
  peer.subject.gids = std::move(groups);
  return peer;
}

}  // namespace

TEST_CASE("user 0 is an administrator", "[server][peer]") {
  Peer peer = peer_of_user(0);
  assign_roles(peer, {}, {});
  CHECK(peer.administrator);
}

TEST_CASE("members of the administrators' group are administrators", "[server][peer]") {
  const server::AdministratorRule rule{.group = 27, .has_group = true};
  Peer member = peer_of_user(1000, {100, 27});
  assign_roles(member, rule, {});
  CHECK(member.administrator);
  Peer other = peer_of_user(1000, {100});
  assign_roles(other, rule, {});
  CHECK_FALSE(other.administrator);
}

TEST_CASE("group 0 makes no administrator unless it is named", "[server][peer]") {
  Peer peer = peer_of_user(1000, {0});
  assign_roles(peer, {}, {});
  CHECK_FALSE(peer.administrator);
}

TEST_CASE("who was an administrator need not stay one", "[server][peer]") {
  Peer peer = peer_of_user(1000, {27});
  assign_roles(peer, {.group = 27, .has_group = true}, {});
  REQUIRE(peer.administrator);
  assign_roles(peer, {}, {});
  CHECK_FALSE(peer.administrator);
}
