#include "client/tbsctl/explain/error_numbers.h"

#include <cerrno>

#include "tests/support/catch2.h"

using namespace tbs::ctl;

TEST_CASE("errors have the names of the C library, both ways", "[tbsctl][explain]") {
  CHECK(error_name(EBUSY) == "EBUSY");
  CHECK(error_name(0).empty());
  CHECK(error_name(-1).empty());
  CHECK(error_name(4000).empty());
  CHECK(error_number("ETIME") == ETIME);
  CHECK_FALSE(error_number("ENOSUCHERROR").has_value());
  CHECK_FALSE(error_number("").has_value());
}

TEST_CASE("the errors of a TPM device are in words", "[tbsctl][explain]") {
  for (const int number : {EBUSY, ETIME, ECANCELED, ENODEV, EPIPE, EINVAL, E2BIG, EFAULT, EACCES,
                           ENOENT, EIO, ECONNREFUSED}) {
    const ErrorRow* const row = find_error(number);
    CAPTURE(number);
    REQUIRE(row != nullptr);
    CHECK_FALSE(row->text.empty());
    CHECK_FALSE(row->cause.empty());
    CHECK_FALSE(row->advice.empty());
  }
  CHECK(find_error(ELOOP) == nullptr);
}
