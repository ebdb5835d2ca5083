#include "proto/message_codec.h"

#include <set>

#include <catch2/catch.hpp>

#include "proto/message_rules.h"

using namespace tbs::proto;

namespace {

template <typename Message>
Message round_trip(Message message) {
  Buffer out;
  append_frame(out, 42, message);
  FrameExtractor extractor(rule_of(static_cast<std::uint16_t>(Message::kType))->direction);
  const auto room = extractor.writable();
  REQUIRE(room.size() >= out.size());
  std::ranges::copy(out, room.begin());
  extractor.commit(out.size());
  const auto frame = extractor.next();
  REQUIRE(frame.has_value());
  REQUIRE(frame->has_value());
  REQUIRE((*frame)->request_id == 42);
  const auto decoded = decode<Message>((*frame)->payload);
  REQUIRE(decoded.has_value());
  return *decoded;
}

template <typename Message>
void default_fits_its_rule() {
  Buffer out;
  append_frame(out, 0, Message{});
  const MessageRule* const rule = rule_of(static_cast<std::uint16_t>(Message::kType));
  REQUIRE(rule != nullptr);
  INFO(rule->name);
  CHECK(out.size() - kFrameHeaderSize <= rule->max_payload);
  // The empty message is the shortest one, but for those that must carry something: a TPM header,
  // the number of a function.
  const bool carries = Message::kType == Type::Submit || Message::kType == Type::PhysicalPresence;
  if (!carries) CHECK(out.size() - kFrameHeaderSize == rule->min_payload);
}

}  // namespace

TEST_CASE("the table of messages and their structures agree", "[proto][message]") {
  default_fits_its_rule<Hello>();
  default_fits_its_rule<Submit>();
  default_fits_its_rule<Cancel>();
  default_fits_its_rule<DeviceInfo>();
  default_fits_its_rule<ListContexts>();
  default_fits_its_rule<CancelContext>();
  default_fits_its_rule<DaemonStatus>();
  default_fits_its_rule<HelloReply>();
  default_fits_its_rule<Result>();
  default_fits_its_rule<CancelReply>();
  default_fits_its_rule<DeviceInfoReply>();
  default_fits_its_rule<ContextList>();
  default_fits_its_rule<CancelContextReply>();
  default_fits_its_rule<DaemonStatusReply>();
  default_fits_its_rule<MakeSticky>();
  default_fits_its_rule<MakeStickyReply>();
  default_fits_its_rule<ReadLog>();
  default_fits_its_rule<LogPart>();
  default_fits_its_rule<PhysicalPresence>();
  default_fits_its_rule<PhysicalPresenceReply>();
  default_fits_its_rule<OwnerAuth>();
  default_fits_its_rule<OwnerAuthReply>();
  default_fits_its_rule<RevokeAttestation>();
  default_fits_its_rule<RevokeAttestationReply>();
  default_fits_its_rule<Refusal>();
}

TEST_CASE("no two messages share a number or a name", "[proto][message]") {
  std::set<Type> types;
  std::set<std::string_view> names;
  for (const MessageRule& rule : kMessageRules) {
    REQUIRE(types.insert(rule.type).second);
    REQUIRE(names.insert(rule.name).second);
    REQUIRE(rule.min_payload <= rule.max_payload);
    const bool answer = (static_cast<unsigned>(rule.type) & 0x8000U) != 0;
    REQUIRE(answer == (rule.direction == Direction::ToClient));
  }
}

TEST_CASE("messages survive the wire", "[proto][message]") {
  const Buffer command = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 16};
  const Submit submit =
      round_trip(Submit{.locality = 3, .priority = 0x80000000U, .command = command});
  REQUIRE(submit.locality == 3);
  REQUIRE(submit.priority == 0x80000000U);

  const HelloReply hello = round_trip(HelloReply{.status = Status::TpmNotFound,
                                                 .context = 0x1122334455667788ULL,
                                                 .max_command = 4096,
                                                 .max_response = 4096});
  REQUIRE(hello.status == Status::TpmNotFound);
  REQUIRE(hello.context == 0x1122334455667788ULL);

  const ReadLog log = round_trip(ReadLog{.log_type = 2, .offset = 0x100000000ULL});
  REQUIRE(log.log_type == 2);
  REQUIRE(log.offset == 0x100000000ULL);
  REQUIRE(round_trip(LogPart{.more = 1, .bytes = command}).more == 1);
  REQUIRE(round_trip(OwnerAuth{.auth_type = 13}).auth_type == 13);
  REQUIRE(round_trip(RevokeAttestationReply{.status = Status::AccessDenied}).status ==
          Status::AccessDenied);
  REQUIRE(round_trip(PhysicalPresence{.input = command}).input.size() == command.size());

  ContextList list{.more = 1};
  list.entries.push_back({.context = 5, .uid = 1000, .running = 2, .program = "tpm2"});
  list.entries.push_back({.context = 9, .queued = 7, .program = ""});
  const ContextList back = round_trip(list);
  REQUIRE(back.entries.size() == 2);
  REQUIRE(back.entries[0].program == "tpm2");
  REQUIRE(back.entries[0].running == 2);
  REQUIRE(back.entries[1].context == 9);
  REQUIRE(back.entries[1].queued == 7);
}

TEST_CASE("a text longer than the limit is cut, not refused", "[proto][message]") {
  const Refusal refusal = round_trip(Refusal{.reason = std::string(1000, 'x')});
  REQUIRE(refusal.reason.size() == kMaxText);
}

TEST_CASE("a payload that is not exactly one message does not decode", "[proto][message]") {
  Buffer out;
  append_frame(out, 1, Refusal{.reason = "no"});
  const Bytes payload = Bytes(out).subspan(kFrameHeaderSize);
  REQUIRE(decode<Refusal>(payload).has_value());
  for (std::size_t size = 0; size < payload.size(); ++size) {
    REQUIRE_FALSE(decode<Refusal>(payload.first(size)).has_value());
  }
  Buffer longer(payload.begin(), payload.end());
  longer.push_back(0);
  REQUIRE_FALSE(decode<Refusal>(longer).has_value());
}
