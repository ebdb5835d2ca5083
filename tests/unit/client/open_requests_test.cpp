#include "client/open_requests.h"

#include "proto/message_codec.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::client;
using proto::Status;

namespace {

// A frame of the daemon, and its bytes.
struct Answer {
  template <typename Message>
  Answer(std::uint64_t id, const Message& message) {
    proto::append_frame(bytes, id, message);
    frame.type = Message::kType;
    frame.request_id = id;
    frame.payload = proto::Bytes(bytes).subspan(proto::kFrameHeaderSize);
  }
  proto::Buffer bytes;
  proto::Frame frame{};
};

const proto::Buffer kResponse{1, 2, 3};

proto::Result result(Status status = Status::Success) {
  return {.status = status,
          .response = status == Status::Success ? proto::Bytes(kResponse) : proto::Bytes{}};
}

Status answer(OpenRequests& open, const Request& request, Status status = Status::Success) {
  return open.dispatch(Answer(request.id, result(status)).frame);
}

}  // namespace

TEST_CASE("an answer goes to the request of its number", "[client][requests]") {
  OpenRequests open(4);
  Request first, second;
  open.enter_command(first);
  open.enter_command(second);
  REQUIRE(first.id != second.id);
  REQUIRE(answer(open, second) == Status::Success);
  CHECK(second.state == RequestState::Done);
  CHECK(second.kept == kResponse);
  CHECK(first.state == RequestState::Outstanding);
  REQUIRE(answer(open, first, Status::IoError) == Status::Success);
  CHECK(first.status == Status::IoError);
  CHECK(first.kept.empty());
}

TEST_CASE("what exceeds the window waits for a place, in order", "[client][requests]") {
  OpenRequests open(1);
  Request first, second, third;
  open.enter_command(first);
  open.enter_command(second);
  open.enter_command(third);
  CHECK(second.state == RequestState::HeldBack);
  REQUIRE(answer(open, first) == Status::Success);
  CHECK(second.state == RequestState::Outstanding);
  CHECK(third.state == RequestState::HeldBack);
  open.give_up_held_back(Status::CommandCanceled);
  CHECK(third.status == Status::CommandCanceled);
  CHECK(second.state == RequestState::Outstanding);
  // A question is no command: it needs no place.
  Request question{.kind = RequestKind::Cancel};
  open.enter(question);
  CHECK(question.state == RequestState::Outstanding);
}

TEST_CASE("a daemon that answers what was not asked is not believed", "[client][requests]") {
  OpenRequests open(4);
  Request request;
  open.enter_command(request);
  SECTION("another number") {
    CHECK(open.dispatch(Answer(request.id + 7, result()).frame) == Status::InternalError);
    CHECK(request.state == RequestState::Outstanding);
  }
  SECTION("another kind of reply") {
    CHECK(open.dispatch(Answer(request.id, proto::CancelReply{.status = Status::Success}).frame) ==
          Status::InternalError);
    CHECK(request.status == Status::InternalError);
  }
  SECTION("a success without a response") {
    CHECK(open.dispatch(
              Answer(request.id, proto::Result{.status = Status::Success, .response = {}}).frame) ==
          Status::InternalError);
    CHECK(request.status == Status::InternalError);
  }
  SECTION("a payload that is none") {
    Answer broken(request.id, result());
    broken.frame.payload = broken.frame.payload.first(2);
    CHECK(open.dispatch(broken.frame) == Status::InternalError);
    CHECK(request.status == Status::InternalError);
  }
  SECTION("twice") {
    CHECK(answer(open, request) == Status::Success);
    CHECK(answer(open, request) == Status::InternalError);
  }
}

TEST_CASE("a cancel and a sticky mark have replies of their own", "[client][requests]") {
  OpenRequests open(4);
  Request cancel{.kind = RequestKind::Cancel};
  Request sticky{.kind = RequestKind::MakeSticky};
  open.enter(cancel);
  open.enter(sticky);
  CHECK(open.dispatch(
            Answer(sticky.id, proto::MakeStickyReply{.status = Status::TooManyResources}).frame) ==
        Status::Success);
  CHECK(sticky.status == Status::TooManyResources);
  CHECK(open.dispatch(Answer(cancel.id, proto::CancelReply{.status = Status::Success}).frame) ==
        Status::Success);
  CHECK(cancel.state == RequestState::Done);
}

