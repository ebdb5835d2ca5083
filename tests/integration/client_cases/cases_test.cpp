// The cases that tpm2-abrmd's integration programs are about, under the names of these programs,
// and the ones that they leave out. A program that was written against any of them must find here
// what it found there, or better: what was not implemented works, limits are higher and can be
// configured, and nobody reaches what belongs to a neighbour.

#include <string>
#include <vector>

#include "tests/integration/client_cases/case.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

struct Case {
  const char* name;
  const char* claim;
  void (*run)(TestBench& bench);
  std::vector<std::string> options = {};  // of the daemon
};

const std::vector<Case> kCases = {
    {"auth-session-start-flush", "a flushed session is gone", session_start_flush},
    {"auth-session-start-save", "a saved session outlives its connection, and is no burden",
     session_start_save},
    {"auth-session-start-save-load", "a session comes back with its handle",
     session_start_save_load},
    {"auth-session-max",
     "one session too many is SESSION_MEMORY",
     session_limit,
     {"--sessions-per-context=4"}},
    {"start-auth-session", "the lists follow start, save, load and flush", session_lists},
    {"session-gap", "saving past the gap; the first session is still good", session_gap},
    {"session-load-from-closed-connection", "five times from one to the next",
     session_of_closed_connection},
    {"session-load-from-closed-connections-lru",
     "one orphan too many: the oldest goes",
     orphans_least_recent,
     {"--orphans-per-user=4"}},
    {"session-of-closed-connection-expires",
     "though nobody does anything",
     orphan_expires,
     {"--orphan-lifetime=1"}},
    {"session-load-from-open-connection", "taken over, and then the new owner's alone",
     session_of_open_connection},
    {"session-load-by-another-user", "a stolen blob is worth nothing", session_of_neighbour},
    {"session-flush-by-another-connection", "refused, and the owner goes on",
     session_flushed_by_another},

    {"get-capability-handles-transient", "a context lists its own virtual handles",
     transient_handles},
    {"max-transient-upperbound",
     "one key too many is OBJECT_MEMORY",
     object_limit,
     {"--objects-per-context=27"}},
    {"max-transient-upperbound-sequences",
     "sequences count as well",
     object_limit_of_sequences,
     {"--objects-per-context=27"}},
    {"max-transient-upperbound-context-load",
     "loaded contexts count as well",
     object_limit_of_loads,
     {"--objects-per-context=27"}},
    {"manage-transient-keys", "create, load, save, flush, and load the saved", transient_keys},
    {"hash-sequence", "ten sequences at a time, each with its own digest", hash_sequences},
    {"transient-of-another-connection", "cannot be used, saved or flushed", object_of_another},

    {"tcti-make-sticky",
     "a key stays loaded while others need room",
     make_sticky,
     {"--share=exclusive"}},

    {"get-capability-with-session", "an audit session works, a password does not",
     capability_with_session},
    {"password-authorization", "NV with the right and a wrong password", password_authorization},
    {"not-enough-handles-for-command", "an error, and all goes on", too_few_handles},
    {"tpm2-command-flush-no-handle", "an error, and all goes on", flush_without_handle},
    {"util-buf-max-upper-bound", "a header that claims 8192 bytes of 14", size_above_limit},
    {"command-size-upper-bound", "what fits the device reaches it, one byte more does not",
     largest_command},
    {"command-attributes", "every command that the TPM has is understood", command_attributes},

    {"tcti-bad-sequence", "what may not follow what", bad_sequence},
    {"tcti-null-parameters", "null pointers are refused", null_parameters},
    {"tcti-double-finalize", "no crash", double_finalize},
    {"tcti-cancel", "what waits and what runs is given up", cancel},
    {"tcti-set-locality", "a command arrives at its locality", set_locality},
    {"tcti-connect-multiple", "25 connections that leave without reading", connect_multiple},
    {"tcti-connections-max",
     "one too many is refused until another leaves",
     connections_limit,
     {"--max-contexts=27"}},
    {"limits-by-default", "all of them are higher", default_limits},
};

}  // namespace

TEST_CASE("what programs expect of a resource manager") {
  for (const Case& each : kCases) {
    DYNAMIC_SECTION(each.name << ": " << each.claim) {
      // The limit of contexts is for users.
      TestBench bench(
          {.arguments = each.options, .administrators = each.run != &connections_limit});
      each.run(bench);
      // Whatever the case did, the next program finds a TPM that works and is empty.
      TssClient next(bench.socket());
      CHECK(next.handles(TPM2_TRANSIENT_FIRST).empty());
      CHECK(next.handles(TPM2_LOADED_SESSION_FIRST).empty());
      TPM2_HANDLE key = 0;
      CHECK(next.create_primary(key) == TSS2_RC_SUCCESS);
      CHECK(key == TPM2_TRANSIENT_FIRST);
    }
  }
}
