#pragma once

// The rows of `top`: contexts, or users or units with all that their contexts do, and how much of
// it was since the sample before.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/user_names.h"
#include "client/tbsctl/top/top_sample.h"

namespace tbs::ctl {

enum class TopGroup : std::uint8_t { Context, User, Unit };
inline constexpr Names<TopGroup, 3> kTopGroups = {
    {{TopGroup::Context, "context"}, {TopGroup::User, "user"}, {TopGroup::Unit, "unit"}}};

enum class TopOrder : std::uint8_t { Time, Commands, Waiting, Memory, Name };
inline constexpr Names<TopOrder, 5> kTopOrders = {{{TopOrder::Time, "time"},
                                                   {TopOrder::Commands, "commands"},
                                                   {TopOrder::Waiting, "waiting"},
                                                   {TopOrder::Memory, "memory"},
                                                   {TopOrder::Name, "name"}}};

struct TopRow {
  std::string name;           // number of the context, or name of the user or unit
  std::uint64_t context = 0;  // 0: a user or unit
  std::size_t contexts = 1;
  std::string user;
  std::string unit;
  std::string program;
  // Since the sample before; nothing without one.
  std::optional<double> share;  // of the TPM's time, up to 1
  std::optional<double> rate;   // commands a second
  std::uint64_t tpm_us = 0;
  std::uint64_t submitted = 0;
  std::uint64_t queued = 0;
  std::uint64_t bytes = 0;
  std::uint64_t waiting_us = 0;
  std::string now;  // what runs, or why it waits
};

// These contexts alone.
struct TopFilter {
  TopGroup group = TopGroup::Context;  // Context: all of them
  std::string name;
};

std::vector<TopRow> top_rows(const TopSample& sample, const TopSample* before, TopGroup group,
                             const TopFilter& filter, UserNames& users);
// Amounts go down, names up; equals are in the order of their names.
void sort_rows(std::vector<TopRow>& rows, TopOrder order);

// Whether the daemon has counted on since: if not, what it has counted is of another process.
bool goes_on(const TopSample& before, const TopSample& sample);

// "waits 300 ms: context 7 has the TPM"; nothing when the context waits for nothing.
std::string wait_text(const TopSample& sample, const TopContext& context);

}  // namespace tbs::ctl
