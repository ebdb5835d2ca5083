#pragma once

// What the resource manager counts since it was made.

#include <cstdint>
#include <functional>

namespace tbs::exec {

struct Statistics {
  std::uint64_t client_commands = 0;
  std::uint64_t transmissions = 0;  // everything that was sent to the TPM
  std::uint64_t from_memory = 0;    // client commands that the TPM never saw
  std::uint64_t refused = 0;        // client commands refused by the resource manager
  std::uint64_t object_loads = 0;
  std::uint64_t object_saves = 0;
  std::uint64_t object_flushes = 0;
  std::uint64_t session_loads = 0;
  std::uint64_t session_saves = 0;
  std::uint64_t session_flushes = 0;
  std::uint64_t gap_refreshes = 0;
  std::uint64_t waits = 0;    // pauses because the TPM asked for one
  std::uint64_t repairs = 0;  // warnings of the TPM that were put right

  Statistics& operator+=(const Statistics& other) { return change(other, std::plus<>()); }
  Statistics& operator-=(const Statistics& other) { return change(other, std::minus<>()); }

  template <typename Record>
  void fields(Record& record) {
    record(client_commands, transmissions, from_memory, refused, object_loads, object_saves,
           object_flushes, session_loads, session_saves, session_flushes, gap_refreshes, waits,
           repairs);
  }

 private:
  template <typename Change>
  Statistics& change(const Statistics& other, Change change) {
    for (const auto number :
         {&Statistics::client_commands, &Statistics::transmissions, &Statistics::from_memory,
          &Statistics::refused, &Statistics::object_loads, &Statistics::object_saves,
          &Statistics::object_flushes, &Statistics::session_loads, &Statistics::session_saves,
          &Statistics::session_flushes, &Statistics::gap_refreshes, &Statistics::waits,
          &Statistics::repairs}) {
      this->*number = change(this->*number, other.*number);
    }
    return *this;
  }
};

}  // namespace tbs::exec
