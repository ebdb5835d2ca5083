#pragma once

// In which order contexts are listed.

#include <cstdint>
#include <vector>

#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/user_names.h"
#include "proto/message.h"

namespace tbs::ctl {

enum class ContextOrder : std::uint8_t {
  Context,
  User,
  Pid,
  Program,
  Priority,
  Queued,
  Bytes,
  Submitted,
  Running,
};

inline constexpr Names<ContextOrder, 9> kContextOrders = {{
    {ContextOrder::Context, "context"},
    {ContextOrder::User, "user"},
    {ContextOrder::Pid, "pid"},
    {ContextOrder::Program, "program"},
    {ContextOrder::Priority, "priority"},
    {ContextOrder::Queued, "queued"},
    {ContextOrder::Bytes, "bytes"},
    {ContextOrder::Submitted, "submitted"},
    {ContextOrder::Running, "running"},
}};

// Names and numbers that stand for somebody go up, amounts go down; equals are in order of context.
void sort_contexts(std::vector<proto::ContextEntry>& entries, ContextOrder order, UserNames& users);

}  // namespace tbs::ctl
