// What the machine keeps about its TPM, through libtbs: the physical presence interface, the
// owner's authorization values, the revocation of attestation, the identifier.

#include <array>
#include <filesystem>
#include <functional>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/include/tbs/tbsx.h"
#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using Words = std::vector<UINT32>;

namespace {

// A daemon whose files are in a folder of the test's, and libtbs pointed to it.
class MachineBench {
 public:
  explicit MachineBench(const std::function<void(const TempFolder&)>& prepare = {}) {
    if (prepare) prepare(folder_);
    bench_ = std::make_unique<TestBench>(
        DaemonOptions{.arguments = {"--ppi=" + folder_ / "ppi", "--state-dir=" + folder_.path()}});
    Tbsx_Set_Socket(bench_->socket().c_str());
    const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
    REQUIRE(Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &context_) ==
            TBS_SUCCESS);
  }
  ~MachineBench() {
    Tbsip_Context_Close(context_);
    Tbsx_Set_Socket(nullptr);
  }
  MachineBench(const MachineBench&) = delete;
  MachineBench& operator=(const MachineBench&) = delete;

  [[nodiscard]] TBS_HCONTEXT context() const { return context_; }
  TestBench& bench() { return *bench_; }
  TempFolder& folder() { return folder_; }

 private:
  TempFolder folder_;
  std::unique_ptr<TestBench> bench_;
  TBS_HCONTEXT context_ = nullptr;
};

void make_presence(const TempFolder& folder) {
  std::filesystem::create_directory(folder / "ppi");
  write_file(folder / "ppi/version", "1.3\n");
  write_file(folder / "ppi/request", "0\n");
  write_file(folder / "ppi/transition_action", "2: Reboot\n");
  write_file(folder / "ppi/response", "5 0xFFFFFFF0: User Abort\n");
  write_file(folder / "ppi/tcg_operations",
             "5 3: Allowed and physically present user required\n"
             "23 4: Allowed and physically present user NOT required\n");
}

struct Called {
  TBS_RESULT result;
  tpm::Buffer output;
};

Called call(TBS_HCONTEXT context, const Words& words, UINT32 capacity = 64) {
  tpm::Buffer input;
  tbs::proto::ByteWriter writer(input);
  for (const UINT32 word : words) writer.le32(word);
  tpm::Buffer output(64);
  UINT32 size = capacity;
  const TBS_RESULT result = Tbsi_Physical_Presence_Command(
      context, input.data(), static_cast<UINT32>(input.size()), output.data(), &size);
  // What it says of the size concerns a success alone.
  if (result != TBS_SUCCESS) CHECK(size == capacity);
  output.resize(result == TBS_SUCCESS ? size : 0);
  return {result, output};
}

Words words_of(const Called& called) {
  REQUIRE(called.result == TBS_SUCCESS);
  REQUIRE(called.output.size() % 4 == 0);
  Words words;
  tbs::proto::ByteReader reader(called.output);
  while (reader.remaining() > 0) words.push_back(reader.le32());
  return words;
}

// A file that can be opened and not written to, with EPERM: how the kernel says that the firmware
// does not support the operation.
void refuse_writes(const std::string& path) {
  const int sealed = ::memfd_create("request", MFD_ALLOW_SEALING);
  REQUIRE(sealed >= 0);
  REQUIRE(::fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE) == 0);
  std::filesystem::remove(path);
  std::filesystem::create_symlink(
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(sealed), path);
}

struct Auth {
  TBS_RESULT result;
  UINT32 size;
  std::string value;
};

Auth owner_auth(TBS_HCONTEXT context, UINT32 type, UINT32 capacity = 64) {
  std::array<char, 64> room{};
  UINT32 size = capacity;
  const TBS_RESULT result = Tbsi_Get_OwnerAuth(
      context, type, capacity == 0 ? nullptr : reinterpret_cast<PBYTE>(room.data()), &size);
  return {result, size, result == TBS_SUCCESS ? std::string(room.data(), size) : std::string()};
}

void store_auth(const TempFolder& folder, const std::string& name, const std::string& value,
                mode_t mode = 0600) {
  std::filesystem::create_directory(folder / "owner-auth");
  write_file(folder / ("owner-auth/" + name), value);
  REQUIRE(::chmod((folder / ("owner-auth/" + name)).c_str(), mode) == 0);
}

}  // namespace

