#include "daemon/restart/engine_parts.h"

namespace tbs::restart {
namespace {

// 2: the sizes of the TPM's buffers.
constexpr RecordPart kPart{.name = "engine", .version = 2};
constexpr RecordPart kGuards{.name = "guards", .version = 1};

}  // namespace

void EngineParts::save(RecordWriter& record) const {
  record.part(kPart);
  record(parts_.identity, parts_.router, parts_.inventory);
  parts_.identity.size_fields(record);
  parts_.manager12.save(record);
  parts_.manager20.save(record);
  record.part(kGuards);
  record(parts_.authorization, parts_.ownership);
}

void EngineParts::restore(RecordReader& record) {
  const std::uint16_t version = record.part(kPart);
  record(parts_.identity, parts_.router, parts_.inventory);
  if (record.ok() && version >= 2) parts_.identity.size_fields(record);
  parts_.manager12.restore(record);
  parts_.manager20.restore(record);
  record.part(kGuards);
  record(parts_.authorization, parts_.ownership);
}

void EngineParts::apply(const Setting& setting) {
  struct Apply {
    void operator()(const RawContext& raw) const { parts.router.claim(raw.context); }
    void operator()(const ManagerOptions& chosen) const {
      parts.manager12.configure(chosen.options);
      parts.manager20.configure(chosen.options);
    }
    void operator()(const policy::LockoutLimits& limits) const {
      parts.authorization.set_limits(limits);
    }
    void operator()(const LastingLimits& limits) const {
      parts.ownership.set_limits(limits.limits, limits.own_limits);
    }
    void operator()(const ForgetFailures& whose) const { parts.authorization.reset(whose.account); }

    Parts& parts;
  };
  std::visit(Apply{parts_}, setting);
}

}  // namespace tbs::restart
