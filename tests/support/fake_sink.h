#pragma once

// Takes the server's commands in the pump's place: keeps them until the test answers them, and
// plays a device and a TPM of the test's choice.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/server/command_sink.h"

namespace tbs::test {

class FakeSink : public server::CommandSink {
 public:
  struct Sticky {
    ContextId context;
    std::uint32_t handle;
    bool sticky;
    bool operator==(const Sticky&) const = default;
  };

  // Whom the answers go to.
  std::function<void(sched::Answer)> deliver;

  server::DeviceView view{.state = proto::DeviceState::Ready,
                          .name = "/dev/tpm7",
                          .interface_type = 3,
                          .localities = false,
                          .max_command = 4096,
                          .max_response = 4096,
                          .times_lost = 0,
                          .missing = proto::Status::TpmNotFound};
  exec::TpmIdentity tpm{.family = Family::Tpm20, .revision = 138, .manufacturer = "IBM"};
  exec::Usage used;
  std::vector<proto::HoldingEntry> held;  // by each context
  std::map<ContextId, sched::RunningView> running;
  sched::TpmActivity at_work;
  std::map<ContextId, sched::ContextActivity> activities;
  sched::Counters counted;
  proto::Status sticky_status = proto::Status::Success;

  std::map<ContextId, Principal> open;  // contexts
  std::map<ContextId, ContextId> heirs;
  sched::HandoverTerms handover_terms;
  server::HandoverEvents handover;  // who waits for the TPM
  std::optional<sched::HandoverDeadlines> handed_over_until;
  int taken_back = 0;
  std::map<ContextId, std::uint32_t> skipped;  // connections that their clients had before
  std::vector<SharedCommand> outstanding;      // oldest first
  std::vector<ContextId> canceled;
  std::vector<Sticky> sticky;

  // Answers the oldest command, or this one.
  void answer(proto::Buffer response, proto::Status status = proto::Status::Success) {
    answer_at(outstanding.begin(), status, std::move(response));
  }
  void answer(ContextId context, RequestId id, proto::Buffer response) {
    const auto command = std::ranges::find_if(outstanding, [&](const auto& each) {
      return each->context() == context && each->request() == id;
    });
    answer_at(command, proto::Status::Success, std::move(response));
  }

  void open_context(ContextId context, const Principal& user) override {
    open.emplace(context, user);
  }
  void skip_handles(ContextId context, std::uint32_t earlier) override {
    skipped[context] = earlier;
  }
  void hand_over(const sched::HandoverTerms& terms, server::HandoverEvents events) override {
    handover_terms = terms;
    handover = std::move(events);
  }
  void handed_over_before(const sched::HandoverDeadlines& until,
                          server::HandoverEvents events) override {
    handed_over_until = until;
    handover = std::move(events);
  }
  void take_back() override {
    ++taken_back;
    handover = {};
  }
  void inherit(ContextId heir, ContextId from) override { heirs[heir] = from; }
  void close_context(ContextId context) override {
    open.erase(context);
    std::erase_if(outstanding, [&](const auto& each) { return each->context() == context; });
  }
  void submit(SharedCommand command) override { outstanding.push_back(std::move(command)); }
  void cancel(ContextId context, std::optional<RequestId> only) override {
    canceled.push_back(context);
    const auto of_context = [&](const auto& each) {
      return each->context() == context && (!only || each->request() == *only);
    };
    for (auto next = std::ranges::find_if(outstanding, of_context); next != outstanding.end();
         next = std::ranges::find_if(outstanding, of_context)) {
      answer_at(next, proto::Status::CommandCanceled, {});
    }
  }
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool wanted) override {
    sticky.push_back({context, handle, wanted});
    return sticky_status;
  }

  [[nodiscard]] server::DeviceView device() const override { return view; }
  [[nodiscard]] const exec::TpmIdentity& identity() const override { return tpm; }
  [[nodiscard]] exec::Usage usage() const override { return used; }
  [[nodiscard]] exec::AccountUsage usage_of(AccountId) const override { return {}; }
  [[nodiscard]] std::vector<proto::HoldingEntry> held_by(ContextId,
                                                         std::size_t most) const override {
    return {held.begin(), held.begin() + static_cast<std::ptrdiff_t>(std::min(most, held.size()))};
  }
  [[nodiscard]] sched::RunningView running_of(ContextId context) const override {
    const auto entry = running.find(context);
    return entry == running.end() ? sched::RunningView{} : entry->second;
  }
  [[nodiscard]] sched::TpmActivity activity(TimePoint) const override { return at_work; }
  [[nodiscard]] sched::ContextActivity activity_of(AccountId, ContextId context,
                                                   TimePoint) const override {
    const auto entry = activities.find(context);
    return entry == activities.end() ? sched::ContextActivity{} : entry->second;
  }
  [[nodiscard]] const sched::Counters& counters() const override { return counted; }
  [[nodiscard]] std::size_t queued() const override { return outstanding.size(); }

 private:
  void answer_at(std::vector<SharedCommand>::iterator command, proto::Status status,
                 proto::Buffer response) {
    sched::Answer answer{.context = (*command)->context(),
                         .request = (*command)->request(),
                         .status = status,
                         .response = std::move(response)};
    outstanding.erase(command);
    deliver(std::move(answer));
  }
};

}  // namespace tbs::test
