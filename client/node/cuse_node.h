#pragma once

// The node itself: a character device of CUSE (libfuse's low-level interface). Each open file of it
// is a NodeFile with a context of who opened it.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/node/node_file.h"
#include "client/node/node_loop.h"
#include "client/node/opener_link.h"

struct fuse_file_info;
struct fuse_pollhandle;
struct fuse_req;
struct fuse_session;

namespace tbs::node {

struct NodeSettings {
  std::string name;    // in /dev
  std::string socket;  // of tbsd, for services like this
  std::chrono::seconds response_timeout;
};

class CuseNode {
 public:
  // The loop must outlive it. `ready` is called when the node is there.
  CuseNode(NodeLoop& loop, NodeSettings settings, std::function<void()> ready);
  ~CuseNode();
  CuseNode(const CuseNode&) = delete;
  CuseNode& operator=(const CuseNode&) = delete;

  // False when the kernel has no CUSE, or this process may not use it; libfuse says which.
  bool start();

 private:
  struct OpenFile;
  // A call that waits; a signal for its program is told by it.
  struct Waiting {
    CuseNode& node;
    Call call;
    fuse_req* request;
    std::uint64_t file;
  };
  class Operations;  // what libfuse calls

  void receive();
  void open(fuse_req* request, fuse_file_info& info);
  void opened(std::uint64_t id, proto::Status status);
  void release(fuse_req* request, std::uint64_t id);
  void read(fuse_req* request, std::size_t room, std::uint64_t id);
  void write(fuse_req* request, proto::Bytes bytes, bool nonblocking, std::uint64_t id);
  void poll(fuse_req* request, std::uint64_t id, fuse_pollhandle* handle);

  template <typename Start>
  void begin_call(fuse_req* request, std::uint64_t id, Start start);
  void watch_for_signals(Call call);
  void handle_signals();
  void abandon_open(const Waiting& waiting);
  void carry_out(std::uint64_t id, NodeActions actions);
  void answer(const CallResult& result);
  void wake_pollers(OpenFile& file);
  OpenFile* find(std::uint64_t id);
  void forget(std::uint64_t id);

  NodeLoop& loop_;
  const NodeSettings settings_;
  const std::function<void()> ready_;
  fuse_session* session_ = nullptr;
  struct Buffer;
  std::unique_ptr<Buffer> buffer_;
  std::map<std::uint64_t, OpenFile> files_;
  std::map<Call, Waiting> waiting_;
  std::map<std::uint32_t, int> opening_;  // by user
  std::vector<Call> signals_;
  std::uint64_t last_file_ = 0;
  Call last_call_ = 0;
};

}  // namespace tbs::node
