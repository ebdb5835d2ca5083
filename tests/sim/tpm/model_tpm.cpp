#include "tests/sim/tpm/model_tpm.h"

#include <algorithm>
#include <utility>

#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"
#include "tests/sim/random.h"
#include "tests/support/command_attributes.h"

namespace tbs::sim {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;
namespace cc = tpm::cc;
namespace rc = tpm::rc;

constexpr std::uint32_t kGap = 7200;  // seconds until a failure is forgotten
constexpr std::uint32_t kSessionFirst = tpm::kSavedSessionFirst;

constexpr std::array<std::uint32_t, 25> kCommands = {
    cc::kCreatePrimary | test::handles(1) | TPMA_CC_RHANDLE,
    cc::kStartup,
    cc::kSelfTest,
    TPM2_CC_Shutdown,
    cc::kGetRandom,
    cc::kGetCapability,
    cc::kReadClock,
    cc::kSign | test::handles(1),
    cc::kReadPublic | test::handles(1),
    cc::kHashSequenceStart | TPMA_CC_RHANDLE,
    cc::kSequenceUpdate | test::handles(1),
    cc::kSequenceComplete | test::handles(1) | TPMA_CC_FLUSHED,
    cc::kStartAuthSession | test::handles(2) | TPMA_CC_RHANDLE,
    TPM2_CC_PolicyCommandCode | test::handles(1),
    TPM2_CC_PolicyGetDigest | test::handles(1),
    cc::kFlushContext | TPMA_CC_FLUSHED,
    cc::kContextSave | test::handles(1),
    cc::kContextLoad | TPMA_CC_RHANDLE,
    cc::kPcrExtend | test::handles(1),
    cc::kPcrRead,
    cc::kGetTestResult,
    cc::kNvDefineSpace | test::handles(1),
    cc::kUndefineSpace | test::handles(2),
    cc::kNvIncrement | test::handles(2),
    cc::kNvRead | test::handles(2),
};

Buffer error(std::uint32_t code) {
  return proto::tpm_error_response(tpm::kTagNoSessions, code);
}

// With what belongs to a command with one password.
Buffer success(bool sessions, const Buffer& parameters = {},
               std::optional<std::uint32_t> handle = std::nullopt) {
  Buffer body;
  ByteWriter writer(body);
  if (handle) writer.be32(*handle);
  if (sessions) writer.be32(static_cast<std::uint32_t>(parameters.size()));
  writer.bytes(parameters);
  if (sessions) writer.bytes(std::array<std::uint8_t, 5>{0, 0, 1, 0, 0});
  return proto::tpm_response(sessions ? tpm::kTagSessions : tpm::kTagNoSessions, rc::kSuccess,
                             body);
}

// A TPM2B with this number.
Buffer sized(std::uint64_t number) {
  Buffer bytes;
  ByteWriter writer(bytes);
  writer.be16(sizeof(number));
  writer.be64(number);
  return bytes;
}

}  // namespace

namespace model {

std::uint64_t key(Bytes parameters) {
  return digest_of(1, parameters);
}
std::uint64_t signature(std::uint64_t key, Bytes parameters) {
  return digest_of(key ^ 2, parameters);
}
std::uint64_t sequence(Bytes parameters) {
  return digest_of(3, parameters);
}
std::uint64_t updated(std::uint64_t value, Bytes parameters) {
  return digest_of(value ^ 4, parameters);
}
std::uint64_t policy(std::uint64_t digest, Bytes parameters) {
  return digest_of(digest ^ 5, parameters);
}

}  // namespace model

struct ModelTpm::Command {
  std::uint32_t code = 0;
  std::array<std::uint32_t, 2> handles{};
  bool sessions = false;
  bool wrong_password = false;
  Bytes parameters;
};

