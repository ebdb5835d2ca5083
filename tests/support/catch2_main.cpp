// The main() of test programs, which Catch2 3 brings in its library.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