TEST_CASE("physical presence: what each function returns") {
  MachineBench bench(make_presence);
  const auto context = bench.context();
  CHECK(call(context, {1}).output == tpm::Buffer{'1', '.', '3', 0});
  CHECK(words_of(call(context, {3})) == Words{0, 0});
  CHECK(words_of(call(context, {4})) == Words{2});
  CHECK(words_of(call(context, {5})) == Words{0, 5, 0xFFFFFFF0});
  CHECK(words_of(call(context, {8, 5})) == Words{3});
  CHECK(words_of(call(context, {8, 23})) == Words{4});
  CHECK(words_of(call(context, {8, 6})) == Words{0});
  CHECK(words_of(call(context, {2, 5})) == Words{0});
  CHECK(words_of(call(context, {3})) == Words{0, 5});
  CHECK(words_of(call(context, {7, 23, 16})) == Words{0});
  CHECK(words_of(call(context, {3})) == Words{0, 23, 16});
  refuse_writes(bench.folder() / "ppi/request");
  CHECK(words_of(call(context, {7, 5})) == Words{1});
  CHECK(bench.bench().daemon().log().contains("physical presence operation 23 was requested"));
}

TEST_CASE("physical presence: what is wrong with a call") {
  MachineBench bench(make_presence);
  const auto context = bench.context();
  for (const UINT32 unknown : {0U, 6U, 9U, 0xffffffffU}) {
    CHECK(call(context, {unknown}).result == TBS_E_PPI_FUNCTION_UNSUPPORTED);
  }
  for (const Words& wrong :
       {Words{1, 0}, Words{2}, Words{2, 5, 1}, Words{7}, Words{8}, Words{7, 1, 2, 3}, Words{}}) {
    CHECK(call(context, wrong).result == TBS_E_BAD_PARAMETER);
  }
  BYTE output[16];
  UINT32 size = sizeof output;
  const BYTE odd[] = {8, 0, 0, 0, 5};
  CHECK(Tbsi_Physical_Presence_Command(context, odd, 5, output, &size) == TBS_E_BAD_PARAMETER);
  CHECK(Tbsi_Physical_Presence_Command(context, nullptr, 4, output, &size) == TBS_E_BAD_PARAMETER);
  CHECK(Tbsi_Physical_Presence_Command(context, odd, 4, nullptr, &size) ==
        TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(Tbsi_Physical_Presence_Command(context, odd, 4, output, nullptr) ==
        TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(Tbsi_Physical_Presence_Command(nullptr, odd, 4, output, &size) == TBS_E_INVALID_CONTEXT);
  CHECK(call(context, {1}, 3).result == TBS_E_INSUFFICIENT_BUFFER);
  CHECK(call(context, {2, 5}, 3).result == TBS_E_INSUFFICIENT_BUFFER);
  CHECK(words_of(call(context, {3})) == Words{0, 0});
  CHECK(call(context, {8, 130}).result == TBS_E_PPI_FUNCTION_UNSUPPORTED);  // no vs_operations
  write_file(bench.folder() / "ppi/response", "nonsense");
  CHECK(call(context, {5}).result == TBS_E_INTERNAL_ERROR);
  std::filesystem::remove(bench.folder() / "ppi/response");
  CHECK(call(context, {5}).result == TBS_E_PPI_FUNCTION_UNSUPPORTED);
  std::filesystem::remove_all(bench.folder() / "ppi");
  CHECK(call(context, {1}).result == TBS_E_PPI_NOT_SUPPORTED);
}

TEST_CASE("physical presence: users may look, administrators may submit") {
  if (!can_become_nobody()) return;
  MachineBench bench(make_presence);
  CHECK(as_nobody([&] {
          Tbsx_Set_Socket(bench.bench().socket().c_str());
          const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
          TBS_HCONTEXT context = nullptr;
          if (Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &context) != 0) {
            return 1;
          }
          if (call(context, {4}).result != TBS_SUCCESS) return 2;
          if (call(context, {2, 5}).result != TBS_E_ACCESS_DENIED) return 3;
          if (call(context, {7, 5}).result != TBS_E_ACCESS_DENIED) return 4;
          if (owner_auth(context, 13).result != TBS_E_ACCESS_DENIED) return 5;
          return Tbsi_Revoke_Attestation() == TBS_E_ACCESS_DENIED ? 0 : 6;
        }) == 0);
  CHECK(words_of(call(bench.context(), {3})) == Words{0, 0});
}

TEST_CASE("owner authorization: stored values, and what is not used") {
  MachineBench bench([](const TempFolder& folder) {
    store_auth(folder, "storage", std::string("owner\0secret", 12));
    store_auth(folder, "lockout", "open to all", 0644);
  });
  const auto context = bench.context();
  CHECK(owner_auth(context, TBS_OWNERAUTH_TYPE_STORAGE_20).value ==
        std::string("owner\0secret", 12));
  CHECK(owner_auth(context, TBS_OWNERAUTH_TYPE_STORAGE_20, 0).size == 12);
  CHECK(owner_auth(context, TBS_OWNERAUTH_TYPE_STORAGE_20, 0).result == TBS_SUCCESS);
  const Auth small = owner_auth(context, TBS_OWNERAUTH_TYPE_STORAGE_20, 11);
  CHECK(small.result == TBS_E_INSUFFICIENT_BUFFER);
  CHECK(small.size == 12);
  CHECK(owner_auth(context, TBS_OWNERAUTH_TYPE_ENDORSEMENT_20).result == TBS_E_OWNERAUTH_NOT_FOUND);
  CHECK(owner_auth(context, TBS_OWNERAUTH_TYPE_FULL).result == TBS_E_OWNERAUTH_NOT_FOUND);
  CHECK(bench.bench().daemon().log().contains("can be used by others"));
  store_auth(bench.folder(), "endorsement", std::string(65, 'x'));
  CHECK(owner_auth(context, TBS_OWNERAUTH_TYPE_ENDORSEMENT_20).result == TBS_E_OWNERAUTH_NOT_FOUND);
  for (const UINT32 foreign : {0U, 2U, 3U, 4U, 5U, 14U}) {
    CHECK(owner_auth(context, foreign).result == TBS_E_BAD_PARAMETER);
  }
  UINT32 size = 4;
  CHECK(Tbsi_Get_OwnerAuth(context, 13, nullptr, &size) == TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(Tbsi_Get_OwnerAuth(context, 13, nullptr, nullptr) == TBS_E_INVALID_OUTPUT_POINTER);
  CHECK(Tbsi_Get_OwnerAuth(nullptr, 13, nullptr, &size) == TBS_E_INVALID_CONTEXT);
}

TEST_CASE("revoking the attestation changes PCR 12 and no other") {
  MachineBench bench;
  RawClient client = bench.bench().context();
  const auto before = tpm::pcr_value(client.response(tpm::pcr_read(12)));
  const auto other = tpm::pcr_value(client.response(tpm::pcr_read(11)));
  CHECK(Tbsi_Revoke_Attestation() == TBS_SUCCESS);
  const auto after = tpm::pcr_value(client.response(tpm::pcr_read(12)));
  CHECK(after != before);
  CHECK(Tbsi_Revoke_Attestation() == TBS_SUCCESS);
  CHECK(tpm::pcr_value(client.response(tpm::pcr_read(12))) != after);
  CHECK(tpm::pcr_value(client.response(tpm::pcr_read(11))) == other);
  CHECK(bench.bench().daemon().log().contains("attestation was revoked by"));
}

TEST_CASE("the identifier: always the same, as bytes and as text") {
  MachineBench bench;
  std::array<BYTE, 64> id{};
  UINT32 size = 0;
  BOOL is_protected = 0;
  REQUIRE(GetDeviceID(nullptr, 0, &size, nullptr) == 0);
  CHECK(size == 32);
  REQUIRE(GetDeviceID(id.data(), 64, &size, &is_protected) == 0);
  CHECK(size == 32);
  CHECK(is_protected == 1);
  CHECK(GetDeviceID(id.data(), 31, &size, nullptr) ==
        static_cast<HRESULT>(TBS_E_INSUFFICIENT_BUFFER));
  CHECK(GetDeviceID(nullptr, 1, &size, nullptr) ==
        static_cast<HRESULT>(TBS_E_INVALID_OUTPUT_POINTER));
  CHECK(GetDeviceID(nullptr, 0, nullptr, nullptr) ==
        static_cast<HRESULT>(TBS_E_INVALID_OUTPUT_POINTER));
  bench.bench().restart_daemon();
  std::array<WCHAR, 65> text{};
  CHECK(GetDeviceIDString(text.data(), 64, &size, nullptr) ==
        static_cast<HRESULT>(TBS_E_INSUFFICIENT_BUFFER));
  CHECK(size == 65);
  REQUIRE(GetDeviceIDString(text.data(), 65, nullptr, nullptr) == 0);
  std::string expected;
  for (std::size_t i = 0; i < 32; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    expected += kDigits[id[i] >> 4U];
    expected += kDigits[id[i] & 0xFU];
  }
  CHECK(std::string(text.begin(), text.end() - 1) == expected);
  CHECK(text.back() == 0);
  CHECK(expected != std::string(64, '0'));
}

TEST_CASE("the keys of Windows are nobody's business here") {
  CHECK(Tbsi_Create_Windows_Key(0x81000001) == TBS_E_PROVISIONING_NOT_ALLOWED);
}
