#include "daemon/server/peer.h"

#include "daemon/base/tenant_name.h"
#include "proto/rules/rules_parser.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs;
using server::assign_roles;
using server::HighestRole;
using server::Peer;
using server::SocketProfile;

namespace {

constexpr server::AdministratorRule kGroup27{.group = 27, .has_group = true};

Peer peer_of_user(std::uint32_t uid, std::vector<std::uint32_t> groups = {},
                  server::SharedProfile socket = server::administrators_profile()) {
  Peer peer{.socket = std::move(socket), .principal = principal_of(UserId{uid})};
  peer.subject.uid = uid;
  peer.subject.gids = std::move(groups);
  return peer;
}

server::SharedProfile tenant(const std::string& name, const std::string& role = "") {
  return std::make_shared<const SocketProfile>(
      SocketProfile{.tenant = name, .role = role, .limits = {}});
}

// A unit is an administrator, user 0 has a role, and one is for whoever is given it.
rules::Rules some_rules() {
  rules::Rules rules;
  rules.roles[rules::kAdministrator].terms = {
      {.kind = rules::RoleTerm::Kind::Unit, .text = "admin.service"}};
  rules.roles.push_back({"superusers", {{.kind = rules::RoleTerm::Kind::Uid, .number = 0}}});
  rules.roles.push_back({"builders", {}});
  return rules;
}

constexpr rules::RoleSet kUsersRoles =
    rules::role_bit(rules::kEverybody) | rules::role_bit(rules::kUser);

}  // namespace

TEST_CASE("user 0 is an administrator on the administrators' socket", "[server][peer]") {
  Peer peer = peer_of_user(0);
  assign_roles(peer, {}, {});
  CHECK(peer.administrator);
}

TEST_CASE("members of the administrators' group are administrators there", "[server][peer]") {
  Peer member = peer_of_user(1000, {100, 27});
  assign_roles(member, kGroup27, {});
  CHECK(member.administrator);
  Peer other = peer_of_user(1000, {100});
  assign_roles(other, kGroup27, {});
  CHECK_FALSE(other.administrator);
}

TEST_CASE("group 0 makes no administrator unless it is named", "[server][peer]") {
  Peer peer = peer_of_user(1000, {0});
  assign_roles(peer, {}, {});
  CHECK_FALSE(peer.administrator);
}

TEST_CASE("who was an administrator need not stay one", "[server][peer]") {
  Peer peer = peer_of_user(1000, {27});
  assign_roles(peer, kGroup27, {});
  REQUIRE(peer.administrator);
  assign_roles(peer, {}, {});
  CHECK_FALSE(peer.administrator);
}

TEST_CASE("nobody is an administrator on everybody's socket", "[server][peer]") {
  const rules::Rules rules = some_rules();
  for (const std::uint32_t uid : {0U, 1000U}) {
    Peer peer = peer_of_user(uid, {27}, server::everybodys_profile());
    peer.subject.unit = "admin.service";
    assign_roles(peer, kGroup27, rules);
    INFO(uid);
    CHECK_FALSE(peer.administrator);
    CHECK_FALSE(peer.requester->is_administrator());
    CHECK((peer.roles & kUsersRoles) == kUsersRoles);
    // It is who it is otherwise.
    CHECK(((peer.roles & rules::role_bit(3)) != 0) == (uid == 0));
    CHECK(peer.principal.user == UserId{uid});
    CHECK(peer.requester->account == AccountId{uid});
  }
}

TEST_CASE("a user has another account on the administrators' socket", "[server][peer]") {
  Peer there = peer_of_user(0);
  assign_roles(there, {}, {});
  assign_roles(there, {}, {});
  Peer here = peer_of_user(0, {}, server::everybodys_profile());
  assign_roles(here, {}, {});
  CHECK(there.principal != here.principal);
  CHECK(there.requester->account != here.requester->account);
  CHECK(there.principal.user == UserId{0});
  CHECK(is_administrators(there.principal.account));
}

TEST_CASE("a peer that names no socket has everybody's rights", "[server][peer]") {
  Peer peer{.principal = principal_of(UserId{0})};
  assign_roles(peer, {}, {});
  CHECK_FALSE(peer.administrator);
}

TEST_CASE("on a tenant's socket everybody is the tenant and nothing else", "[server][peer]") {
  const rules::Rules rules = some_rules();
  for (const std::uint32_t uid : {0U, 1000U}) {
    Peer peer = peer_of_user(uid, {27}, tenant("web"));
    peer.subject.unit = "admin.service";
    assign_roles(peer, kGroup27, rules);
    CHECK(peer.roles == kUsersRoles);
    CHECK(peer.principal.user == tenant_user("web"));
    CHECK(peer.requester->user == tenant_user("web"));
    CHECK(peer.requester->account == account_of(tenant_user("web")));
  }
  CHECK(tenant_user("web") != tenant_user("db"));
}

TEST_CASE("rules know a tenant by its socket", "[server][peer]") {
  const rules::Rules rules =
      rules::parse_rules(std::vector<rules::Source>{
                             {.name = "a.conf",
                              .text = "role shop = tenant web\nrole administrator = tenant web\n"
                                      "block everybody command GetRandom tenant web\n"}})
          .value();
  const auto blocked = [&rules](const Peer& peer) {
    return !rules::evaluate(rules, {.roles = peer.requester->roles, .command = TPM2_CC_GetRandom})
                .allowed;
  };
  Peer web = peer_of_user(0, {}, tenant("web"));
  Peer db = peer_of_user(0, {}, tenant("db"));
  Peer user = peer_of_user(1000, {}, server::everybodys_profile());
  for (Peer* const peer : {&web, &db, &user}) assign_roles(*peer, {}, rules);
  CHECK((web.roles & rules::role_bit(3)) != 0);
  CHECK_FALSE(web.administrator);
  CHECK(blocked(web));
  CHECK((db.roles & rules::role_bit(3)) == 0);
  CHECK_FALSE(blocked(db));
  CHECK_FALSE(blocked(user));
  // Also with a TPM of its own, whose administrator it is.
  for (Peer* const peer : {&web, &db}) assign_roles(*peer, {.tenant_owns_tpm = true}, rules);
  CHECK(web.requester->is_administrator());
  CHECK(blocked(web));
  CHECK_FALSE(blocked(db));
}

TEST_CASE("a tenant can have a role of the rules, and never the administrator's",
          "[server][peer]") {
  const rules::Rules rules = some_rules();
  Peer peer = peer_of_user(0, {}, tenant("web", "builders"));
  assign_roles(peer, {}, rules);
  CHECK(peer.roles == (kUsersRoles | rules::role_bit(4)));
  for (const std::string role : {"administrator", "no such role"}) {
    Peer other = peer_of_user(0, {}, tenant("web", role));
    assign_roles(other, {}, rules);
    CHECK(other.roles == kUsersRoles);
  }
}

TEST_CASE("a tenant with a TPM of its own administrates that and not the daemon",
          "[server][peer]") {
  Peer peer = peer_of_user(0, {}, tenant("web"));
  assign_roles(peer, {.tenant_owns_tpm = true}, {});
  CHECK_FALSE(peer.administrator);
  CHECK(peer.requester->is_administrator());
  CHECK(peer.requester->account == account_of(tenant_user("web")));
  // Who is no tenant gets nothing by it.
  Peer user = peer_of_user(1000, {}, server::everybodys_profile());
  assign_roles(user, {.tenant_owns_tpm = true}, {});
  CHECK_FALSE(user.requester->is_administrator());
}
