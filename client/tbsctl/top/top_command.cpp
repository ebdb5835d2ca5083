#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/connection/connect.h"
#include "client/tbsctl/top/commands.h"
#include "client/tbsctl/top/top_json.h"
#include "client/tbsctl/top/top_look.h"
#include "client/tbsctl/top/top_rows.h"
#include "client/tbsctl/top/top_terminal.h"
#include "client/tbsctl/top/top_text.h"
#include "client/tbsctl/top/top_view.h"

namespace tbs::ctl {
namespace {

struct TopOptions {
  std::chrono::milliseconds interval{2000};
  std::uint32_t count = 0;  // 0: without end
  TopOrder order = TopOrder::Time;
  TopGroup group = TopGroup::Context;
};

constexpr double kLeastSeconds = 0.1;
constexpr double kMostSeconds = 3600;

Reader read_interval(const std::shared_ptr<TopOptions>& options) {
  return [options](const std::string& text) -> std::expected<void, std::string> {
    double seconds = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
    // So that what is no number is refused, too.
    const bool fits = seconds >= kLeastSeconds && seconds <= kMostSeconds;
    if (error != std::errc{} || stop != end || !fits) {
      return std::unexpected("'" + text + "' is no number of seconds from 0.1 to 3600");
    }
    options->interval = std::chrono::milliseconds(std::llround(seconds * 1000));
    return {};
  };
}

void print_page(const Console& console, TopLook& look, const TopOptions& options) {
  const TopSample& sample = *look.sample();
  if (console.json) {
    print_json_line(console.out, top_json(sample, look.before(), options.order, look.users()));
    return;
  }
  for (const std::string& line : top_header(sample, look.before(), look.users())) {
    console.out << line << '\n';
  }
  auto rows = top_rows(sample, look.before(), options.group, {}, look.users());
  sort_rows(rows, options.order);
  std::vector<Column> columns;
  for (const TopColumn& column : top_columns(options.group)) {
    columns.push_back({.title = column.title, .align = column.align});
  }
  Table table(std::move(columns));
  for (const TopRow& row : rows) {
    const auto cells = top_cells(row, options.group);
    table.add({cells.begin(), cells.end()});
  }
  console.out << '\n';
  table.print(console.out);
  console.out << '\n';
}

// Page after page, each about the interval before it. A daemon that cannot be asked at first is a
// failure; later it may come back.
Outcome print_pages(const Console& console, TopLook& look, const TopOptions& options) {
  if (auto first = look.look(); !first) return first;
  for (std::uint32_t page = 0; options.count == 0 || page < options.count; ++page) {
    std::this_thread::sleep_for(options.interval);
    if (auto looked = look.look(); looked) {
      print_page(console, look, options);
    } else if (page + 1 == options.count) {
      return looked;
    } else {
      console.notes << "tbsctl: " << looked.error().message << "; trying again\n";
      console.notes.flush();
    }
    console.out.flush();
    if (!console.out) break;  // the program says so when it ends
  }
  return {};
}

Outcome show_on_terminal(TopLook& look, const TopOptions& options) {
  TopView view(look, options.order, options.group);
  TopTerminal terminal;
  auto next = client::Clock::now();
  while (true) {
    if (client::Clock::now() >= next) {
      view.look();
      next = client::Clock::now() + options.interval;
    }
    if (!terminal.draw(view.draw(terminal.size()))) return {};
    const auto typed = terminal.wait(next);
    if (!typed || !view.type(*typed, terminal.size())) return {};
  }
}

Outcome run_top(const Environment& environment, const TopOptions& options) {
  TopLook look(
      [&environment](client::Deadline deadline) {
        return connect_to_daemon(environment.socket, deadline);
      },
      options.interval);
  const bool plain = environment.console.json || options.count > 0 || !TopTerminal::usable();
  return plain ? print_pages(environment.console, look, options) : show_on_terminal(look, options);
}

}  // namespace

Subcommand top_subcommand() {
  const auto options = std::make_shared<TopOptions>();
  return {
      .name = "top",
      .summary = "Watch who has the TPM's time, what runs, and what waits and why",
      .help =
          "On a terminal, keys sort, group, open one context (what it holds) and cancel; h lists "
          "them, q quits. Without a\nterminal, with --count or with --json it prints a page after "
          "each interval: for people, or one JSON object\na line. Everybody sees what `tbsctl "
          "contexts` shows; what a context holds, and cancelling it, is for its\nown user and "
          "administrators.\n\nExamples:\n"
          "  tbsctl top --by unit\n"
          "  tbsctl top --interval 10 --count 6 >minute.txt",
      .options = {{.name = "--interval",
                   .value = "SECONDS",
                   .about = "Look this often, 2 without this; 0.5 is twice a second",
                   .read = read_interval(options)},
                  {.name = "--count",
                   .value = "N",
                   .about = "Print so many pages as plain lines and end, also on a terminal",
                   .read = read_number<std::uint32_t>(field(options, &TopOptions::count), 1)},
                  {.name = "--sort",
                   .value = "ORDER",
                   .about = "By one of " + listed(kTopOrders) + " (default: time)",
                   .read = read_name(field(options, &TopOptions::order), kTopOrders),
                   .offer = names_of(kTopOrders)},
                  {.name = "--by",
                   .value = "WHAT",
                   .about = "A row for each " + listed(kTopGroups) + " (default: context)",
                   .read = read_name(field(options, &TopOptions::group), kTopGroups),
                   .not_with_json = true,
                   .offer = names_of(kTopGroups)}},
      .needs = always(kNoDaemon),
      .run = [options](const Environment& environment) { return run_top(environment, *options); },
      .json = JsonOutput::Lines};
}

}  // namespace tbs::ctl