Buffer ModelTpm::run(Bytes bytes) {
  const auto header = proto::read_tpm_header(bytes);
  if (!header) return error(rc::kCommandSize);
  if (header->code == cc::kStartup) {
    return std::exchange(started_, true) ? error(rc::kInitialize) : success(false);
  }
  if (!started_) return error(rc::kInitialize);
  const auto known = std::ranges::find_if(
      kCommands, [&](std::uint32_t each) { return (each & 0xFFFF) == header->code; });
  if (known == kCommands.end()) return error(rc::kCommandCode);
  Command command{
      .code = header->code, .sessions = header->tag == tpm::kTagSessions, .parameters = {}};
  ByteReader reader(bytes.subspan(tpm::kHeaderSize));
  const std::uint32_t count = (*known & TPMA_CC_CHANDLES_MASK) >> TPMA_CC_CHANDLES_SHIFT;
  for (std::uint32_t i = 0; i < count; ++i) command.handles[i] = reader.be32();
  if (command.sessions) {
    ByteReader area(reader.take(reader.be32()));
    area.skip(4 + 2 + 1);
    command.wrong_password = area.be16() != 0;
    if (!area.ok()) return error(rc::kAuthSize);
  }
  if (!reader.ok()) return error(rc::kInsufficient);
  command.parameters = reader.rest();
  if (command.wrong_password) {
    if (failures() >= kMaxAuthFail) return error(rc::kLockout);
    if (failures_ == 0) failed_at_ = options_.clock();
    ++failures_;
    return error(tpm::at_session(rc::kAuthFail, 1));
  }
  if (ModelNv::has(command.code)) return nv(command);
  switch (command.code) {
    case cc::kCreatePrimary:
      return create(command, false);
    case cc::kHashSequenceStart:
      return create(command, true);
    case cc::kSign:
    case cc::kReadPublic:
    case cc::kSequenceUpdate:
    case cc::kSequenceComplete:
      return use(command);
    case cc::kStartAuthSession:
      return start_session(command);
    case TPM2_CC_PolicyCommandCode:
    case TPM2_CC_PolicyGetDigest:
      return use_session(command);
    case cc::kContextSave:
      return save(command);
    case cc::kContextLoad:
      return load(command);
    case cc::kFlushContext:
      return flush(command);
    case cc::kGetCapability:
      return capability(command);
    case cc::kReadClock:
      return clock();
    case cc::kPcrExtend:
    case cc::kPcrRead:
      return pcr(command);
    case cc::kGetRandom: {
      return success(false, sized(mixed(options_.secret ^ ++randoms_)));
    }
    default:
      return success(false);
  }
}

void ModelTpm::reset() {
  started_ = false;
  slots_ = {};
  sessions_.clear();
  ++resets_;
}

std::size_t ModelTpm::objects() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [](const auto& slot) { return slot.has_value(); }));
}

std::uint32_t ModelTpm::failures() {
  const std::uint64_t now = options_.clock();
  while (failures_ > 0 && now - failed_at_ >= kGap) {
    --failures_;
    failed_at_ += kGap;
  }
  return failures_;
}

ModelTpm::Object* ModelTpm::object_at(std::uint32_t handle) {
  const std::size_t slot = handle - tpm::kTransientFirst;
  return slot < kSlots && slots_[slot] ? &*slots_[slot] : nullptr;
}

ModelTpm::Session* ModelTpm::session_at(std::uint32_t handle) {
  const auto found = sessions_.find(handle);
  return found == sessions_.end() ? nullptr : &found->second;
}

std::size_t ModelTpm::loaded_sessions() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(sessions_, [](const auto& each) { return each.second.loaded; }));
}

Buffer ModelTpm::load_object(const Object& object, bool with_sessions, const Buffer& parameters) {
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    if (slots_[slot]) continue;
    slots_[slot] = object;
    return success(with_sessions, parameters, tpm::kTransientFirst + slot);
  }
  return error(rc::kObjectMemory);
}

Buffer ModelTpm::create(const Command& command, bool sequence) {
  if (sequence) {
    const std::uint64_t value = model::sequence(command.parameters);
    return load_object({.id = value, .value = value, .sequence = true}, false, {});
  }
  if (!command.sessions) return error(TPM2_RC_AUTH_MISSING);
  const std::uint64_t id = model::key(command.parameters);
  return load_object({.id = id, .value = id}, true, sized(id));
}

Buffer ModelTpm::use(const Command& command) {
  Object* const object = object_at(command.handles[0]);
  if (object == nullptr) return error(rc::kReferenceH0);
  if (command.code == cc::kReadPublic) {
    if (object->sequence) return error(TPM2_RC_SEQUENCE);
    return success(command.sessions, sized(object->id));
  }
  if (!command.sessions) return error(TPM2_RC_AUTH_MISSING);
  const bool wants_sequence = command.code != cc::kSign;
  if (object->sequence != wants_sequence) return error(tpm::at_handle(TPM2_RC_MODE, 1));
  if (command.code == cc::kSign) {
    return success(true, sized(model::signature(object->id, command.parameters)));
  }
  object->value = model::updated(object->value, command.parameters);
  const std::uint64_t value = object->value;
  if (command.code == cc::kSequenceUpdate) return success(true);
  slots_[command.handles[0] - tpm::kTransientFirst].reset();
  return success(true, sized(value));
}

