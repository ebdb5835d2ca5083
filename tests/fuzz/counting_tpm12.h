#pragma once

// A TPM 1.2 that means well: two slots for keys and two for sessions, and each key and session
// counts what is done to it. As on a real one, flushing a key ends the sessions of it that are
// loaded, a session is loaded beside its key alone, and a saved session once.

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "daemon/tpm12/capability.h"
#include "daemon/tpm12/response.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm12/constants.h"
#include "tests/fuzz/history_game.h"

namespace tbs::fuzz {

inline proto::Buffer sized(proto::Bytes bytes) {
  proto::Buffer all;
  proto::ByteWriter writer(all);
  writer.be32(static_cast<std::uint32_t>(bytes.size()));
  writer.bytes(bytes);
  return all;
}

// Keys and sessions that count.
class CountingTpm12 {
 public:
  proto::Buffer run(proto::Bytes command, Fate fate) {
    const auto first = [&] { return word_at(command, tpm12::kHeaderSize); };
    switch (code_of(command)) {
      case tpm12::ord::kLoadKey2:
        return add(keys_, kFirstKey, {.key = ++keys_made_});
      case tpm12::ord::kOiap:
        return add(sessions_, kFirstSession, {});
      case tpm12::ord::kOsap:
        return open_for(word_at(command, tpm12::kHeaderSize + 2));
      case tpm12::ord::kSign:
        return sign(first(), word_at(command, tpm12::kHeaderSize + 4), fate);
      case tpm12::ord::kKeyControlOwner:
        return change(first(), fate);
      case tpm12::ord::kSaveContext:
        return save(first(), static_cast<tpm12::Kind>(word_at(command, tpm12::kHeaderSize + 4)));
      case tpm12::ord::kLoadContext:
        return load(first(), command.subspan(tpm12::kHeaderSize + 4 + 1 + 4));
      case tpm12::ord::kFlushSpecific:
        return flush(first(), word_at(command, tpm12::kHeaderSize + 4));
      case tpm12::ord::kGetCapability:
        return capability(*tpm12::parse_capability_query(command.subspan(tpm12::kHeaderSize)));
      default:
        return tpm12::bare_response(tpm12::rc::kSuccess);
    }
  }
  [[nodiscard]] bool empty() const { return keys_.empty() && sessions_.empty() && saved_.empty(); }

 private:
  static constexpr std::uint32_t kSlots = 2;
  // Within what the list of saved sessions may span.
  static constexpr std::uint32_t kContextDistance = 0xFF;
  static constexpr std::uint32_t kFirstKey = 0x10;
  static constexpr std::uint32_t kFirstSession = 0x20;
  struct Thing {
    std::uint32_t key = 0;  // which key, or that of the session; 0: none
    std::uint32_t count = 0;
  };
  using Things = std::map<std::uint32_t, Thing>;

  static proto::Buffer add(Things& things, std::uint32_t handle, Thing thing) {
    if (things.size() == kSlots) return tpm12::bare_response(tpm12::rc::kResources);
    while (things.contains(handle)) ++handle;
    things[handle] = thing;
    return tpm12::response_with(handle);
  }

  static Thing* at(Things& things, std::uint32_t handle) {
    const auto found = things.find(handle);
    return found == things.end() ? nullptr : &found->second;
  }

  proto::Buffer open_for(std::uint32_t key_handle) {
    const Thing* const key = at(keys_, key_handle);
    if (key == nullptr) return tpm12::bare_response(tpm12::rc::kInvalidKeyHandle);
    return add(sessions_, kFirstSession, {.key = key->key});
  }

  proto::Buffer sign(std::uint32_t key_handle, std::uint32_t session_handle, Fate fate) {
    const Thing* const key = at(keys_, key_handle);
    if (key == nullptr && !tpm12::is_reserved(key_handle)) {
      return tpm12::bare_response(tpm12::rc::kInvalidKeyHandle);
    }
    Thing* const session = at(sessions_, session_handle);
    if (session == nullptr) return tpm12::bare_response(tpm12::rc::kInvalidAuthHandle);
    ++session->count;
    proto::Buffer body = words({session->count, key == nullptr ? 0 : key->count});
    if (fate == Fate::Ended) sessions_.erase(session_handle);
    if (fate == Fate::Failed || fate == Fate::Ended)
      return tpm12::bare_response(tpm12::rc::kAuthFail);
    body.resize(body.size() + tpm12::kDigestSize);
    body.push_back(1);
    body.resize(body.size() + tpm12::kDigestSize);
    return message(tpm12::kTagAuth1Response, tpm12::rc::kSuccess, body);
  }

