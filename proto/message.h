#pragma once

// The messages between clients and tbsd, declared once and used by both sides. docs/protocol.md
// describes the same table for people who write another client.
//
// Each message is a structure whose `fields()` names its fields in wire order; message_codec.h
// turns that into an encoder and a decoder. message_list.h lists all messages, says how long each
// may be and which reply belongs to which request. All integers are little-endian. A `Bytes` field
// runs to the end of the payload and, when decoded, points into the frame it came from.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/limits.h"
#include "proto/status.h"

namespace tbs::proto {

// Requests have bit 15 clear; the answer to a request has the same number with bit 15 set.
enum class Type : std::uint16_t {
  Hello = 0x0001,
  Submit = 0x0002,
  Cancel = 0x0003,
  DeviceInfo = 0x0004,
  ListContexts = 0x0005,
  CancelContext = 0x0006,
  DaemonStatus = 0x0007,
  MakeSticky = 0x0008,
  ListLimits = 0x0009,
  LockoutStatus = 0x000A,
  LockoutReset = 0x000B,
  ReadEvents = 0x000C,
  ReadCapture = 0x000D,
  ListHoldings = 0x000E,
  ListActivity = 0x000F,
  ReadLog = 0x0010,
  PhysicalPresence = 0x0011,
  OwnerAuth = 0x0012,
  RevokeAttestation = 0x0013,
  InheritObjects = 0x0014,
  Maintenance = 0x0015,
  CancelCommand = 0x0016,
  ListTenants = 0x0020,

