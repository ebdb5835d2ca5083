// Notes everything that a program does to files, in the order in which it does it: for LD_PRELOAD.
// The notes are in a file that is mapped, which needs no system call and outlives the program.
// recorded_writes.py reads them.
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

enum { kOpen = 1, kWrite, kSync, kRename, kUnlink };
enum { kRoom = 64 << 20 };

struct Notes {
  uint64_t end;  // of what is noted, from the beginning of `bytes`
  unsigned char bytes[kRoom - sizeof(uint64_t)];
};

// Before two texts: what was done, by whom, to which descriptor.
struct Note {
  uint32_t kind;
  int32_t process;
  int32_t descriptor;
  int32_t flags;
  uint32_t first_size;
  uint32_t second_size;
};

static struct Notes* notes;

__attribute__((constructor)) static void map_notes(void) {
  const char* const path = getenv("SWEEP_NOTES");
  if (path == NULL) return;
  const int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (file < 0) return;
  void* const memory = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  syscall(SYS_close, file);
  if (memory != MAP_FAILED) notes = memory;
}

// What has been done and not noted when the program dies was not acknowledged to anybody.
static void note(uint32_t kind, int descriptor, int flags, const void* first, size_t first_size,
                 const char* second) {
  if (notes == NULL) return;
  const size_t second_size = second == NULL ? 0 : strlen(second);
  const struct Note head = {kind,  (int32_t)getpid(),    descriptor,
                            flags, (uint32_t)first_size, (uint32_t)second_size};
  const size_t whole = (sizeof head + first_size + second_size + 7) & ~(size_t)7;
  const uint64_t at = __atomic_fetch_add(&notes->end, whole, __ATOMIC_ACQ_REL);
  if (at + whole > sizeof notes->bytes) abort();
  unsigned char* const place = notes->bytes + at;
  memcpy(place + sizeof head, first, first_size);
  if (second_size > 0) memcpy(place + sizeof head + first_size, second, second_size);
  memcpy(place, &head, sizeof head);
}

static void note_text(uint32_t kind, int descriptor, int flags, const char* first,
                      const char* second) {
  note(kind, descriptor, flags, first, strlen(first), second);
}

#define REAL(name)               \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

#define OPENS(name)                                       \
  EXPORTED int name(const char* path, int flags, ...) {   \
    REAL(name);                                           \
    va_list more;                                         \
    va_start(more, flags);                                \
    const mode_t mode = va_arg(more, mode_t);             \
    va_end(more);                                         \
    const int fd = real(path, flags, mode);               \
    if (fd >= 0) note_text(kOpen, fd, flags, path, NULL); \
    return fd;                                            \
  }
OPENS(open)
OPENS(open64)

static const char* text_of(int folder, char room[16]) {
  snprintf(room, 16, "%d", folder);
  return room;
}

// The second text is the folder's descriptor.
#define OPENS_AT(name)                                                     \
  EXPORTED int name(int folder, const char* path, int flags, ...) {        \
    REAL(name);                                                            \
    char room[16];                                                         \
    va_list more;                                                          \
    va_start(more, flags);                                                 \
    const mode_t mode = va_arg(more, mode_t);                              \
    va_end(more);                                                          \
    const int fd = real(folder, path, flags, mode);                        \
    if (fd >= 0) note_text(kOpen, fd, flags, path, text_of(folder, room)); \
    return fd;                                                             \
  }
OPENS_AT(openat)
OPENS_AT(openat64)

EXPORTED ssize_t write(int fd, const void* bytes, size_t size) {
  REAL(write);
  const ssize_t done = real(fd, bytes, size);
  if (done > 0) note(kWrite, fd, 0, bytes, (size_t)done, NULL);
  return done;
}

EXPORTED int fsync(int fd) {
  REAL(fsync);
  const int result = real(fd);
  if (result == 0) note_text(kSync, fd, 0, "", NULL);
  return result;
}

EXPORTED int rename(const char* from, const char* to) {
  REAL(rename);
  const int result = real(from, to);
  if (result == 0) note_text(kRename, AT_FDCWD, 0, from, to);
  return result;
}

EXPORTED int renameat(int folder, const char* from, int to_folder, const char* to) {
  REAL(renameat);
  const int result = real(folder, from, to_folder, to);
  if (result == 0) note_text(kRename, folder, to_folder, from, to);
  return result;
}

EXPORTED int unlink(const char* path) {
  REAL(unlink);
  const int result = real(path);
  if (result == 0) note_text(kUnlink, AT_FDCWD, 0, path, NULL);
  return result;
}

EXPORTED int unlinkat(int folder, const char* path, int flags) {
  REAL(unlinkat);
  const int result = real(folder, path, flags);
  if (result == 0) note_text(kUnlink, folder, flags, path, NULL);
  return result;
}
