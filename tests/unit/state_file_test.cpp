#include "daemon/state_file.h"

#include <filesystem>

#include "tests/integration/support/temp_folder.h"
#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("what was written is there after the end", "[state]") {
  const test::TempFolder folder;
  boost::asio::io_context loop;
  {
    StateFile file(loop, folder / "state");
    CHECK(file.read().empty());
    for (int i = 0; i < 100; ++i) file.write("text " + std::to_string(i));
  }
  CHECK(StateFile(loop, folder / "state").read() == "text 99");
  CHECK(test::read_file(folder / "state.new").empty());
}

TEST_CASE("a text is written while the loop runs, with any bytes in it", "[state]") {
  const test::TempFolder folder;
  boost::asio::io_context loop;
  const std::string bytes("a\0b\n\xff", 5);
  StateFile file(loop, folder / "state");
  file.write("long text that is to be replaced as a whole");
  file.write(bytes);
  loop.run();
  CHECK(file.read() == bytes);
}

TEST_CASE("without a path nothing is kept", "[state]") {
  boost::asio::io_context loop;
  StateFile file(loop, "");
  file.write("text");
  loop.run();
  CHECK(file.read().empty());
}

TEST_CASE("trying to write leaves nothing and loses nothing", "[state]") {
  const test::TempFolder folder;
  boost::asio::io_context loop;
  {
    StateFile file(loop, folder / "state");
    file.try_writing();
    CHECK_FALSE(std::filesystem::exists(folder / "state"));
    file.write("text");
  }
  const StateFile file(loop, folder / "state");
  file.try_writing();
  CHECK(file.read() == "text");
  CHECK_FALSE(std::filesystem::exists(folder / "state.new"));
}

TEST_CASE("a file that cannot be written is no reason to stop", "[state]") {
  boost::asio::io_context loop;
  StateFile file(loop, "/no/such/folder/state");
  file.write("text");
  loop.run();
  CHECK(file.read().empty());
}

TEST_CASE("it tells when nothing is left to be written", "[state]") {
  const test::TempFolder folder;
  boost::asio::io_context loop;
  StateFile file(loop, folder / "state");
  bool done = false;
  file.when_written([&] { done = true; });
  CHECK(done);
  done = false;
  for (int i = 0; i < 10; ++i) file.write("text " + std::to_string(i));
  file.when_written([&] { done = file.read() == "text 9"; });
  CHECK_FALSE(done);
  loop.run();
  CHECK(done);
}
