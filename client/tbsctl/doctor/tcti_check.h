#pragma once

// Which way to the TPM the programs built on tpm2-tss will really get, from the environment and the
// modules that are installed.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/tbsctl/doctor/finding.h"

namespace tbs::ctl {

// What a program takes that is told nothing.
enum class TctiFallback : std::uint8_t {
  Loader,  // what tpm2-tss' loader finds: Tss2_TctiLdr_Initialize(NULL)
  Kernel,  // device:/dev/tpmrm0
};

struct TctiConsumer {
  std::string name;      // "tpm2-tools"
  std::string variable;  // "TPM2TOOLS_TCTI", or the file that says it
  std::optional<std::string> value;
  TctiFallback fallback = TctiFallback::Loader;
};

// A module of the loader, by the name that it is searched by.
struct TctiModule {
  std::string name;    // "libtss2-tcti-default.so"
  std::string target;  // file name behind all links; empty when it is not installed
};

struct TctiFacts {
  std::vector<TctiConsumer> consumers;
  std::vector<TctiModule> modules;  // those of the loader's order, and those that consumers name
  std::string fapi_problem;         // why its configuration cannot be read; empty when it can
  std::string fapi_path;
  bool opens_tpmrm0 = false;  // this user may
  bool opens_tpm0 = false;
};

TctiFacts tcti_facts();

// "tbs" of "tbs:/run/x"
std::string_view tcti_name(std::string_view configuration);
// The file names that the loader tries for a name, in order.
std::vector<std::string> tcti_files(std::string_view name);
// "tcti" of FAPI's configuration; an error in words when it is none.
std::expected<std::optional<std::string>, std::string> tcti_of_fapi(const std::string& text);

Findings check_tcti(const TctiFacts& facts);

}  // namespace tbs::ctl
