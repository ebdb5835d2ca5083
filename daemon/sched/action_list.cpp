#include "daemon/sched/action_list.h"

namespace tbs::sched {

void ActionList::add(Action&& action) {
  actions_.push_back(std::move(action));
}

}  // namespace tbs::sched
