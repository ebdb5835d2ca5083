#pragma once

// Static probes for tracers (USDT, as sys/sdt.h of SystemTap makes them): each is one instruction
// that does nothing, until bpftrace, perf or gdb puts something in its place. docs/probes.md has
// the list; a name or an argument that is there is not changed. No probe is given bytes of a
// command or a response: whoever may trace the daemon needs no other way to them.

#include "daemon/build_features.h"

#if TBS_HAS_PROBES
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define TBS_PROBE(name, ...) STAP_PROBEV(tbs, name __VA_OPT__(, ) __VA_ARGS__)
#else
#define TBS_PROBE(name, ...) static_cast<void>(0)
#endif
