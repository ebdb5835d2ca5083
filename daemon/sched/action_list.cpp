#include "daemon/sched/action_list.h"

#include <utility>
#include <variant>

#include "daemon/base/spare_buffers.h"

namespace tbs::sched {

void ActionList::add(Action&& action) {
  actions_.push_back(std::move(action));
}

void ActionList::give_back(Action& action) {
  SpareBuffers& buffers = SpareBuffers::of_thread();
  if (auto* const answer = std::get_if<Answer>(&action)) {
    buffers.give(std::move(answer->response));
  } else if (auto* const command = std::get_if<SendToDevice>(&action)) {
    buffers.give(std::move(command->command));
  }
}

}  // namespace tbs::sched
