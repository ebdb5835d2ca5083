#pragma once

// What somebody who looks at `top` has chosen, and what each key does about it. No terminal: keys
// come in, and what is to be done beside drawing comes out.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/tbsctl/top/top_keys.h"
#include "client/tbsctl/top/top_rows.h"

namespace tbs::ctl {

struct TopAction {
  enum class Kind : std::uint8_t { None, Quit, Look, Cancel };
  Kind kind = Kind::None;
  std::uint64_t context = 0;  // to cancel
};

class TopState {
 public:
  TopState(TopOrder order, TopGroup group) : order_(order), group_(group) {}

  // `page`: how many rows are seen at a time.
  TopAction press(const TopKey& key, std::size_t page);
  // These rows are there now. The chosen one stays chosen while it is among them.
  void show(std::vector<TopRow> rows);
  // And this is to be told of the one that is open.
  void show_open(std::vector<std::string> lines) { open_lines_ = std::move(lines); }
  // To be said below the rows until a key is pressed.
  void say(std::string message) { message_ = std::move(message); }

  [[nodiscard]] TopOrder order() const { return order_; }
  [[nodiscard]] TopGroup group() const { return group_; }
  [[nodiscard]] const TopFilter& filter() const { return filter_; }
  [[nodiscard]] const std::vector<TopRow>& rows() const { return rows_; }
  [[nodiscard]] std::size_t chosen() const { return chosen_; }  // a row; 0 when there is none
  [[nodiscard]] std::optional<std::uint64_t> open() const { return open_; }
  [[nodiscard]] const std::vector<std::string>& open_lines() const { return open_lines_; }
  [[nodiscard]] std::size_t scrolled() const { return scrolled_; }  // so many of them are above
  [[nodiscard]] std::optional<std::uint64_t> asking() const { return asking_; }  // to cancel it?
  [[nodiscard]] bool help() const { return help_; }
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  TopAction answer(const TopKey& key);
  TopAction press_letter(char letter);
  void move(const TopKey& key, std::size_t page);
  void sort_by(TopOrder order);
  void open_row();
  void close();
  void ask_cancel();

  TopOrder order_;
  TopGroup group_;
  TopFilter filter_;
  std::vector<TopRow> rows_;
  std::size_t chosen_ = 0;
  std::string chosen_name_;
  std::optional<std::uint64_t> open_;
  std::vector<std::string> open_lines_;
  std::size_t scrolled_ = 0;
  std::optional<std::uint64_t> asking_;
  bool help_ = false;
  std::string message_;
};

}  // namespace tbs::ctl
