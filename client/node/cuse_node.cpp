#define FUSE_USE_VERSION 31

#include "client/node/cuse_node.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cuse_lowlevel.h>
#include <fuse_lowlevel.h>
#include <tuple>
#include <utility>

#include <fcntl.h>

#include "client/node/node_errors.h"

namespace tbs::node {
namespace {

constexpr NodeLoop::Key kSessionKey = 0;  // files are numbered from 1
// Opens of one user that wait for tbsd. Each has a thread.
constexpr int kMostOpening = 256;

}  // namespace

struct CuseNode::OpenFile {
  NodeFile file;
  std::shared_ptr<OpenerLink> link;
  fuse_pollhandle* poller = nullptr;
  Call opening = 0;  // the call that waits for the context; 0 once it is there
  std::uint32_t uid = 0;
};

struct CuseNode::Buffer : fuse_buf {
  Buffer() : fuse_buf{} {}
  ~Buffer() { std::free(mem); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};

// libfuse hands back what the node was started with.
class CuseNode::Operations {
 public:
  static cuse_lowlevel_ops table() {
    cuse_lowlevel_ops table{};
    table.init_done = [](void* user) { static_cast<CuseNode*>(user)->ready_(); };
    table.open = [](fuse_req_t request, fuse_file_info* info) { of(request).open(request, *info); };
    table.release = [](fuse_req_t request, fuse_file_info* info) {
      of(request).release(request, info->fh);
    };
    table.read = [](fuse_req_t request, std::size_t room, off_t, fuse_file_info* info) {
      of(request).read(request, room, info->fh);
    };
    table.write = [](fuse_req_t request, const char* bytes, std::size_t size, off_t,
                     fuse_file_info* info) {
      of(request).write(request, {reinterpret_cast<const std::uint8_t*>(bytes), size},
                        (info->flags & O_NONBLOCK) != 0, info->fh);
    };
    table.poll = [](fuse_req_t request, fuse_file_info* info, fuse_pollhandle* handle) {
      of(request).poll(request, info->fh, handle);
    };
    table.ioctl = [](fuse_req_t request, int, void*, fuse_file_info*, unsigned, const void*,
                     std::size_t, std::size_t) { fuse_reply_err(request, ENOTTY); };
    return table;
  }
  static void interrupted(fuse_req_t, void* data) {
    const auto& waiting = *static_cast<Waiting*>(data);
    // libfuse holds the request: it is answered when this has returned.
    waiting.node.signals_.push_back(waiting.call);
  }

