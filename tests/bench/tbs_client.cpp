#include "tests/bench/tbs_client.h"

#include <stdexcept>

namespace tbs::bench {

void check(TBS_RESULT result, const char* what) {
  if (result == TBS_SUCCESS) return;
  throw std::runtime_error(std::string(what) + ": " + Tbsx_Result_Name(result));
}

TbsClient::TbsClient(const std::string& socket) {
  TBS_CONTEXT_PARAMS2 params{};
  params.version = TBS_CONTEXT_VERSION_TWO;
  params.includeTpm20 = 1;
  check(Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), socket.c_str(),
                            &context_),
        "Tbsx_Context_Create");
}

TbsClient::~TbsClient() {
  Tbsip_Context_Close(context_);
}

proto::Bytes TbsClient::run(proto::Bytes command) {
  check(submit(command), "Tbsip_Submit_Command");
  return response();
}

TBS_RESULT TbsClient::submit(proto::Bytes command) {
  size_ = static_cast<UINT32>(room_.size());
  const TBS_RESULT result = Tbsip_Submit_Command(
      context_, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
      static_cast<UINT32>(command.size()), room_.data(), &size_);
  if (result != TBS_SUCCESS) size_ = 0;
  return result;
}

void TbsClient::cancel() {
  check(Tbsip_Cancel_Commands(context_), "Tbsip_Cancel_Commands");
}

OpenClient tbs_clients(const std::string& socket) {
  return [socket] { return std::make_unique<TbsClient>(socket); };
}

}  // namespace tbs::bench
