// TBS_E_INTERNAL_ERROR from every function, for want of memory: this program's operator new fails
// for a thread as long as the thread wants it to. Nothing is broken afterwards.

#include <cstdlib>
#include <new>

#include "client/include/tbs/tbsx.h"
#include "tests/support/catch2.h"
#include "tests/support/fake_daemon.h"

using namespace tbs;

namespace {

thread_local bool starving = false;

void* allocate(std::size_t size) {
  if (starving) throw std::bad_alloc();
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// What a function returns while there is no memory.
template <typename Function>
TBS_RESULT starved(Function function) {
  starving = true;
  const auto result = static_cast<TBS_RESULT>(function());
  starving = false;
  return result;
}

TBS_RESULT create(TBS_HCONTEXT& context) {
  const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
  return Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &context);
}

TBS_HCONTEXT connect() {
  TBS_HCONTEXT context = nullptr;
  REQUIRE(create(context) == TBS_SUCCESS);
  return context;
}

}  // namespace

// Both are replaced in pairs, as the standard wants it. GCC does not see the pairs across the
// library's border.
void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
// Else the sanitizers' own would take their place.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

TEST_CASE("without memory every function fails with TBS_E_INTERNAL_ERROR") {
  test::FakeDaemon daemon(test::echo);
  Tbsx_Set_Socket(daemon.path().c_str());
  TBS_HCONTEXT context = nullptr;
  UINT32 size = 64;
  BYTE room[64];
  TPM_DEVICE_INFO info{};
  static constexpr BYTE kCommand[] = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8};
  static constexpr BYTE kVersion[] = {1, 0, 0, 0};

  CHECK(starved([&] { return create(context); }) == TBS_E_INTERNAL_ERROR);
  CHECK(context == nullptr);
  CHECK(starved([&] { return Tbsi_GetDeviceInfo(sizeof info, &info); }) == TBS_E_INTERNAL_ERROR);
  CHECK(starved([&] { return Tbsi_Get_TCG_Log_Ex(0, room, &size); }) == TBS_E_INTERNAL_ERROR);
  CHECK(starved([&] { return Tbsi_Get_TCG_Logs(0, nullptr, room, 64, &size, 0); }) ==
        TBS_E_INTERNAL_ERROR);
  CHECK(starved([] { return Tbsi_Revoke_Attestation(); }) == TBS_E_INTERNAL_ERROR);
  CHECK(starved([&] { return GetDeviceID(room, 64, &size, nullptr); }) == TBS_E_INTERNAL_ERROR);

  // A context that could not send something has come to its end.
  const auto each = [&](auto function) {
    context = connect();
    CHECK(starved([&] { return function(context); }) == TBS_E_INTERNAL_ERROR);
    CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
  };
  // The first handle that is given back needs a place in the list of free ones.
  context = connect();
  CHECK(starved([&] { return Tbsip_Context_Close(context); }) == TBS_E_INTERNAL_ERROR);
  CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
  each([](TBS_HCONTEXT handle) { return Tbsip_Cancel_Commands(handle); });
  each([&](TBS_HCONTEXT handle) {
    return Tbsip_Submit_Command(handle, 0, 0, kCommand, sizeof kCommand, room, &size);
  });
  each([&](TBS_HCONTEXT handle) {
    return Tbsx_Submit_Timeout(handle, 0, 0, kCommand, sizeof kCommand, room, &size, -1);
  });
  each([&](TBS_HCONTEXT handle) { return Tbsi_Get_TCG_Log(handle, room, &size); });
  each([&](TBS_HCONTEXT handle) { return Tbsi_Get_OwnerAuth(handle, 13, room, &size); });
  each([&](TBS_HCONTEXT handle) {
    return Tbsi_Physical_Presence_Command(handle, kVersion, sizeof kVersion, room, &size);
  });

  context = connect();
  CHECK(Tbsip_Cancel_Commands(context) == TBS_SUCCESS);
  CHECK(Tbsip_Context_Close(context) == TBS_SUCCESS);
  Tbsx_Set_Socket(nullptr);
}
