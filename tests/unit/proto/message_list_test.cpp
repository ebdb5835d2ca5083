#include "proto/message_list.h"

#include <map>
#include <set>

#include "tests/support/catch2.h"

using namespace tbs::proto;

static_assert(std::is_same_v<ReplyTo<Hello>, HelloReply>);
static_assert(std::is_same_v<ReplyTo<Submit>, Result>);
static_assert(std::is_same_v<ReplyTo<ReadLog>, LogPart>);
static_assert(ListedMessage<Refusal>);
static_assert(!ListedMessage<ContextEntry>, "an entry is a part of a message");

namespace {

template <typename Message>
concept HasReply = requires { typename ReplyTo<Message>; };

}  // namespace

static_assert(HasReply<Cancel>);
static_assert(!HasReply<CancelReply>);
static_assert(!HasReply<Refusal>);
static_assert(!HasReply<LimitEntry>);

TEST_CASE("no two messages share a number or a name", "[proto][message]") {
  std::set<Type> types;
  std::set<std::string_view> names;
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    INFO(rule.name);
    CHECK(rule.type == Message::kType);
    CHECK(types.insert(rule.type).second);
    CHECK(names.insert(rule.name).second);
    CHECK(rule.min_payload <= rule.max_payload);
    const bool from_daemon = (number_of(rule.type) & kReplyBit) != 0;
    CHECK(from_daemon == (rule.direction == Direction::ToClient));
  });
  CHECK(types.size() == std::tuple_size_v<decltype(kMessages)>);
}

TEST_CASE("each reply belongs to one request, and only a refusal to none", "[proto][message]") {
  std::map<Type, int> requests;
  for_each_request([&]<typename Request, typename Reply>(const MessageRule&) {
    ++requests[Reply::kType];
    CHECK(std::is_same_v<ReplyTo<Request>, Reply>);
    CHECK(rule_of(number_of(Reply::kType))->direction == Direction::ToClient);
  });
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    if (rule.direction == Direction::ToDaemon) return;
    INFO(rule.name);
    CHECK(requests[rule.type] == (rule.type == Type::Refusal ? 0 : 1));
  });
}

TEST_CASE("a number is looked up in the list", "[proto][message]") {
  for_each_message([&]<typename Message>(const MessageRule& rule) {
    const MessageRule* const found = rule_of(number_of(rule.type));
    REQUIRE(found != nullptr);
    CHECK(found->name == rule.name);
  });
  CHECK(rule_of(0) == nullptr);
  CHECK(rule_of(0x0017) == nullptr);
  CHECK(rule_of(0x8000) == nullptr);
  CHECK(rule_of(0xffff) == nullptr);
}
