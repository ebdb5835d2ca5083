#pragma once

// What a container is to the daemon, without a container engine: a process in namespaces of its own
// and with a root folder that has one socket in it. That takes root.

#include <functional>
#include <string>

namespace tbs::test {

enum class Capabilities { None, All };

// Runs `part` there, as user 0 of the machine, with the path of the socket as it is inside. Returns
// what it returned, or -1 when it threw or crashed, or the container could not be made.
int in_container(const std::string& socket, Capabilities capabilities,
                 const std::function<int(const std::string&)>& part);

}  // namespace tbs::test