Buffer ModelTpm::start_session(const Command& command) {
  if (command.handles[0] != tpm::kRhNull || command.handles[1] != tpm::kRhNull) {
    return error(rc::kReferenceH0);
  }
  if (loaded_sessions() == kSessionSlots) return error(rc::kSessionMemory);
  for (std::uint32_t i = 0; i < kMostSessions; ++i) {
    const std::uint32_t handle = kSessionFirst + i;
    if (sessions_.contains(handle)) continue;
    sessions_[handle] = {};
    return success(false, sized(0), handle);
  }
  return error(rc::kSessionHandles);
}

Buffer ModelTpm::use_session(const Command& command) {
  Session* const session = session_at(command.handles[0]);
  if (session == nullptr || !session->loaded) return error(rc::kReferenceH0);
  if (command.code == TPM2_CC_PolicyGetDigest) return success(false, sized(session->digest));
  session->digest = model::policy(session->digest, command.parameters);
  return success(false);
}

Buffer ModelTpm::save(const Command& command) {
  const std::uint32_t handle = command.handles[0];
  Buffer blob;
  ByteWriter fields(blob);
  std::uint64_t sequence = 0;
  std::uint32_t kind = handle;
  if (Session* const session = session_at(handle); session != nullptr && session->loaded) {
    for (const auto& [other, each] : sessions_) {
      if (!each.loaded && session_saves_ + 1 - each.saved_as > options_.context_gap) {
        return error(rc::kContextGap);
      }
    }
    sequence = session->saved_as = ++session_saves_;
    session->loaded = false;
    fields.be64(session->digest);
    fields.be64(0);
    fields.u8(2);
  } else if (const Object* const object = object_at(handle)) {
    sequence = ++object_saves_;
    kind = object->sequence ? tpm::kSavedSequence : tpm::kSavedObject;
    fields.be64(object->id);
    fields.be64(object->value);
    fields.u8(object->sequence ? 1 : 0);
  } else {
    return error(rc::kReferenceH0);
  }
  fields.be32(resets_);
  fields.be64(digest_of(options_.secret ^ sequence ^ kind, blob));
  Buffer context;
  ByteWriter writer(context);
  writer.be64(sequence);
  writer.be32(kind);
  writer.be32(tpm::kRhNull);
  writer.be16(static_cast<std::uint16_t>(blob.size()));
  writer.bytes(blob);
  return success(false, context);
}

Buffer ModelTpm::load(const Command& command) {
  ByteReader reader(command.parameters);
  const std::uint64_t sequence = reader.be64();
  const std::uint32_t kind = reader.be32();
  reader.skip(4);
  const Bytes blob = reader.take(reader.be16());
  if (!reader.ok() || blob.size() != 29 || !reader.at_end()) {
    return error(tpm::at_parameter(rc::kSize, 1));
  }
  ByteReader fields(blob);
  const std::uint64_t first = fields.be64();
  const std::uint64_t value = fields.be64();
  const std::uint8_t form = fields.u8();
  const std::uint32_t resets = fields.be32();
  const bool good = fields.be64() == digest_of(options_.secret ^ sequence ^ kind, blob.first(21)) &&
                    resets == resets_;
  if (form == 2 || tpm::is_session(kind)) return load_session(kind, sequence, good);
  if (!good) return error(tpm::at_parameter(rc::kIntegrity, 1));
  return load_object({.id = first, .value = value, .sequence = form == 1}, false, {});
}

Buffer ModelTpm::load_session(std::uint32_t handle, std::uint64_t sequence, bool good) {
  if (!good) return error(tpm::at_parameter(rc::kIntegrity, 1));
  Session* const session = session_at(handle);
  if (session == nullptr || session->loaded || session->saved_as != sequence) {
    return error(tpm::at_parameter(rc::kHandle, 1));
  }
  if (loaded_sessions() == kSessionSlots) return error(rc::kSessionMemory);
  session->loaded = true;
  return success(false, {}, handle);
}

Buffer ModelTpm::flush(const Command& command) {
  ByteReader reader(command.parameters);
  const std::uint32_t handle = reader.be32();
  if (object_at(handle) != nullptr) {
    slots_[handle - tpm::kTransientFirst].reset();
    return success(false);
  }
  // A session may be named as saved or as loaded.
  const std::uint32_t session = tpm::handle_index(handle) | kSessionFirst;
  if (tpm::is_session(handle) && sessions_.erase(session) > 0) return success(false);
  return error(tpm::at_parameter(rc::kHandle, 1));
}

