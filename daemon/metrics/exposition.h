#pragma once

// Metrics as text: Prometheus' format 0.0.4, and OpenMetrics 1.0.0, which name counters differently
// and end differently.

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/base/clock.h"
#include "daemon/base/histogram.h"

namespace tbs::metrics {

enum class Format : std::uint8_t { Text, OpenMetrics };

std::string_view content_type(Format format);

enum class Type : std::uint8_t { Counter, Gauge, Histogram };

std::string_view name_of(Type type);

struct Heading {
  std::string_view name;  // as samples have it: counters end with _total
  Type type;
  std::string_view help;
};

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::initializer_list<Label>;

class Exposition {
 public:
  explicit Exposition(Format format) : format_(format) {}

  // The samples that follow are of this family. Each family comes once.
  void begin(const Heading& heading);
  // A label that all samples have from now on; none when its value is empty.
  void set_common(std::string_view name, std::string_view value);

  void number(std::uint64_t value, Labels labels = {});
  void seconds(double value, Labels labels = {});
  void seconds(Duration value, Labels labels = {}) {
    seconds(std::chrono::duration<double>(value).count(), labels);
  }
  void histogram(const Histogram& histogram, Labels labels);

  // The page; nothing may follow.
  std::string finish() &&;

 private:
  void start_sample(std::string_view suffix, Labels labels, Label more = {});
  void add_label(const Label& label, bool& first);
  void add_number(std::uint64_t value);
  void add_seconds(double value);

  Format format_;
  std::string text_;
  std::string_view name_;
  std::string common_name_;
  std::string common_value_;
};

}  // namespace tbs::metrics
