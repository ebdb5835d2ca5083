"""What the kernel's node and the TPM behind it are sent, and when."""
from .fault import Fault

FAULTS = [
    Fault("wait armed too late", ("busy-node",), "daemon/device/char_device.cpp",
          [("  arm();\n  note_start(memory_);", "  note_start(memory_);"),
           ("    in_flight_ = true;\n    return;\n  }\n  note_failure",
            "    in_flight_ = true;\n    arm();\n    return;\n  }\n  note_failure")]),
    Fault("looks whether it is done", ("busy-node",), "daemon/device/char_device.cpp",
          [("    note_written(memory_);\n    in_flight_ = true;",
            "    note_written(memory_);\n"
            "    char nothing = 0;\n"
            "    (void)::read(node_.native_handle(), &nothing, 0);\n"
            "    in_flight_ = true;")]),
    Fault("no startup", ("unknown-tpm",), "daemon/exec/startup.cpp",
          [("      return Transmit{.command = tpm::build::startup(tpm::kStartupClear)};",
            "      return Transmit{.command = tpm::build::self_test()};")]),
    Fault("the same one again", ("unknown-tpm",), "daemon/sched/dispatcher.cpp",
          [("  device_ = Device::Open;\n  if (const auto work = runner_.start(agenda_.bring_up(), now)) ended(*work, now);",
            "  device_ = Device::Open;\n"
            "  static bool before = false;\n"
            "  if (std::exchange(before, true)) {\n"
            "    actions_.add(DeviceReady{});\n"
            "  } else if (const auto work = runner_.start(agenda_.bring_up(), now)) ended(*work, now);")]),
    Fault("taken into the loop at once", ("busy-node",), "daemon/device/char_device.cpp",
          [("  adopted_ = std::move(adopted);\n  deferred_.post(",
            "  adopted_ = std::move(adopted);\n  (void)take_into_loop();\n  deferred_.post(")]),
    Fault("answered before the loop has caught up", ("busy-node",), "daemon/device/char_device.cpp",
          [("  deliver_later(*result);\n}",
            "  std::exchange(response_handler_, nullptr)(response_space().first(*result));\n}")]),
    Fault("watched after its end", ("busy-node",), "daemon/server/connection.cpp",
          [("  const int descriptor = socket_.release(ignored);\n  if (!ignored) ::close(descriptor);",
            "  socket_.close(ignored);")]),
]
