#include "client/tbsctl/explain/error_numbers.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tbs::ctl {
namespace {

constexpr std::array kErrorRows = {
    ErrorRow{EPERM, "the caller does not have the right",
             "opening a device or an attribute of sysfs as a user who may not",
             "run it as root, or as a member of the device's group (tss); behind tbsd a user needs "
             "neither"},
    ErrorRow{ENOENT, "there is no such file",
             "there is no /dev/tpm0: no TPM, one that is switched off in the firmware's setup, or "
             "a driver that is not loaded; of a socket: tbsd does not run",
             "dmesg and grep tpm; tbsctl status"},
    ErrorRow{EINTR, "a signal interrupted the call", "a signal while the program waited",
             "call again; on the TPM the command goes on meanwhile"},
    ErrorRow{EIO, "input or output failed",
             "the chip or its bus answered nonsense, or the driver gave up; often a chip that "
             "hangs, or a power saving that disturbs it",
             "look into the kernel's log; switch the machine off and on, update its firmware"},
    ErrorRow{ENXIO, "there is no such device", "the chip is gone", "look into the kernel's log"},
    ErrorRow{E2BIG, "the command is too long",
             "a write of more than 4096 bytes to the kernel's device",
             "send shorter commands; data comes in pieces (sequences, NV offsets)"},
    ErrorRow{EBADF, "the descriptor is not open", "a fault in the program",
             "report it to who makes the program"},
    ErrorRow{EAGAIN, "there is nothing yet", "a read without blocking while the command runs",
             "wait with poll"},
    ErrorRow{
        ENOMEM, "there is no memory",
        "the machine has none left; of /dev/tpmrm0 also the TPM, when it could not save an object",
        "free some"},
    ErrorRow{EACCES, "the rights do not suffice",
             "a user who is not in the group of the device or socket, or a security module that "
             "forbids it",
             "add the user to the group (tss for /dev/tpmrm0), or go by way of tbsd"},
    ErrorRow{EFAULT,
             "a bad address, says the system; here: the kernel's resource manager could not "
             "restore what the program owns",
             "/dev/tpmrm0 found no free slot in the TPM, since a program on /dev/tpm0 left objects "
             "loaded; or a session of this program was flushed behind its back",
             "free slots: behind tbsd choose share = \"strict\"; open the device anew"},
    ErrorRow{EBUSY, "the device is busy",
             "/dev/tpm0 can be open once, and another program has it (tbsd, tpm2-abrmd, tcsd); or "
             "a command was written before the last response was read",
             "fuser /dev/tpm0 names the program; go by way of tbsd or /dev/tpmrm0"},
    ErrorRow{ENODEV, "the device is gone",
             "the driver was unbound, or the chip did not answer when it was started",
             "dmesg and grep tpm; load the driver again"},
    ErrorRow{
        EINVAL, "the argument is not valid",
        "a command that is shorter than its header says, or than a header",
        "send each command whole, in one write; tbsctl explain with its bytes says what is wrong"},
    ErrorRow{ENOTTY, "the device does not know this request",
             "an ioctl that is for another kind of device", "use the device for what it is"},
    ErrorRow{EPIPE, "the other end is gone",
             "the driver was unbound or the machine goes to sleep; of a socket: the daemon closed "
             "the connection",
             "open the device anew"},
    ErrorRow{ENODATA, "there is no data", "a device that gave no response",
             "look into the kernel's log"},
    ErrorRow{ETIME, "the time is over",
             "the TPM did not answer within the time that the driver gives a command: a long key "
             "generation, a chip that hangs or was put to sleep",
             "try again; if it stays, switch the machine off and on and update the TPM's firmware"},
    ErrorRow{EPROTO, "the protocol was violated", "a TPM or its bus that is out of step",
             "look into the kernel's log"},
    ErrorRow{EOPNOTSUPP, "it is not supported", "a request that this driver has not",
             "use another way"},
    ErrorRow{ECONNREFUSED, "nobody listens at this address",
             "a socket that was left by a daemon that is gone",
             "systemctl status tbsd.socket tbsd"},
    ErrorRow{ECONNRESET, "the other end broke the connection", "a daemon that was killed",
             "see tbsctl status and journalctl -t tbsd"},
    ErrorRow{ETIMEDOUT, "the time for an answer is over",
             "a remote or software TPM that does not answer, or a bus that hangs",
             "look whether it runs"},
    ErrorRow{EREMOTEIO, "the other side of the bus failed",
             "a TPM on an I2C bus that did not acknowledge",
             "look into the kernel's log; try again"},
    ErrorRow{ECANCELED, "the command was cancelled",
             "somebody wrote to the attribute cancel of the chip (TPM 1.2, kernels before 5.1), as "
             "tbsd does for a cancel",
             "send it again if it was not meant"},
};

// The kernel gives no number above this one as an error.
constexpr int kMaxError = 4095;

}  // namespace

std::string error_name(int number) {
  const char* const name = number > 0 ? ::strerrorname_np(number) : nullptr;
  return name == nullptr ? "" : name;
}

std::optional<int> error_number(std::string_view name) {
  if (name.empty()) return std::nullopt;  // as numbers without one have it
  for (int number = 1; number <= kMaxError; ++number) {
    if (error_name(number) == name) return number;
  }
  return std::nullopt;
}

const ErrorRow* find_error(int number) {
  const auto row = std::ranges::find(kErrorRows, number, &ErrorRow::number);
  return row == kErrorRows.end() ? nullptr : &*row;
}

}  // namespace tbs::ctl
