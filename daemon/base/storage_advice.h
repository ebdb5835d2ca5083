#pragma once

// What an administrator can do when a file or folder of the daemon cannot be written or read.

#include <string_view>

#include <errno.h>

namespace tbs {

// For an errno value; empty where there is nothing to say.
constexpr std::string_view storage_advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "make room on its file system";
    case EROFS:
      return "its file system is read-only: make it writable, or name another folder";
    case EACCES:
    case EPERM:
      return "give the user that tbsd runs as the right to write there";
    case ENOENT:
      return "make the folder, or name another one";
    case ENOTDIR:
    case EEXIST:
      return "name a folder: there is something else of this name";
    case EIO:
      return "look for errors of the disk in the kernel's log";
    default:
      return {};
  }
}

}  // namespace tbs
