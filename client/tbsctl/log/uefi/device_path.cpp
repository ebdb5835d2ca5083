#include "client/tbsctl/log/uefi/device_path.h"

#include <optional>

#include "client/tbsctl/log/uefi/device_path_node.h"
#include "client/tbsctl/log/words/log_text.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

constexpr std::size_t kNodeHead = 4;
// A path in a log has a dozen nodes.
constexpr std::size_t kMostNodes = 64;

std::optional<DevicePathNode> next_node(ByteReader& reader) {
  DevicePathNode node{.type = reader.u8(), .sub_type = reader.u8(), .data = {}};
  const std::uint16_t size = reader.le16();
  if (!reader.ok() || size < kNodeHead) return std::nullopt;
  node.data = reader.take(size - kNodeHead);
  return reader.ok() ? std::optional(node) : std::nullopt;
}

void add_node(DevicePath& path, const DevicePathNode& node) {
  const std::string text = node_text(node);
  if (node.type == kMediaNode && node.sub_type == kFileNode) path.file += text;
  if (node.type == kMediaNode && node.sub_type == kHardDriveNode) {
    path.part = ByteReader(node.data).le32();
  }
  path.text += (path.text.empty() ? "" : "/") + text;
}

}  // namespace

DevicePath read_device_path(Bytes bytes) {
  ByteReader reader(bytes);
  DevicePath path;
  for (std::size_t count = 0; count < kMostNodes; ++count) {
    const auto node = next_node(reader);
    if (!node || node->type == kEndNode) break;
    add_node(path, *node);
  }
  path.text = log_text(path.text);
  path.file = log_text(path.file);
  return path;
}

std::string place_text(const DevicePath& path) {
  if (path.file.empty()) return path.text;
  return path.part == 0 ? path.file : path.file + " on partition " + std::to_string(path.part);
}

}  // namespace tbs::ctl