TEST_CASE("a question gets the whole payload of the reply that it names", "[client][requests]") {
  OpenRequests open(4);
  Request question{.kind = RequestKind::Question, .reply = proto::Type::OwnerAuthReply};
  open.enter(question);
  const Answer right(question.id, proto::OwnerAuthReply{.status = Status::Success, .value = {}});
  REQUIRE(open.dispatch(right.frame) == Status::Success);
  CHECK(question.kept == proto::Buffer(right.frame.payload.begin(), right.frame.payload.end()));
  Request other{.kind = RequestKind::Question, .reply = proto::Type::LogPart};
  open.enter(other);
  const Answer wrong(other.id, proto::OwnerAuthReply{.status = Status::Success, .value = {}});
  CHECK(open.dispatch(wrong.frame) == Status::InternalError);
  CHECK(other.status == Status::InternalError);
}

TEST_CASE("begun commands are kept until their result is taken", "[client][requests]") {
  OpenRequests open(2);
  Request* const first = *open.begin_command();
  Request* const second = *open.begin_command();
  CHECK(open.begin_command().error() == Status::TooManyResources);
  CHECK_FALSE(open.result_ready());
  REQUIRE(answer(open, *first) == Status::Success);
  CHECK(open.result_ready());
  // Answered, and not taken: it still counts.
  CHECK(open.begin_command().error() == Status::TooManyResources);
  CHECK(open.begun(first->id) == first);
  first->awaited = true;
  CHECK_FALSE(open.result_ready());
  const std::uint64_t id = first->id;
  open.forget(*first);
  CHECK(open.begun(id) == nullptr);
  CHECK(open.begin_command());
  CHECK(open.begun(second->id) == second);
}

TEST_CASE("commands of threads and begun ones share the window", "[client][requests]") {
  OpenRequests open(1);
  Request request;
  open.enter_command(request);
  CHECK(open.begin_command().error() == Status::TooManyResources);
  REQUIRE(answer(open, request) == Status::Success);
  CHECK(open.begin_command());
}

TEST_CASE("the end of the connection ends everything, and the first reason holds",
          "[client][requests]") {
  OpenRequests open(1);
  Request outstanding, held_back;
  open.enter_command(outstanding);
  open.enter_command(held_back);
  CHECK(open.end(Status::ServiceNotRunning));
  CHECK_FALSE(open.end(Status::CommandCanceled));
  CHECK(*open.ended() == Status::ServiceNotRunning);
  CHECK(outstanding.status == Status::ServiceNotRunning);
  CHECK(held_back.status == Status::ServiceNotRunning);
  // What still comes is of no interest.
  CHECK(answer(open, outstanding) == Status::Success);
}

TEST_CASE("commands may end otherwise than what is no command", "[client][requests]") {
  OpenRequests open(2, 40);
  Request command;
  Request question{.kind = RequestKind::Question};
  open.enter_command(command);
  open.enter(question);
  CHECK(command.id == 41);
  CHECK(open.last_id() == 42);
  CHECK(open.end(Status::ServiceNotRunning, Status::IoError));
  CHECK(command.status == Status::IoError);
  CHECK(question.status == Status::ServiceNotRunning);
}

TEST_CASE("a thread that sleeps is found, wherever its request waits", "[client][requests]") {
  OpenRequests open(1);
  Request outstanding, held_back;
  open.enter_command(outstanding);
  open.enter_command(held_back);
  CHECK(open.sleeper() == nullptr);
  held_back.waiting = true;
  CHECK(open.sleeper() == &held_back);
  outstanding.waiting = true;
  CHECK(open.sleeper() == &outstanding);
  outstanding.waiting = held_back.waiting = false;
}
