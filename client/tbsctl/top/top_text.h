#pragma once

// What `top` says above its rows, and the rows themselves as cells: the same on a terminal and
// without one.

#include <string>
#include <vector>

#include "client/tbsctl/text/table.h"
#include "client/tbsctl/text/user_names.h"
#include "client/tbsctl/top/top_rows.h"

namespace tbs::ctl {

// The most important lines first. `before` may be null.
std::vector<std::string> top_header(const TopSample& sample, const TopSample* before,
                                    UserNames& users);
// "context 7 (root, tpm2_create): CreatePrimary for 1.2 s"
std::string top_work(const TopSample& sample, UserNames& users);

struct TopColumn {
  std::string title;
  Align align = Align::Left;
  unsigned rank = 0;  // where there is no room for all, the highest goes first
};
// The last column is what the row does now.
std::vector<TopColumn> top_columns(TopGroup group);
std::vector<std::string> top_cells(const TopRow& row, TopGroup group);

// "12.5 %", "-"
std::string percent_text(const std::optional<double>& share);
std::string rate_text(const std::optional<double>& rate);

}  // namespace tbs::ctl