  HelloReply = 0x8001,
  Result = 0x8002,
  CancelReply = 0x8003,
  DeviceInfoReply = 0x8004,
  ContextList = 0x8005,
  CancelContextReply = 0x8006,
  DaemonStatusReply = 0x8007,
  MakeStickyReply = 0x8008,
  LimitList = 0x8009,
  LockoutStatusReply = 0x800A,
  LockoutResetReply = 0x800B,
  EventList = 0x800C,
  CapturePage = 0x800D,
  HoldingList = 0x800E,
  ActivityList = 0x800F,
  LogPart = 0x8010,
  PhysicalPresenceReply = 0x8011,
  OwnerAuthReply = 0x8012,
  RevokeAttestationReply = 0x8013,
  InheritObjectsReply = 0x8014,
  MaintenanceReply = 0x8015,
  CancelCommandReply = 0x8016,
  TenantList = 0x8020,
  // Not an answer: the daemon says why it closes the connection.
  Refusal = 0x80FF,
};

enum class Role : std::uint32_t {
  Context = 1,   // submits commands: the connection is a TBS context
  Observer = 2,  // asks about the daemon and its device; owns nothing on the TPM
};

// The flags of TBS_CONTEXT_PARAMS2: the TPM families a context can use, and that it wants the TPM
// to itself.
inline constexpr std::uint32_t kWantRaw = 0x1;
inline constexpr std::uint32_t kWantTpm12 = 0x2;
inline constexpr std::uint32_t kWantTpm20 = 0x4;

// First message of every connection.
struct Hello {
  static constexpr Type kType = Type::Hello;
  std::uint16_t version_min = kOldestVersion;
  std::uint16_t version_max = kProtocolVersion;
  Role role = Role::Context;
  std::uint32_t wanted = kWantTpm20;
  std::uint32_t earlier = 0;  // connections that this context has had before
  void fields(auto& f) { f(version_min), f(version_max), f(role), f(wanted), f(earlier); }
};

struct HelloReply {
  static constexpr Type kType = Type::HelloReply;
  Status status = Status::Success;
  std::uint16_t version = kProtocolVersion;
  std::uint16_t window = kWindow;  // commands that may be outstanding
  std::uint64_t context = 0;       // what `tbsctl contexts` shows; 0 for an observer
  std::uint32_t max_command = 0;   // bytes the TPM device takes
  std::uint32_t max_response = 0;  // bytes a response can have
  // Version 2, for a context: kTokenSize bytes for InheritObjects. Else empty.
  Bytes token;
  void fields(auto& f) {
    f(status), f(version), f(window), f(context), f(max_command), f(max_response), f(token);
  }
};

struct Submit {
  static constexpr Type kType = Type::Submit;
  std::uint32_t locality = 0;
  std::uint32_t priority = 0;
  Bytes command;
  void fields(auto& f) { f(locality), f(priority), f(command); }
};

// Answer to Submit. `response` is empty unless the status is Success.
struct Result {
  static constexpr Type kType = Type::Result;
  Status status = Status::Success;
  Bytes response;
  void fields(auto& f) { f(status), f(response); }
};

// Cancels everything this context has outstanding. Answered after the answers of what was queued.
struct Cancel {
  static constexpr Type kType = Type::Cancel;
  void fields(auto&) {}
};

struct CancelReply {
  static constexpr Type kType = Type::CancelReply;
  Status status = Status::Success;
  void fields(auto& f) { f(status); }
};

// Version 2. Cancels one command of this context, named by the request id of its submit, and no
// other. Answered after the command when that was queued.
struct CancelCommand {
  static constexpr Type kType = Type::CancelCommand;
  std::uint64_t request = 0;
  void fields(auto& f) { f(request); }
};

struct CancelCommandReply {
  static constexpr Type kType = Type::CancelCommandReply;
  Status status = Status::Success;  // also when it had been answered
  void fields(auto& f) { f(status); }
};

// Version 2. Before the first command of a context: it gets copies of the objects of another one,
// whose process has forked. The token, which that one got with its hello, proves that.
struct InheritObjects {
  static constexpr Type kType = Type::InheritObjects;
  std::uint64_t context = 0;
  Bytes token;
  void fields(auto& f) { f(context), f(token); }
};

struct InheritObjectsReply {
  static constexpr Type kType = Type::InheritObjectsReply;
  Status status = Status::Success;
  void fields(auto& f) { f(status); }
};

// For administrators: the device is closed for so long, so that a program can have it alone.
// Answered when it is closed, which takes as long as the command on the TPM. Ends with the
// connection, unless it is to stay; 0 seconds end it now, whoever has asked for it.
struct Maintenance {
  static constexpr Type kType = Type::Maintenance;
  std::uint32_t seconds = 0;
  std::uint32_t patience = 0;  // seconds that commands wait; then TBS_E_SERVICE_START_PENDING
  std::uint32_t stays = 0;     // 1: also when the connection closes
  void fields(auto& f) { f(seconds), f(patience), f(stays); }
};

struct MaintenanceReply {
  static constexpr Type kType = Type::MaintenanceReply;
  Status status = Status::Success;
  void fields(auto& f) { f(status); }
};

struct DeviceInfo {
  static constexpr Type kType = Type::DeviceInfo;
  void fields(auto&) {}
};

struct DeviceInfoReply {
  static constexpr Type kType = Type::DeviceInfoReply;
  Status status = Status::Success;
  std::uint32_t tpm_version = 0;     // TPM_VERSION_* of tbs.h
  std::uint32_t interface_type = 0;  // TPM_IFTYPE_*
  std::uint32_t revision = 0;        // of the specification the TPM implements, times 100
  std::uint32_t max_command = 0;
  std::uint32_t max_response = 0;
  std::string manufacturer;  // four letters, as the TPM reports them
  std::string device;        // what the daemon was started with
  void fields(auto& f) {
    f(status), f(tpm_version), f(interface_type), f(revision), f(max_command), f(max_response),
        f(manufacturer), f(device);
  }
};

// Asks for the contexts with a number above `after`, in ascending order.
struct ListContexts {
  static constexpr Type kType = Type::ListContexts;
  std::uint64_t after = 0;
  void fields(auto& f) { f(after); }
};

struct ContextEntry {
  static constexpr std::string_view kName = "context-entry";
  std::uint64_t context = 0;
  std::uint32_t uid = 0;
  std::uint32_t pid = 0;
  std::uint32_t priority = 0;      // of the command that runs, else of the last one submitted
  std::uint32_t queued = 0;        // commands waiting
  std::uint32_t running = 0;       // 0 none, 1 running, 2 detached: cancelled, but still on the TPM
  std::uint32_t command = 0;       // code of the command that runs, else 0
  std::uint64_t running_us = 0;    // how long it has been running
  std::uint64_t queued_bytes = 0;  // of commands waiting and answers unread
  std::uint64_t submitted = 0;     // commands accepted so far
  std::string program;             // the peer's name as the kernel tells it
  void fields(auto& f) {
    f(context), f(uid), f(pid), f(priority), f(queued), f(running), f(command), f(running_us),
        f(queued_bytes), f(submitted), f(program);
  }
};

struct ContextList {
  static constexpr Type kType = Type::ContextList;
  Status status = Status::Success;
  std::uint32_t more = 0;  // 1 when contexts follow after the last one of this page
  std::vector<ContextEntry> entries;
  void fields(auto& f) { f(status), f(more), f(entries); }
};

// Cancels what another context has outstanding: one's own user's, or any as administrator.
struct CancelContext {
  static constexpr Type kType = Type::CancelContext;
  std::uint64_t context = 0;
  void fields(auto& f) { f(context); }
};

struct CancelContextReply {
  static constexpr Type kType = Type::CancelContextReply;
  Status status = Status::Success;  // InvalidContext, AccessDenied
  void fields(auto& f) { f(status); }
};

// Asks what another context has on the TPM: one's own user's, or any as administrator.
struct ListHoldings {
  static constexpr Type kType = Type::ListHoldings;
  std::uint64_t context = 0;
  void fields(auto& f) { f(context); }
};

enum class HoldingKind : std::uint32_t {
  Object = 0,    // a key, or sealed data
  Sequence = 1,  // a hash or HMAC that is being computed
  Session = 2,
};

struct HoldingEntry {
  static constexpr std::string_view kName = "holding-entry";
  std::uint32_t handle = 0;  // as the client knows it
  HoldingKind kind = HoldingKind::Object;
  std::uint32_t loaded = 0;  // 1: on the TPM; 0: in the daemon's memory
  std::uint32_t saved = 0;   // 1: a session that the client counts as saved
  std::uint32_t sticky = 0;  // 1: evicted after all others
  void fields(auto& f) { f(handle), f(kind), f(loaded), f(saved), f(sticky); }
};

struct HoldingList {
  static constexpr Type kType = Type::HoldingList;
  Status status = Status::Success;  // InvalidContext, AccessDenied
  std::uint32_t more = 0;           // 1: there are more than one list has
  std::vector<HoldingEntry> entries;
  void fields(auto& f) { f(status), f(more), f(entries); }
};

// Asks what the TPM does, and for whom: of the contexts with a number above `after`, in ascending
// order.
struct ListActivity {
  static constexpr Type kType = Type::ListActivity;
  std::uint64_t after = 0;
  void fields(auto& f) { f(after); }
};

// What is under way on the TPM.
enum class TpmWork : std::uint32_t {
  None = 0,
  Command = 1,   // a client's
  Own = 2,       // of the daemon's own: what closed contexts had, what is to be evicted
  Starting = 3,  // it is being started, or looked at
  Ending = 4,    // the daemon stops
  Asleep = 5,    // nothing: the machine sleeps, or is about to
};

// Why a context's commands wait.
enum class WaitReason : std::uint32_t {
  None = 0,       // none waits
  Turn = 1,       // what is under way comes first, and others whose turn it is
  Priority = 2,   // commands of a higher priority come first
  HighShare = 3,  // so do those of NORMAL: the user has had the share of the time above it
};

struct ActivityEntry {
  static constexpr std::string_view kName = "activity-entry";
  std::uint64_t context = 0;
  std::uint64_t tpm_us = 0;      // the TPM has worked for it, with what is under way
  std::uint64_t waiting_us = 0;  // of its commands, the one that has waited longest
  WaitReason reason = WaitReason::None;
  std::string unit;  // systemd's unit that its process belongs to; may be empty
  void fields(auto& f) { f(context), f(tpm_us), f(waiting_us), f(reason), f(unit); }
};

struct ActivityList {
  static constexpr Type kType = Type::ActivityList;
  Status status = Status::Success;
  std::uint32_t more = 0;  // 1 when contexts follow after the last one of this page
  TpmWork work = TpmWork::None;
  std::uint32_t command = 0;  // its code, where there is one
  std::uint64_t context = 0;  // with Command: whose it is, though it may have closed
  std::uint64_t work_us = 0;  // how long that has been under way
  std::uint32_t objects = 0;  // of all contexts, loaded or not
  std::uint32_t objects_loaded = 0;
  std::uint32_t object_slots = 0;  // how many the TPM has room for
  std::uint32_t sessions = 0;
  std::uint32_t sessions_loaded = 0;
  std::uint32_t session_slots = 0;
  std::vector<ActivityEntry> entries;
  void fields(auto& f) {
    f(status), f(more), f(work), f(command), f(context), f(work_us);
    f(objects), f(objects_loaded), f(object_slots);
    f(sessions), f(sessions_loaded), f(session_slots), f(entries);
  }
};

struct DaemonStatus {
  static constexpr Type kType = Type::DaemonStatus;
  void fields(auto&) {}
};

enum class DeviceState : std::uint32_t {
  Starting = 0,  // being opened and started for the first time
  Ready = 1,
  Down = 2,  // of no use, or of little: lost, not to be opened, or its TPM does not work
};

struct DaemonStatusReply {
  static constexpr Type kType = Type::DaemonStatusReply;
  Status status = Status::Success;
  DeviceState device_state = DeviceState::Starting;
  std::uint32_t contexts = 0;
  std::uint32_t queued = 0;
  std::uint64_t uptime_us = 0;
  std::uint64_t commands = 0;     // client commands answered by the TPM
  std::uint64_t transmitted = 0;  // TPM commands sent to the device, the daemon's own included
  std::uint64_t canceled = 0;
  std::uint64_t failed = 0;    // answered with an error of the device
  std::uint64_t reopened = 0;  // times the device was lost
  std::string version;
  std::string device;
  // Why the device is not ready, and what to do about it. Of one that is ready: that it has not
  // answered a command for long. Else empty.
  std::string problem;
  std::string advice;
  void fields(auto& f) {
    f(status), f(device_state), f(contexts), f(queued), f(uptime_us), f(commands), f(transmitted),
        f(canceled), f(failed), f(reopened), f(version), f(device), f(problem), f(advice);
  }
};

// Asks that an object or session of this context stays on the TPM when others need room, or no
// longer.
struct MakeSticky {
  static constexpr Type kType = Type::MakeSticky;
  std::uint32_t handle = 0;
  std::uint32_t sticky = 0;  // 1, or 0
  void fields(auto& f) { f(handle), f(sticky); }
};

struct MakeStickyReply {
  static constexpr Type kType = Type::MakeStickyReply;
  Status status = Status::Success;  // BadParameter, TooManyResources
  void fields(auto& f) { f(status); }
};

// Asks for the firmware's event log from `offset` on, as much as fits one part.
struct ReadLog {
  static constexpr Type kType = Type::ReadLog;
  std::uint32_t log_type = 0;  // TBS_TCGLOG_* of tbs.h
  std::uint32_t reserved = 0;  // zero; ignored
  std::uint64_t offset = 0;
  void fields(auto& f) { f(log_type), f(reserved), f(offset); }
};

struct LogPart {
  static constexpr Type kType = Type::LogPart;
  Status status = Status::Success;
  std::uint32_t more = 0;  // 1 when the log goes on after this part
  Bytes bytes;
  void fields(auto& f) { f(status), f(more), f(bytes); }
};

// The function of the firmware's physical presence interface, and its arguments: 32-bit integers,
// little-endian.
struct PhysicalPresence {
  static constexpr Type kType = Type::PhysicalPresence;
  Bytes input;
  void fields(auto& f) { f(input); }
};

// What the function returned: integers as above, or a text that ends with a zero byte.
struct PhysicalPresenceReply {
  static constexpr Type kType = Type::PhysicalPresenceReply;
  Status status = Status::Success;
  Bytes output;
  void fields(auto& f) { f(status), f(output); }
};

struct OwnerAuth {
  static constexpr Type kType = Type::OwnerAuth;
  std::uint32_t auth_type = 0;  // TBS_OWNERAUTH_TYPE_* of tbs.h
  void fields(auto& f) { f(auth_type); }
};

struct OwnerAuthReply {
  static constexpr Type kType = Type::OwnerAuthReply;
  Status status = Status::Success;
  Bytes value;
  void fields(auto& f) { f(status), f(value); }
};

// Makes quotes over what was measured at boot worthless until the next boot.
struct RevokeAttestation {
  static constexpr Type kType = Type::RevokeAttestation;
  void fields(auto&) {}
};

struct RevokeAttestationReply {
  static constexpr Type kType = Type::RevokeAttestationReply;
  Status status = Status::Success;
  void fields(auto& f) { f(status); }
};

// A user number that is nobody's.
inline constexpr std::uint32_t kNobody = 0xffffffff;

struct ListLimits {
  static constexpr Type kType = Type::ListLimits;
  void fields(auto&) {}
};

// One bound that an administrator can set, and how near somebody is to it.
struct LimitEntry {
  static constexpr std::string_view kName = "limit-entry";
  std::uint32_t scope = 0;  // 1 for each context, 2 for each user, 3 for all together
  std::uint32_t uid = 0;    // the user who has most, where that is known; else kNobody
  std::uint64_t limit = 0;
  std::uint64_t used = 0;  // of the context or user who has most, or of all together
  std::string name;        // as in the configuration
  void fields(auto& f) { f(scope), f(uid), f(limit), f(used), f(name); }
};

struct LimitList {
  static constexpr Type kType = Type::LimitList;
  Status status = Status::Success;
  std::vector<LimitEntry> entries;
  void fields(auto& f) { f(status), f(entries); }
};

// Asks for the names of tenants. Where others have a uid, these have a number from
// kFirstTenantNumber on; a daemon that has shown one knows this question.
struct ListTenants {
  static constexpr Type kType = Type::ListTenants;
  void fields(auto&) {}
};

struct TenantEntry {
  static constexpr std::string_view kName = "tenant-entry";
  std::uint32_t number = 0;
  std::string name;
  void fields(auto& f) { f(number), f(name); }
};

struct TenantList {
  static constexpr Type kType = Type::TenantList;
  Status status = Status::Success;
  std::vector<TenantEntry> entries;
  void fields(auto& f) { f(status), f(entries); }
};

// Whom the lockout guard holds back: all users for an administrator, else oneself.
struct LockoutStatus {
  static constexpr Type kType = Type::LockoutStatus;
  void fields(auto&) {}
};

struct LockoutEntry {
  static constexpr std::string_view kName = "lockout-entry";
  std::uint32_t uid = 0;
  std::uint32_t failures = 0;
  std::uint32_t locked = 0;   // 1: commands with an authorization are not let through
  std::uint32_t seconds = 0;  // until the oldest failure is forgotten
  void fields(auto& f) { f(uid), f(failures), f(locked), f(seconds); }
};

struct LockoutStatusReply {
  static constexpr Type kType = Type::LockoutStatusReply;
  Status status = Status::Success;
  std::uint32_t window = 0;    // seconds for which a failure counts
  std::uint32_t per_user = 0;  // failures that lock one user
  std::uint32_t total = 0;     // failures of all that lock everybody who has failed
  std::vector<LockoutEntry> entries;
  void fields(auto& f) { f(status), f(window), f(per_user), f(total), f(entries); }
};

// Forgets the failures of a user, or of all with kNobody. For administrators.
struct LockoutReset {
  static constexpr Type kType = Type::LockoutReset;
  std::uint32_t uid = kNobody;
  void fields(auto& f) { f(uid); }
};

struct LockoutResetReply {
  static constexpr Type kType = Type::LockoutResetReply;
  Status status = Status::Success;  // AccessDenied
  void fields(auto& f) { f(status); }
};

// What has happened (docs/events.md): all of it for an administrator, else what oneself was part
// of.
struct ReadEvents {
  static constexpr Type kType = Type::ReadEvents;
  std::uint64_t after = 0;  // the number of the last one that is known; 0: from the oldest on
  std::uint32_t wait = 0;   // 1: when nothing has happened since, the answer comes when it does
  void fields(auto& f) { f(after), f(wait); }
};

struct EventEntry {
  static constexpr std::string_view kName = "event-entry";
  std::uint64_t number = 0;     // also when it was: microseconds since 1970 (UTC), no two alike
  std::uint32_t event = 0;      // of event_names.h; a newer daemon may have more
  std::uint32_t severity = 0;   // as syslog has it: 3 error, 4 warning, 6 information, 7 debug
  std::uint32_t uid = kNobody;  // who caused it; kNobody: no client
  std::uint32_t pid = 0;
  std::uint64_t context = 0;  // 0: of none
  std::uint32_t command = 0;  // code of the TPM command; 0: of none
  std::string program;
  std::string tenant;
  std::string rule;
  std::string text;
  void fields(auto& f) {
    f(number), f(event), f(severity), f(uid), f(pid), f(context), f(command);
    f(program), f(tenant), f(rule), f(text);
  }
};

struct EventList {
  static constexpr Type kType = Type::EventList;
  Status status = Status::Success;
  std::uint32_t more = 0;  // 1: others follow at once
  std::uint32_t lost = 0;  // 1: between `after` and the first one were others
  std::vector<EventEntry> entries;
  void fields(auto& f) { f(status), f(more), f(lost), f(entries); }
};

// What clients and the TPM say to each other, from the first such request on and while they come.
// For administrators.
struct ReadCapture {
  static constexpr Type kType = Type::ReadCapture;
  std::uint64_t after = 0;    // the number of the last one that is known; 0: those from now on
  std::uint64_t context = 0;  // of this context alone; 0: of all
  void fields(auto& f) { f(after), f(context); }
};

// The first one comes at once and is empty, the others when there is something.
struct CapturePage {
  static constexpr Type kType = Type::CapturePage;
  Status status = Status::Success;  // AccessDenied
  std::uint64_t last = 0;           // what `after` is next
  std::uint64_t lost = 0;           // how many are no longer kept, of this and of other contexts
  Bytes exchanges;                  // captured_exchange.h
  void fields(auto& f) { f(status), f(last), f(lost), f(exchanges); }
};

struct Refusal {
  static constexpr Type kType = Type::Refusal;
  Status status = Status::BadParameter;
  std::string reason;
  void fields(auto& f) { f(status), f(reason); }
};

}  // namespace tbs::proto
