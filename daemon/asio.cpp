// Compiles Boost.Asio once. Every user defines BOOST_ASIO_SEPARATE_COMPILATION (asio_dep does) and
// so sees declarations only.

#include <boost/asio/impl/src.hpp>
