#pragma once

// IMA's list as text: "10 91f34b5c... ima-ng sha256:0123... /usr/bin/true".

#include "client/tbsctl/log/ima/binary_list.h"

namespace tbs::ctl {

ImaEntries read_text_list(proto::Bytes bytes);

}  // namespace tbs::ctl
