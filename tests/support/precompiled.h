// What most test programs' sources include, compiled once for each program where b_pch is on. No
// header of the project: a change there would compile every test.
#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tests/support/catch2.h"
