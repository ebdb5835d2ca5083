#include "daemon/exec/inventory_engine.h"

#include <algorithm>
#include <array>

#include "daemon/tpm/response_view.h"
#include "daemon/tpm12/capability.h"
#include "daemon/tpm12/response.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"
#include "proto/tpm12/commands.h"

namespace tbs::exec {
namespace {

namespace cc = tpm::cc;
namespace ord = tpm12::ord;

// What takes away more than it names, or sets the clock.
constexpr std::array kSweeping = {
    cc::kClear,    cc::kHierarchyControl, cc::kChangeEps,   cc::kChangePps,
    cc::kClockSet, ord::kOwnerClear,      ord::kForceClear, ord::kRevokeTrust,
};

// More than any TPM has: a device that lists without end is not believed.
constexpr std::size_t kMostHandles = 4096;

// Asks one thing after the other.
class Survey {
 public:
  explicit Survey(Family family) {
    if (family == Family::Tpm12) stage_ = Stage::Indices12;
  }

  [[nodiscard]] std::optional<proto::Buffer> next() const {
    switch (stage_) {
      case Stage::Age:
        return tpm::build::read_clock();
      case Stage::Indices:
      case Stage::Objects:
        return tpm::build::get_capability(tpm::cap::kHandles, from_,
                                          static_cast<std::uint32_t>(tpm::kMaxListedHandles));
      case Stage::Indices12:
        return tpm12::build::get_capability(tpm12::cap::kNvList, 0);
      case Stage::Over:
        break;
    }
    return std::nullopt;
  }

  // False when it leads to nothing.
  bool take(proto::Bytes response) {
    switch (stage_) {
      case Stage::Age:
        return take_age(response);
      case Stage::Indices:
        return take_handles(response, found.nv_indices, Stage::Objects, tpm::kPersistentFirst);
      case Stage::Objects:
        return take_handles(response, found.persistent_handles, Stage::Over, 0);
      case Stage::Indices12:
        return take_indices12(response);
      case Stage::Over:
        break;
    }
    return false;
  }

  tpm::Inventory found;

 private:
  enum class Stage : std::uint8_t { Age, Indices, Objects, Indices12, Over };

  // A TPM without a clock has no age.
  bool take_age(proto::Bytes response) {
    const auto view = tpm::parse_response(response, {});
    if (!view) return false;
    const auto time =
        view->success() ? tpm::unmarshal<TPMS_TIME_INFO>(view->parameters) : std::nullopt;
    if (time) {
      found.age = {.milliseconds = time->clockInfo.clock, .resets = time->clockInfo.resetCount};
    }
    stage_ = Stage::Indices;
    from_ = tpm::kNvIndexFirst;
    return true;
  }

  bool take_handles(proto::Bytes response, std::vector<std::uint32_t>& handles, Stage after,
                    std::uint32_t first) {
    const auto view = tpm::parse_response(response, {});
    if (!view || !view->success()) return false;
    const auto list = tpm::parse_words(view->parameters, tpm::cap::kHandles);
    if (!list || handles.size() + list->items.size() > kMostHandles) return false;
    handles.insert(handles.end(), list->items.begin(), list->items.end());
    // Ascending, so a device that repeats itself does not keep us here.
    if (list->more && !list->items.empty() && list->items.back() >= from_) {
      from_ = list->items.back() + 1;
      return true;
    }
    stage_ = after;
    from_ = first;
    return true;
  }

  bool take_indices12(proto::Bytes response) {
    const auto view = tpm12::parse_response(response);
    if (!view || !view->success()) return false;
    auto list = tpm12::parse_word_list(view->parameters);
    if (!list || list->size() > kMostHandles) return false;
    found.nv_indices = *std::move(list);
    stage_ = Stage::Over;
    return true;
  }

  Stage stage_ = Stage::Age;
  std::uint32_t from_ = 0;
};

// The survey, after a bring-up where there is one. Its end is the end of that.
class Surveying final : public Execution {
 public:
  Surveying(std::unique_ptr<Execution> first, const TpmIdentity& identity,
            const InventoryEngine::Told& told)
      : first_(std::move(first)), identity_(identity), told_(told) {}

  Step start() override { return first_ ? after(first_->start()) : begin(); }
  Step on_response(proto::Bytes response) override {
    if (first_) return after(first_->on_response(response));
    return survey_->take(response) ? next() : Step(std::move(done_));
  }
  Step on_pause_over() override { return first_ ? after(first_->on_pause_over()) : next(); }
  void withdraw() override {
    if (first_) first_->withdraw();
  }
  void detach() override {
    if (first_) first_->detach();
  }

 private:
  Step after(Step step) {
    auto* const done = std::get_if<Done>(&step);
    if (done == nullptr || done->status != proto::Status::Success || !identity_.family) return step;
    done_ = std::move(*done);
    first_.reset();
    brought_up_ = true;
    return begin();
  }
  Step begin() {
    survey_.emplace(*identity_.family);
    return next();
  }
  Step next() {
    if (auto command = survey_->next()) return Transmit{.command = *std::move(command)};
    survey_->found.same_tpm = !brought_up_;
    told_(survey_->found);
    return std::move(done_);
  }

  std::unique_ptr<Execution> first_;
  const TpmIdentity& identity_;
  const InventoryEngine::Told& told_;
  std::optional<Survey> survey_;
  Done done_;
  bool brought_up_ = false;
};

}  // namespace

std::unique_ptr<Execution> InventoryEngine::execute(SharedCommand command) {
  if (std::ranges::find(kSweeping, command->effective_code()) != kSweeping.end()) due_ = true;
  return engine_.execute(std::move(command));
}

std::unique_ptr<Execution> InventoryEngine::housekeeping() {
  if (auto work = engine_.housekeeping()) return work;
  if (!due_ || !identity_.family) return nullptr;
  due_ = false;
  return std::make_unique<Surveying>(nullptr, identity_, told_);
}

std::unique_ptr<Execution> InventoryEngine::bring_up() {
  due_ = false;
  return std::make_unique<Surveying>(engine_.bring_up(), identity_, told_);
}

}  // namespace tbs::exec
