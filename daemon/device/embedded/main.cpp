// tbsd-embedded-tpm: the software TPM behind `--device embedded`. tbsd starts it and talks to it
// over the socket on descriptor 3 (daemon/device/child_frame.h). A process of its own, so that a
// command of seconds never holds up the daemon and can be cancelled, and so that the TPM's secrets
// are not in the memory of the process that parses what clients send.
//
// It ends when the socket does: when neither the daemon has the other end, nor whoever keeps that
// for the daemon's successor, who goes on with this process. It ignores the signals of a terminal,
// since the daemon decides when to stop.

#include <cstdio>
#include <cstring>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/device/child_frame.h"
#include "daemon/device/embedded/cancel_signal.h"
#include "daemon/device/embedded/sandbox.h"
#include "daemon/device/embedded/state_folder.h"
#include "daemon/device/embedded/tpm_library.h"
#include "daemon/sandbox/filter.h"

namespace tbs::device::embedded {
namespace {

constexpr int kSocket = 3;

struct Arguments {
  std::string state_dir;
  Family family = Family::Tpm20;
  bool durable = true;
  bool confined = true;
  bool keeps_state = false;
};

// FOLDER FAMILY durable|volatile confined|unconfined keep|discard, all required: only tbsd calls
// this program.
std::optional<Arguments> parse_arguments(int count, char** values) {
  if (count != 6) return std::nullopt;
  Arguments arguments{.state_dir = values[1]};
  const std::string_view family = values[2];
  const std::string_view durability = values[3];
  const std::string_view confinement = values[4];
  const std::string_view keeping = values[5];
  if (family != "1.2" && family != "2.0") return std::nullopt;
  if (durability != "durable" && durability != "volatile") return std::nullopt;
  if (confinement != "confined" && confinement != "unconfined") return std::nullopt;
  if (keeping != "keep" && keeping != "discard") return std::nullopt;
  arguments.keeps_state = keeping == "keep";
  arguments.family = family == "1.2" ? Family::Tpm12 : Family::Tpm20;
  arguments.durable = durability == "durable";
  arguments.confined = confinement == "confined";
  return arguments;
}

void shield_process() {
  for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    ::signal(ignored, SIG_IGN);
  }
  // Neither a core file nor a debugger of the same user shall see the TPM's secrets.
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::close_range(kSocket + 1, ~0U, 0);
  ::umask(077);
}

bool send_frame(std::uint32_t sequence, ReplyKind kind, proto::Bytes payload) {
  const proto::Buffer frame =
      encode_child_frame(sequence, static_cast<std::uint8_t>(kind), payload);
  proto::Bytes rest(frame);
  while (!rest.empty()) {
    const ssize_t count = ::write(kSocket, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    rest = rest.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

int give_up(std::uint32_t sequence, const std::string& reason) {
  const proto::Bytes text(reinterpret_cast<const std::uint8_t*>(reason.data()),
                          std::min(reason.size(), kMaxFramePayload));
  send_frame(sequence, ReplyKind::Failed, text);
  return 1;
}

// The next command; nothing at the end of the socket; an error when the stream makes no sense.
std::expected<std::optional<ChildFrame>, std::string> receive_command(
    ChildFrameAssembler& assembler) {
  std::uint8_t buffer[kMaxFramePayload];
  while (true) {
    auto frame = assembler.next();
    if (!frame || *frame) return frame;
    const ssize_t count = ::read(kSocket, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    assembler.append({buffer, static_cast<std::size_t>(count)});
  }
}

void save_state(const TpmLibrary& tpm) {
  const auto saved = tpm.save_state();
  if (saved) return;
  std::fprintf(stderr, "tbsd-embedded-tpm: the TPM's state is not kept: %s\n",
               saved.error().c_str());
}

int serve(TpmLibrary& tpm) {
  ChildFrameAssembler assembler;
  if (!send_frame(0, ReplyKind::Ready, {})) return 1;
  while (true) {
    const auto command = receive_command(assembler);
    if (!command) return give_up(0, command.error());
    if (!*command) return 0;
    const ChildFrame& frame = **command;
    if (frame.kind == kSaveState) {
      save_state(tpm);
      if (!send_frame(frame.sequence, ReplyKind::Response, {})) return 1;
      continue;
    }
    std::expected<std::span<const std::uint8_t>, std::string> response;
    {
      const RunningCommand cancellable(frame.sequence);
      response = tpm.process(frame.payload, frame.kind);
    }
    if (!response) return give_up(frame.sequence, response.error());
    if (response->size() > kMaxFramePayload) {
      return give_up(frame.sequence, "libtpms gave a response of more than 4096 bytes");
    }
    if (!send_frame(frame.sequence, ReplyKind::Response, *response)) return 1;
  }
}

int run(const Arguments& arguments) {
  shield_process();
  if (auto installed = install_cancel_signal(); !installed) return give_up(0, installed.error());
  const std::string_view prefix = arguments.family == Family::Tpm12 ? "tpm12" : "tpm20";
  auto state = StateFolder::open(arguments.state_dir, prefix, arguments.durable);
  if (!state) return give_up(0, state.error());
  auto tpm = TpmLibrary::start(arguments.family, std::move(*state), arguments.keeps_state);
  if (!tpm) return give_up(0, tpm.error());
  if (arguments.confined && sandbox::kAvailable) {
    // Without it the TPM is as good; whoever wants to know reads the daemon's log.
    if (const auto done = enter_sandbox(); !done) {
      std::fprintf(stderr, "tbsd-embedded-tpm: %s\n", done.error().c_str());
    }
  }
  return serve(*tpm);
}

}  // namespace
}  // namespace tbs::device::embedded

int main(int count, char** values) {
  const auto arguments = tbs::device::embedded::parse_arguments(count, values);
  if (!arguments) {
    std::fprintf(stderr,
                 "%s is the software TPM of tbsd and is started by it:\n"
                 "tbsd --device embedded\n",
                 values[0]);
    return 2;
  }
  return tbs::device::embedded::run(*arguments);
}
