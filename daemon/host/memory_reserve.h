#pragma once

// Memory put aside for the moment when there is no more: what is under way then is finished with
// it, and nothing new is taken on until it could be put aside again. So running out of memory fails
// requests one by one instead of ending the daemon in the middle of a command.

namespace tbs::host {

void set_up_memory_reserve();

// Whether the reserve has been used. Tries to put it aside again first.
[[nodiscard]] bool memory_is_short();

}  // namespace tbs::host
