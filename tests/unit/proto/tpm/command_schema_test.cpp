#include "proto/tpm/command_schema.h"

#include <algorithm>
#include <set>

#include "proto/command_names.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::tpm;

TEST_CASE("every command that has a name has a schema, and no other", "[tpm][schema]") {
  std::size_t commands = 0;
  for (std::uint32_t code = 0; code <= cc::kLast + 0x100; ++code) {
    CAPTURE(code);
    const CommandSchema* const schema = find_command_schema(code);
    CHECK((schema != nullptr) == !proto::command_name(code).empty());
    if (schema == nullptr) continue;
    ++commands;
    CHECK(schema->code == code);
  }
  CHECK(commands == management_command_schemas().size() + object_command_schemas().size() +
                        policy_command_schemas().size());
}

TEST_CASE("the tables of schemas are in their order", "[tpm][schema]") {
  for (const auto table :
       {management_command_schemas(), object_command_schemas(), policy_command_schemas()}) {
    CHECK(std::ranges::is_sorted(table, {}, &CommandSchema::code));
  }
}

TEST_CASE("names of handles and parameters are each there once", "[tpm][schema]") {
  for (const auto table :
       {management_command_schemas(), object_command_schemas(), policy_command_schemas()}) {
    for (const CommandSchema& schema : table) {
      CAPTURE(schema.code);
      std::set<std::string_view> names;
      std::size_t handles = 0;
      for (const std::string_view name : schema.handles) {
        if (!name.empty()) CHECK(names.insert(name.substr(name.starts_with('@'))).second);
        if (!name.empty()) ++handles;
      }
      CHECK(schema.handle_count() == handles);
      for (const ParameterSchema& parameter : schema.parameters) {
        CHECK(parameter.name.empty() == (parameter.type == ParameterType::None));
        if (!parameter.name.empty()) CHECK(names.insert(parameter.name).second);
      }
      for (const ParameterSchema& parameter : schema.response) {
        CHECK(parameter.name.empty() == (parameter.type == ParameterType::None));
      }
    }
  }
}

TEST_CASE("a schema says what the specification does", "[tpm][schema]") {
  const CommandSchema& create = *find_command_schema(TPM2_CC_Create);
  CHECK(create.handles[0] == "@parentHandle");
  CHECK(create.parameters[1].name == "inPublic");
  CHECK(create.parameters[1].type == ParameterType::Public);
  CHECK(create.response_handle.empty());
  const CommandSchema& session = *find_command_schema(TPM2_CC_StartAuthSession);
  CHECK(session.handles[1] == "bind");
  CHECK(session.response_handle == "sessionHandle");
  CHECK(session.response[0].name == "nonceTPM");
  CHECK(find_command_schema(TPM2_CC_GetRandom)->response[0].secret);
  CHECK_FALSE(find_command_schema(TPM2_CC_PCR_Read)->response[2].secret);
}