  proto::Buffer change(std::uint32_t key_handle, Fate fate) {
    Thing* const key = at(keys_, key_handle);
    if (key == nullptr) return tpm12::bare_response(tpm12::rc::kInvalidKeyHandle);
    ++key->count;
    if (fate == Fate::Failed) return tpm12::bare_response(tpm12::rc::kAuthFail);
    return tpm12::response_with(key->count);
  }

  proto::Buffer save(std::uint32_t handle, tpm12::Kind kind) {
    Things& things = kind == tpm12::Kind::Key ? keys_ : sessions_;
    const Thing* const thing = at(things, handle);
    if (thing == nullptr) return tpm12::bare_response(tpm12::rc::kInvalidResource);
    const bool session = kind != tpm12::Kind::Key;
    if (session && !saved_.empty() && saves_ - saved_.front() >= kContextDistance) {
      return tpm12::bare_response(tpm12::rc::kContextGap);
    }
    proto::Buffer blob;
    proto::ByteWriter writer(blob);
    writer.be16(1);
    writer.be32(static_cast<std::uint32_t>(kind));
    writer.be32(handle);
    writer.be32(thing->key);
    writer.be32(thing->count);
    writer.be64(0);
    writer.be32(session ? ++saves_ : 0);
    writer.bytes(proto::Buffer(tpm12::kDigestSize));
    if (session) {
      saved_.push_back(saves_);
      sessions_.erase(handle);
    }
    return tpm12::response_with(proto::Bytes(sized(blob)));
  }

  proto::Buffer load(std::uint32_t entity, proto::Bytes blob) {
    proto::ByteReader reader(blob);
    reader.skip(2);
    const auto kind = static_cast<tpm12::Kind>(reader.be32());
    reader.skip(4);
    const std::uint32_t key = reader.be32();
    const Thing thing{.key = key, .count = reader.be32()};
    if (kind == tpm12::Kind::Key) return add(keys_, kFirstKey, thing);
    reader.skip(8);
    const auto entry = std::ranges::find(saved_, reader.be32());
    if (entry == saved_.end()) return tpm12::bare_response(tpm12::rc::kBadContext);
    const Thing* const bound = at(keys_, entity);
    if (thing.key != 0 && (bound == nullptr || bound->key != thing.key)) {
      return tpm12::bare_response(tpm12::rc::kResourceMissing);
    }
    proto::Buffer response = add(sessions_, kFirstSession, thing);
    if (code_of(response) == tpm12::rc::kSuccess) saved_.erase(entry);
    return response;
  }

  // A key takes the loaded sessions of its pair along.
  proto::Buffer flush(std::uint32_t handle, std::uint32_t type) {
    std::size_t flushed = 0;
    if (type == tpm12::kResourceContext) {
      flushed = std::erase(saved_, handle);
    } else if (type == static_cast<std::uint32_t>(tpm12::Kind::Key)) {
      const Thing* const key = at(keys_, handle);
      if (key == nullptr) return tpm12::bare_response(tpm12::rc::kBadParameter);
      std::erase_if(sessions_, [key](const auto& one) { return one.second.key == key->key; });
      flushed = keys_.erase(handle);
    } else {
      flushed = sessions_.erase(handle);
    }
    return tpm12::bare_response(flushed != 0 ? tpm12::rc::kSuccess : tpm12::rc::kBadParameter);
  }

  proto::Buffer capability(const tpm12::CapabilityQuery& query) const {
    require(query.sub.has_value());
    if (query.area == tpm12::cap::kHandle) return tpm12::handle_list(handles(*query.sub));
    switch (*query.sub) {
      case tpm12::prop::kKeys:
        return tpm12::capability_word(kSlots - static_cast<std::uint32_t>(keys_.size()));
      case tpm12::prop::kAuthSessions:
        return tpm12::capability_word(kSlots - static_cast<std::uint32_t>(sessions_.size()));
      default:
        return tpm12::capability_word(kContextDistance);
    }
  }

  [[nodiscard]] std::vector<std::uint32_t> handles(std::uint32_t type) const {
    if (type == tpm12::kResourceContext) return saved_;
    std::vector<std::uint32_t> list;
    if (type == static_cast<std::uint32_t>(tpm12::Kind::Key)) {
      for (const auto& [handle, thing] : keys_) list.push_back(handle);
    } else if (type == static_cast<std::uint32_t>(tpm12::Kind::Auth)) {
      for (const auto& [handle, thing] : sessions_) list.push_back(handle);
    }
    return list;
  }

  Things keys_;
  Things sessions_;
  std::vector<std::uint32_t> saved_;  // ascending
  std::uint32_t saves_ = 0;
  std::uint32_t keys_made_ = 0;
};

}  // namespace tbs::fuzz
