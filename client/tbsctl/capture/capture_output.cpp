#include "client/tbsctl/capture/capture_output.h"

#include <chrono>
#include <string>

#include <nlohmann/json.hpp>

#include "client/tbsctl/capture/pcapng.h"
#include "client/tbsctl/capture/tcp_packets.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/timestamp.h"
#include "client/tbsctl/tpm/command_name.h"
#include "proto/status.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {

using proto::CapturedExchange;

std::uint32_t code_in(proto::Bytes message) {
  const auto header = proto::read_tpm_header(message);
  return header ? header->code : 0;
}

namespace {

// "TPM_RC_SUCCESS", or what the daemon answered in place of a response.
std::string outcome_of(const CapturedExchange& exchange) {
  if (const auto header = proto::read_tpm_header(exchange.response)) {
    return describe_response(*header).name;
  }
  return std::string(proto::status_name(static_cast<proto::Status>(exchange.status)));
}

// The monotonic clock of the daemon's is that of the whole machine.
std::uint64_t microseconds_to_wall_clock() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(wall - monotonic).count());
}

class PacketFile : public CaptureOutput {
 public:
  explicit PacketFile(std::ostream& out) : out_(out) {
    proto::Buffer header;
    pcapng::append_header(header, "tbsctl");
    put(header);
  }

  void write(const CapturedExchange& exchange) override {
    const std::string comment = "context " + std::to_string(exchange.context) + ", uid " +
                                std::to_string(exchange.uid) + ", " + printable(exchange.program) +
                                " (pid " + std::to_string(exchange.pid) + ")";
    proto::Buffer blocks;
    // Adjacent: Wireshark takes a response for that of the command before it.
    pcapng::append_packet(
        blocks, exchange.submitted_us + offset_,
        packets_.command(exchange.context, exchange.command),
        exchange.response.empty() ? comment + ": " + outcome_of(exchange) : comment);
    if (!exchange.response.empty()) {
      pcapng::append_packet(blocks, exchange.answered_us + offset_,
                            packets_.response(exchange.context, exchange.response), comment);
    }
    put(blocks);
  }

 private:
  // Whole blocks at a time, so that who reads along or finds the end of the file finds whole ones.
  void put(const proto::Buffer& bytes) {
    out_.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    out_.flush();
  }

  std::ostream& out_;
  TcpPackets packets_;
  std::uint64_t offset_ = microseconds_to_wall_clock();
};

class Lines : public CaptureOutput {
 public:
  Lines(const Console& console, bool utc) : console_(console), utc_(utc) {}

  void write(const CapturedExchange& exchange) override {
    console_.json ? as_json(exchange) : as_line(exchange);
    console_.out.flush();
  }

 private:
  void as_line(const CapturedExchange& exchange) {
    const std::uint64_t when = exchange.submitted_us + offset_;
    console_.out << (utc_ ? utc_time(when) : local_time(when)) << "  context " << exchange.context
                 << "  " << printable(exchange.program) << "  "
                 << command_name(code_in(exchange.command)) << "  " << outcome_of(exchange) << "  "
                 << duration(exchange.answered_us - exchange.submitted_us) << '\n';
  }

  void as_json(const CapturedExchange& exchange) {
    const std::uint32_t code = code_in(exchange.command);
    nlohmann::ordered_json json = {
        {"time", utc_time(exchange.submitted_us + offset_)},
        {"context", exchange.context},
        {"uid", exchange.uid},
        {"pid", exchange.pid},
        {"program", exchange.program},
        {"command",
         {{"code", code}, {"name", command_name(code)}, {"hex", to_hex(exchange.command)}}},
        {"response", nullptr},
        {"outcome", outcome_of(exchange)},
        {"duration_us", exchange.answered_us - exchange.submitted_us}};
    if (!exchange.response.empty()) {
      json["response"] = {{"code", code_in(exchange.response)}, {"hex", to_hex(exchange.response)}};
    }
    print_json_line(console_.out, json);
  }

  const Console& console_;
  bool utc_;
  std::uint64_t offset_ = microseconds_to_wall_clock();
};

}  // namespace

std::unique_ptr<CaptureOutput> packet_file(std::ostream& out) {
  return std::make_unique<PacketFile>(out);
}

std::unique_ptr<CaptureOutput> capture_lines(const Console& console, bool utc) {
  return std::make_unique<Lines>(console, utc);
}

}  // namespace tbs::ctl