Buffer ModelTpm::clock() const {
  const TPMS_TIME_INFO now{
      .time = 0,
      .clockInfo = {
          .clock = options_.clock() * 1000, .resetCount = resets_, .restartCount = 0, .safe = 1}};
  return success(false, tpm::marshal(now));
}

// The value is how often all were extended: each time another one, and all know the order.
Buffer ModelTpm::pcr(const Command& command) {
  if (command.code == cc::kPcrRead) return success(false, sized(extended_));
  if (!command.sessions) return error(TPM2_RC_AUTH_MISSING);
  ++extended_;
  return success(true);
}

Buffer ModelTpm::nv(const Command& command) {
  if (!command.sessions) return error(TPM2_RC_AUTH_MISSING);
  const ModelNv::Answer answer = nv_.run(command.code, command.handles[1], command.parameters);
  if (answer.code != rc::kSuccess) return error(answer.code);
  return success(true, command.code == cc::kNvRead ? sized(answer.value) : Buffer());
}

std::vector<tpm::Property> ModelTpm::properties() {
  namespace pt = tpm::pt;
  const auto loaded = static_cast<std::uint32_t>(loaded_sessions());
  const auto active = static_cast<std::uint32_t>(sessions_.size());
  return {
      {pt::kRevision, 159},
      {pt::kManufacturer, 0x53494D20},
      {pt::kHrTransientMin, kSlots},
      {pt::kHrLoadedMin, kSessionSlots},
      {pt::kActiveSessionsMax, kMostSessions},
      {pt::kContextGapMax, options_.context_gap},
      {pt::kMaxCommandSize, 4096},
      {pt::kMaxResponseSize, 4096},
      {pt::kHrLoaded, loaded},
      {pt::kHrLoadedAvail, static_cast<std::uint32_t>(kSessionSlots) - loaded},
      {pt::kHrActive, active},
      {pt::kHrActiveAvail, static_cast<std::uint32_t>(kMostSessions) - active},
      {pt::kHrTransientAvail, static_cast<std::uint32_t>(kSlots - objects())},
      {pt::kLockoutCounter, failures()},
      {pt::kMaxAuthFail, kMaxAuthFail},
      {pt::kLockoutInterval, kGap},
      {pt::kLockoutRecovery, 86400},
  };
}

std::vector<std::uint32_t> ModelTpm::handles(std::uint32_t first) const {
  std::vector<std::uint32_t> all;
  if (tpm::handle_type(first) == tpm::HandleType::NvIndex) return nv_.indices();
  if (tpm::is_transient(first)) {
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      if (slots_[slot]) all.push_back(tpm::kTransientFirst + slot);
    }
  } else if (tpm::is_session(first)) {
    const bool loaded = tpm::handle_range(first) == tpm::kLoadedSessionFirst;
    for (const auto& [handle, session] : sessions_) {
      if (session.loaded == loaded) {
        all.push_back(tpm::handle_range(first) | tpm::handle_index(handle));
      }
    }
  }
  return all;
}

Buffer ModelTpm::capability(const Command& command) {
  const auto query = tpm::parse_capability_query(command.parameters);
  if (!query) return error(rc::kInsufficient);
  if (query->capability == tpm::cap::kCommands) {
    std::vector<std::uint32_t> rest;
    for (const std::uint32_t each : kCommands) {
      if ((each & 0xFFFF) >= query->property) rest.push_back(each);
    }
    std::ranges::sort(rest, {}, [](std::uint32_t each) { return each & 0xFFFF; });
    return test::commands_response(rest);
  }
  if (query->capability == tpm::cap::kProperties) {
    tpm::CapabilityList<tpm::Property> list;
    for (const tpm::Property& property : properties()) {
      if (property.name < query->property) continue;
      if (list.items.size() == query->count) {
        list.more = true;
        break;
      }
      list.items.push_back(property);
    }
    return tpm::properties_response(list);
  }
  std::vector<std::uint32_t> list = handles(query->property);
  std::erase_if(list, [&](std::uint32_t handle) { return handle < query->property; });
  const bool more = list.size() > query->count;
  if (more) list.resize(query->count);
  return tpm::handles_response(list, more);
}

}  // namespace tbs::sim