 private:
  static CuseNode& of(fuse_req_t request) {
    return *static_cast<CuseNode*>(fuse_req_userdata(request));
  }
};

CuseNode::CuseNode(NodeLoop& loop, NodeSettings settings, std::function<void()> ready)
    : loop_(loop),
      settings_(std::move(settings)),
      ready_(std::move(ready)),
      buffer_(std::make_unique<Buffer>()) {}

CuseNode::~CuseNode() {
  for (auto& [id, file] : files_) file.link->close();
  if (session_ == nullptr) return;
  loop_.forget(kSessionKey, fuse_session_fd(session_));
  for (auto& [id, file] : files_) {
    if (file.poller != nullptr) fuse_pollhandle_destroy(file.poller);
  }
  for (auto& [call, waiting] : waiting_) fuse_reply_err(waiting.request, ENODEV);
  cuse_lowlevel_teardown(session_);
}

bool CuseNode::start() {
  const std::string device = "DEVNAME=" + settings_.name;
  std::array<const char*, 1> about{device.c_str()};
  const cuse_info info{.dev_major = 0,
                       .dev_minor = 0,
                       .dev_info_argc = 1,
                       .dev_info_argv = about.data(),
                       .flags = 0};
  const cuse_lowlevel_ops operations = Operations::table();
  std::string program = "tbs-node";
  std::string foreground = "-f";
  std::array<char*, 3> arguments{program.data(), foreground.data(), nullptr};
  int threads = 0;
  session_ = cuse_lowlevel_setup(2, arguments.data(), &info, &operations, &threads, this);
  if (session_ == nullptr) return false;
  const int descriptor = fuse_session_fd(session_);
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  return loop_.watch(kSessionKey, descriptor, [this] { receive(); });
}

void CuseNode::receive() {
  const int size = fuse_session_receive_buf(session_, buffer_.get());
  if (size > 0) fuse_session_process_buf(session_, buffer_.get());
  handle_signals();
  if (fuse_session_exited(session_) != 0) loop_.stop();
}

// ---- open and close ----

void CuseNode::open(fuse_req* request, fuse_file_info& info) {
  const fuse_ctx& who = *fuse_req_ctx(request);
  const auto of_user = opening_.find(who.uid);
  if (of_user != opening_.end() && of_user->second >= kMostOpening) {
    fuse_reply_err(request, EMFILE);
    return;
  }
  const std::uint64_t id = ++last_file_;
  info.fh = id;
  const Call call = ++last_call_;
  OpenFile& file = files_[id];
  file.opening = call;
  file.uid = who.uid;
  file.link = std::make_shared<OpenerLink>(loop_, id);
  const bool started =
      file.link->open(settings_.socket,
                      {.uid = who.uid, .gid = who.gid, .pid = static_cast<std::uint32_t>(who.pid)},
                      [this, id](proto::Status status) { opened(id, status); });
  if (!started) {
    forget(id);
    fuse_reply_err(request, ENOMEM);
    return;
  }
  ++opening_[who.uid];
  waiting_.emplace(call, Waiting{.node = *this, .call = call, .request = request, .file = id});
  watch_for_signals(call);
}

void CuseNode::opened(std::uint64_t id, proto::Status status) {
  OpenFile* const file = find(id);
  if (file == nullptr) return;
  const auto waiting = waiting_.find(std::exchange(file->opening, 0));
  fuse_req* const request = waiting->second.request;
  waiting_.erase(waiting);
  if (--opening_[file->uid] == 0) opening_.erase(file->uid);
  if (status != proto::Status::Success) {
    forget(id);
    fuse_reply_err(request, open_error(status));
    return;
  }
  fuse_file_info info{};
  info.fh = id;
  info.direct_io = 1;
  // Who does not wait any more never closes it.
  if (fuse_reply_open(request, &info) == -ENOENT) forget(id);
}

void CuseNode::abandon_open(const Waiting& waiting) {
  const auto [id, call, request] = std::tuple(waiting.file, waiting.call, waiting.request);
  OpenFile& file = *find(id);
  if (--opening_[file.uid] == 0) opening_.erase(file.uid);
  waiting_.erase(call);
  forget(id);
  fuse_reply_err(request, EINTR);
}

void CuseNode::release(fuse_req* request, std::uint64_t id) {
  forget(id);
  fuse_reply_err(request, 0);
}

void CuseNode::forget(std::uint64_t id) {
  OpenFile* const file = find(id);
  if (file == nullptr) return;
  file->link->close();
  loop_.clear_deadline(id);
  if (file->poller != nullptr) fuse_pollhandle_destroy(file->poller);
  files_.erase(id);
}

CuseNode::OpenFile* CuseNode::find(std::uint64_t id) {
  const auto found = files_.find(id);
  return found == files_.end() ? nullptr : &found->second;
}

// ---- read, write and poll ----

template <typename Start>
void CuseNode::begin_call(fuse_req* request, std::uint64_t id, Start start) {
  OpenFile* const file = find(id);
  if (file == nullptr) {
    fuse_reply_err(request, EBADF);
    return;
  }
  const Call call = ++last_call_;
  waiting_.emplace(call, Waiting{.node = *this, .call = call, .request = request, .file = id});
  carry_out(id, start(file->file, call));
  if (waiting_.contains(call)) watch_for_signals(call);
}

void CuseNode::read(fuse_req* request, std::size_t room, std::uint64_t id) {
  begin_call(request, id, [room](NodeFile& file, Call call) { return file.read(call, room); });
}

void CuseNode::write(fuse_req* request, proto::Bytes bytes, bool nonblocking, std::uint64_t id) {
  begin_call(request, id, [bytes, nonblocking](NodeFile& file, Call call) {
    return file.write(call, bytes, nonblocking);
  });
}

void CuseNode::poll(fuse_req* request, std::uint64_t id, fuse_pollhandle* handle) {
  OpenFile* const file = find(id);
  if (file != nullptr && handle != nullptr) {
    std::swap(file->poller, handle);
  }
  if (handle != nullptr) fuse_pollhandle_destroy(handle);
  fuse_reply_poll(request, file == nullptr ? 0U : static_cast<unsigned>(file->file.events()));
}

void CuseNode::carry_out(std::uint64_t id, NodeActions actions) {
  OpenFile* const file = find(id);
  if (file == nullptr) return;
  const auto link = file->link;
  if (actions.cancel) link->cancel();
  if (actions.clock == true) {
    loop_.set_deadline(id, NodeLoop::Clock::now() + settings_.response_timeout, [this, id] {
      if (OpenFile* const late = find(id)) carry_out(id, late->file.timed_out());
    });
  } else if (actions.clock == false) {
    loop_.clear_deadline(id);
  }
  for (const CallResult& result : actions.results) answer(result);
  if (actions.look_again) wake_pollers(*file);
  if (!actions.submit) return;
  link->submit(*std::move(actions.submit), [this, id](std::expected<proto::Buffer, int> outcome) {
    if (OpenFile* const asked = find(id)) carry_out(id, asked->file.finished(std::move(outcome)));
  });
}

void CuseNode::answer(const CallResult& result) {
  const auto waiting = waiting_.find(result.call);
  if (waiting == waiting_.end()) return;
  fuse_req* const request = waiting->second.request;
  waiting_.erase(waiting);
  if (result.error != 0) {
    fuse_reply_err(request, result.error);
  } else if (result.written > 0) {
    fuse_reply_write(request, result.written);
  } else {
    fuse_reply_buf(request, reinterpret_cast<const char*>(result.read.data()), result.read.size());
  }
}

void CuseNode::wake_pollers(OpenFile& file) {
  if (file.poller == nullptr) return;
  fuse_pollhandle* const poller = std::exchange(file.poller, nullptr);
  fuse_lowlevel_notify_poll(poller);
  fuse_pollhandle_destroy(poller);
}

// ---- signals for the programs ----

void CuseNode::watch_for_signals(Call call) {
  Waiting& waiting = waiting_.at(call);
  fuse_req_interrupt_func(waiting.request, Operations::interrupted, &waiting);
}

void CuseNode::handle_signals() {
  for (const Call call : std::exchange(signals_, {})) {
    const auto found = waiting_.find(call);
    if (found == waiting_.end()) continue;
    OpenFile* const file = find(found->second.file);
    if (file == nullptr) continue;
    if (file->opening == call) {
      abandon_open(found->second);
    } else {
      carry_out(found->second.file, file->file.interrupt(call));
    }
  }
}

}  // namespace tbs::node
