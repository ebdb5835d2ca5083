#include "daemon/metrics/exposition.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace tbs::metrics {
namespace {

constexpr std::string_view kCounterEnd = "_total";

// What comes from a TPM or a file may be any bytes; a page is text.
void append_escaped(std::string& text, std::string_view value) {
  for (const char character : value) {
    if (character == '\\' || character == '"') {
      text += '\\';
      text += character;
    } else {
      text += character >= ' ' && character <= '~' ? character : '?';
    }
  }
}

std::string_view family_name(const Heading& heading, Format format) {
  std::string_view name = heading.name;
  if (format == Format::OpenMetrics && heading.type == Type::Counter) {
    name.remove_suffix(kCounterEnd.size());
  }
  return name;
}

}  // namespace

std::string_view content_type(Format format) {
  return format == Format::OpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::Counter:
      return "counter";
    case Type::Gauge:
      return "gauge";
    case Type::Histogram:
      break;
  }
  return "histogram";
}

void Exposition::begin(const Heading& heading) {
  const std::string_view name = family_name(heading, format_);
  name_ = heading.name;
  for (const auto& [line, value] :
       {std::pair{"# HELP ", heading.help}, std::pair{"# TYPE ", name_of(heading.type)}}) {
    text_ += line;
    text_ += name;
    text_ += ' ';
    text_ += value;
    text_ += '\n';
  }
  if (format_ == Format::OpenMetrics && name.ends_with("_seconds")) {
    text_ += "# UNIT ";
    text_ += name;
    text_ += " seconds\n";
  }
}

void Exposition::set_common(std::string_view name, std::string_view value) {
  common_name_ = name;
  common_value_ = value;
}

void Exposition::number(std::uint64_t value, Labels labels) {
  start_sample({}, labels);
  add_number(value);
}

void Exposition::seconds(double value, Labels labels) {
  start_sample({}, labels);
  add_seconds(value);
}

void Exposition::histogram(const Histogram& histogram, Labels labels) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
    sum += histogram.counts()[i];
    std::array<char, 32> bound{};
    std::string_view text = "+Inf";
    if (i < Histogram::kBounds.size()) {
      const double value = std::chrono::duration<double>(Histogram::kBounds[i]).count();
      // OpenMetrics wants a point in each bound.
      const char* const end =
          std::to_chars(bound.begin(), bound.end(), value, std::chars_format::fixed).ptr;
      text = {bound.data(), static_cast<std::size_t>(end - bound.data())};
    }
    std::string canonical(text);
    if (i < Histogram::kBounds.size() && canonical.find('.') == std::string::npos) {
      canonical += ".0";
    }
    start_sample("_bucket", labels, {"le", canonical});
    add_number(sum);
  }
  start_sample("_sum", labels);
  add_seconds(std::chrono::duration<double>(histogram.sum()).count());
  start_sample("_count", labels);
  add_number(sum);
}

std::string Exposition::finish() && {
  if (format_ == Format::OpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

void Exposition::start_sample(std::string_view suffix, Labels labels, Label more) {
  text_ += name_;
  text_ += suffix;
  bool first = true;
  if (!common_value_.empty()) add_label({common_name_, common_value_}, first);
  for (const Label& label : labels) add_label(label, first);
  if (!more.first.empty()) add_label(more, first);
  text_ += first ? " " : "} ";
}

void Exposition::add_label(const Label& label, bool& first) {
  text_ += std::exchange(first, false) ? '{' : ',';
  text_ += label.first;
  text_ += "=\"";
  append_escaped(text_, label.second);
  text_ += '"';
}

void Exposition::add_number(std::uint64_t value) {
  text_ += std::to_string(value);
  text_ += '\n';
}

void Exposition::add_seconds(double value) {
  std::array<char, 32> digits{};
  const char* const end =
      std::to_chars(digits.begin(), digits.end(), value, std::chars_format::fixed, 6).ptr;
  text_ += std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  text_ += '\n';
}

}  // namespace tbs::metrics
