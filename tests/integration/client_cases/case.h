#pragma once

// What programs expect of a resource manager for TPM 2.0, one case each. Every case has a daemon
// and a TPM of its own.

#include "tests/integration/client_cases/tss_client.h"
#include "tests/integration/support/test_bench.h"

namespace tbs::test {

// Response codes of the resource manager (layer 0x000B0000).
inline constexpr TSS2_RC kNoObjectMemory = TSS2_RESMGR_RC_LAYER | TPM2_RC_OBJECT_MEMORY;
inline constexpr TSS2_RC kNoSessionMemory = TSS2_RESMGR_RC_LAYER | TPM2_RC_SESSION_MEMORY;
// What a handle or a saved session gets that the context does not have.
inline constexpr TSS2_RC kUnknown = TSS2_RESMGR_RC_LAYER | TPM2_RC_HANDLE | TPM2_RC_P | TPM2_RC_1;

// The limits of tpm2-abrmd, which cases about limits give to the daemon.
inline constexpr std::size_t kSessionLimit = 4;
inline constexpr std::size_t kOrphanLimit = 4;
inline constexpr std::size_t kObjectLimit = 27;
inline constexpr std::size_t kConnectionLimit = 27;

// session_cases.cpp
void session_start_flush(TestBench& bench);
void session_start_save(TestBench& bench);
void session_start_save_load(TestBench& bench);
void session_lists(TestBench& bench);
void session_limit(TestBench& bench);
void session_gap(TestBench& bench);
void default_limits(TestBench& bench);

// handover_cases.cpp
void session_of_closed_connection(TestBench& bench);
void session_of_open_connection(TestBench& bench);
void orphans_least_recent(TestBench& bench);
void orphan_expires(TestBench& bench);
void session_of_neighbour(TestBench& bench);
void session_flushed_by_another(TestBench& bench);

// object_cases.cpp
void transient_handles(TestBench& bench);
void object_limit(TestBench& bench);
void object_limit_of_sequences(TestBench& bench);
void object_limit_of_loads(TestBench& bench);
void transient_keys(TestBench& bench);
void hash_sequences(TestBench& bench);
void object_of_another(TestBench& bench);
void make_sticky(TestBench& bench);

// command_cases.cpp
void capability_with_session(TestBench& bench);
void password_authorization(TestBench& bench);
void too_few_handles(TestBench& bench);
void flush_without_handle(TestBench& bench);
void size_above_limit(TestBench& bench);
void largest_command(TestBench& bench);
void command_attributes(TestBench& bench);

// connection_cases.cpp
void bad_sequence(TestBench& bench);
void null_parameters(TestBench& bench);
void double_finalize(TestBench& bench);
void cancel(TestBench& bench);
void set_locality(TestBench& bench);
void connect_multiple(TestBench& bench);
void connections_limit(TestBench& bench);

}  // namespace tbs::test
