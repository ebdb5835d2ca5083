#include "tests/integration/support/lying_tpm.h"

#include <array>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/byte_reader.h"
#include "proto/limits.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/integration/support/unix_socket.h"

namespace tbs::test {
namespace {

constexpr int kLook = 20;  // ms between looks whether to stop

bool send_all(int socket, const proto::Buffer& bytes) {
  return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

// One TPM message; empty at the end of the connection.
proto::Buffer receive_message(int socket) {
  proto::Buffer message(proto::kTpmHeaderSize);
  if (::recv(socket, message.data(), message.size(), MSG_WAITALL) !=
      static_cast<ssize_t>(message.size())) {
    return {};
  }
  proto::ByteReader reader(message);
  reader.skip(2);
  const std::size_t size = reader.be32();
  if (size < message.size() || size > 16384) return {};
  message.resize(size);
  const std::size_t rest = size - proto::kTpmHeaderSize;
  if (rest != 0 && ::recv(socket, message.data() + proto::kTpmHeaderSize, rest, MSG_WAITALL) !=
                       static_cast<ssize_t>(rest)) {
    return {};
  }
  return message;
}

// Whatever one side has sent goes to the other.
bool pass_on(int from, int to) {
  proto::Buffer bytes(4096);
  const ssize_t count = ::recv(from, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  bytes.resize(static_cast<std::size_t>(count));
  return send_all(to, bytes);
}

bool readable(int socket) {
  pollfd wait{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, kLook) > 0;
}

}  // namespace

LyingTpm::LyingTpm(const TempFolder& folder, const SwtpmProcess& swtpm)
    : data_(folder / "liar.sock"), control_(data_ + ".ctrl") {
  const int data = listen_on(data_);
  const int control = listen_on(control_);
  data_thread_ = std::thread([this, data, server = swtpm.data_socket()] {
    serve(data, server, [this](int client, int tpm) { return answer_command(client, tpm); });
  });
  control_thread_ = std::thread([this, control, server = swtpm.data_socket() + ".ctrl"] {
    serve(control, server,
          [](int client, int tpm) { return pass_on(client, tpm) && pass_on(tpm, client); });
  });
}

LyingTpm::~LyingTpm() {
  stop_ = true;
  data_thread_.join();
  control_thread_.join();
}

std::string LyingTpm::device(bool control) const {
  return "swtpm:path=" + data_ + (control ? "" : ",ctrl=" + data_ + ".none");
}

void LyingTpm::lie(Lie lie) {
  const std::lock_guard lock(mutex_);
  lie_ = std::make_shared<Lie>(std::move(lie));
}

void LyingTpm::serve(int listener, const std::string& server, const Answer& answer) {
  while (!stop_) {
    if (!readable(listener)) continue;
    const int client = ::accept(listener, nullptr, nullptr);
    if (client < 0) continue;
    const int tpm = connect_to(server);
    for (bool open = true; open && !stop_;) {
      if (readable(client)) open = answer(client, tpm);
    }
    ::close(client);
    ::close(tpm);
  }
  ::close(listener);
}

bool LyingTpm::answer_command(int client, int server) {
  const proto::Buffer command = receive_message(client);
  if (command.empty()) return false;
  ++commands_;
  std::shared_ptr<Lie> lie;
  {
    const std::lock_guard lock(mutex_);
    lie = lie_;
  }
  const Ask ask = [server](const proto::Buffer& bytes) {
    return send_all(server, bytes) ? receive_message(server) : proto::Buffer{};
  };
  const proto::Buffer response = *lie ? (*lie)(command, ask) : ask(command);
  return !response.empty() && send_all(client, response);
}

proto::Buffer in_failure_mode(const proto::Buffer& command, const LyingTpm::Ask& ask) {
  const std::uint32_t code = proto::read_tpm_header(command)->code;
  if (code == tbs::tpm::cc::kGetCapability || code == tbs::tpm::cc::kGetTestResult) {
    proto::Buffer response = ask(command);
    // Failure mode needs no start; the TPM behind does.
    if (tpm::code(response) != tbs::tpm::rc::kInitialize) return response;
    ask(tbs::tpm::build::startup(tbs::tpm::kStartupClear));
    return ask(command);
  }
  return proto::tpm_error_response(tbs::tpm::kTagNoSessions, tbs::tpm::rc::kFailure);
}

}  // namespace tbs::test
