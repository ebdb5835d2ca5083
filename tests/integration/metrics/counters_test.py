#!/usr/bin/env python3
"""The metrics are the truth: beside 10,000 random commands of several clients, what went to the TPM is
counted by a relay in front of it, and what was answered by the clients. TBSD names the daemon."""

import collections
import random
import shutil
import struct
import sys
import unittest

import support
import wire

COMMANDS = 10000
CONTEXTS = 6
CANCEL, CANCEL_REPLY = 0x0003, 0x8003
CONTEXT_LOAD, CONTEXT_SAVE, FLUSH_CONTEXT = 0x161, 0x162, 0x165
GET_RANDOM, PCR_READ, HASH, START_SESSION = 0x17B, 0x17E, 0x17D, 0x176
HASH_START, UPDATE, COMPLETE, CREATE_PRIMARY = 0x186, 0x15C, 0x13E, 0x131
RC_CANCELED = 0x909
RESOURCE_MANAGER = 0xB0000
SKIPPED = 77

# tbsd itself sends none of these.
KINDS = {GET_RANDOM: "random", HASH: "random", HASH_START: "random", UPDATE: "random",
         COMPLETE: "random", PCR_READ: "pcr", START_SESSION: "session", CREATE_PRIMARY: "create"}


def command(code, body=b"", tag=0x8001):
    return struct.pack(">HII", tag, 10 + len(body), code) + body


def with_password(code, handles, body):
    session = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
    return command(code, handles + struct.pack(">I", len(session)) + session + body, 0x8002)


def get_random():
    return command(GET_RANDOM, struct.pack(">H", 8))


def pcr_read():
    return command(PCR_READ, struct.pack(">IHB3s", 1, 0x000B, 3, b"\x00\x00\x01"))


def hash_of(data):
    return command(HASH, struct.pack(">H", len(data)) + data + struct.pack(">HI", 0x000B, 0x40000007))


def hash_start():
    return command(HASH_START, struct.pack(">HH", 0, 0x000B))


def update(handle, data):
    return with_password(UPDATE, struct.pack(">I", handle), struct.pack(">H", len(data)) + data)


def complete(handle):
    return with_password(COMPLETE, struct.pack(">I", handle), struct.pack(">HI", 0, 0x40000007))


def start_session():
    return command(START_SESSION, struct.pack(">IIH16sHBHH", 0x40000007, 0x40000007, 16, b"n" * 16, 0, 0,
                                              0x0010, 0x000B))


def flush(handle):
    return command(FLUSH_CONTEXT, struct.pack(">I", handle))


def is_session(handle):
    return handle >> 24 in (2, 3)


class Truth:
    """What went through the relay."""

    def __init__(self):
        self.sent = 0
        self.kinds = collections.Counter()
        self.moved = collections.Counter()

    def saw(self, request, response):
        code = struct.unpack(">I", request[6:10])[0]
        result = struct.unpack(">I", response[6:10])[0]
        self.sent += 1
        # A warning is put right, and the command comes again.
        if code in KINDS and (result & 0xF00 != 0x900 or result == RC_CANCELED):
            self.kinds[KINDS[code]] += 1
        if result != 0:
            return
        if code == CONTEXT_LOAD:
            handle, = struct.unpack(">I", response[10:14])
            self.moved["load", "session" if is_session(handle) else "object"] += 1
        elif code in (CONTEXT_SAVE, FLUSH_CONTEXT):
            handle, = struct.unpack(">I", request[10:14])
            name = "save" if code == CONTEXT_SAVE else "flush"
            self.moved[name, "session" if is_session(handle) else "object"] += 1


class Client:
    """Does something at random, and knows what it was answered."""

    def __init__(self, connection, seen, choice):
        self.connection = connection
        self.seen = seen
        self.random = choice
        self.sequences = []
        self.sessions = []

    def step(self):
        """How many commands it has sent."""
        return self.random.choice((self.plain, self.plain, self.plain, self.sequence, self.sequence,
                                   self.session, self.wrong, self.cancelled))()

    def call(self, request):
        self.connection.begin(request)
        _, status, response = self.connection.result()
        return self.note(status, response)

    def note(self, status, response):
        """The response without its header when the TPM has said success."""
        self.seen[{0: "answered", wire.COMMAND_CANCELED: "cancelled"}.get(status, "other")] += 1
        if status != 0:
            return None
        code, = struct.unpack(">I", response[6:10])
        if code & 0xFF0000 == RESOURCE_MANAGER:
            self.seen["refused"] += 1
        return response[10:] if code == 0 else None

    def plain(self):
        data = self.random.randbytes(self.random.randrange(64))
        self.call(self.random.choice((get_random(), pcr_read(), hash_of(data))))
        return 1

    def sequence(self):
        if len(self.sequences) < 3:
            parameters = self.call(hash_start())
            if parameters:
                self.sequences.append(struct.unpack(">I", parameters[:4])[0])
            return 1
        handle = self.random.choice(self.sequences)
        if self.random.random() < 0.8:
            self.call(update(handle, self.random.randbytes(40)))
        else:
            self.call(complete(handle))
            self.sequences.remove(handle)
        return 1

    def session(self):
        if len(self.sessions) < 4 and self.random.random() < 0.8:
            parameters = self.call(start_session())
            if parameters:
                self.sessions.append(struct.unpack(">I", parameters[:4])[0])
        elif self.sessions:
            self.call(flush(self.sessions.pop()))
        else:
            return 0
        return 1

    def wrong(self):
        """Each is refused without the TPM."""
        which = self.random.randrange(3)
        if which == 0:  # another locality
            self.connection._send(wire.SUBMIT, struct.pack("<II", 9, 200) + get_random())
            self.seen["locality"] += 1
        elif which == 1:  # not as long as it says
            self.connection.begin(get_random() + b"x")
            self.seen["malformed"] += 1
        else:
            self.call(update(0x80FFFFF0, b""))
            return 1
        _, status, _ = self.connection.result()
        assert status != 0
        return 1

    def cancelled(self):
        """Of several at once some have ended by then; each is answered all the same."""
        count = self.random.randrange(1, 6)
        for _ in range(count):
            self.connection.begin(self.random.choice((get_random(), pcr_read())))
        self.connection._send(CANCEL, b"")
        left = count + 1
        while left > 0:
            kind, _, payload = self.connection._receive()
            if kind != CANCEL_REPLY:
                assert kind == wire.RESULT, hex(kind)
                self.note(struct.unpack_from("<I", payload)[0], payload[4:])
            left -= 1
        return count


class Counters(unittest.TestCase):
    def test_they_equal_the_truth(self):
        seed = random.randrange(1 << 32)
        print("seed", seed)
        choice = random.Random(seed)
        folder = support.folder_of(self)
        truth = Truth()
        relay = support.Relay(self, folder, support.Swtpm(self, folder), truth.saw)
        daemon = support.Daemon(self, "swtpm:path=" + relay.path, folder=folder)
        seen = collections.Counter()
        clients = [Client(daemon.client(), seen, choice) for _ in range(CONTEXTS)]
        made = Client(clients[0].connection, seen, choice)
        self.assertIsNotNone(made.call(wire.create_rsa_key(seed & 0xFFFF)))
        sent = 0
        while sent < COMMANDS:
            sent += choice.choice(clients).step()
        # The daemon's own work goes on for a moment, and the relay sees a response first.
        support.eventually(lambda: not self.differences(daemon.samples(), truth, seen))
        self.assertEqual(self.differences(daemon.samples(), truth, seen), {})
        for kind in set(KINDS.values()):
            self.assertGreater(truth.kinds[kind], 0, kind)
        for name in ("load", "save", "flush"):
            self.assertGreater(truth.moved[name, "object"], 0, name)
        for name in ("answered", "cancelled", "refused", "locality", "malformed"):
            self.assertGreater(seen[name], 0, name)
        for client in clients:
            client.connection.close()

    @staticmethod
    def differences(samples, truth, seen):
        """What a metric says, and what it should say."""
        def family(name, label):
            return support.labelled(samples, name, label)

        pairs = {"sent": (samples["tbs_tpm_commands_total"], truth.sent),
                 "contexts": (samples["tbs_contexts"], CONTEXTS),
                 "queued": (samples["tbs_queued_commands"], 0)}
        for kind in set(KINDS.values()):
            pairs[kind] = (samples[f'tbs_command_tpm_seconds_count{{kind="{kind}"}}'],
                           truth.kinds[kind])
        for name, metric in (("load", "tbs_loads_total"), ("save", "tbs_saves_total")):
            for what, count in family(metric, "what").items():
                pairs[name, what] = (count, truth.moved[name, what])
        # No client flushes an object, so tbsd alone does.
        evicted = family("tbs_evictions_total", "what")
        pairs["evicted object"] = (evicted["object"], truth.moved["flush", "object"])
        pairs["evicted session"] = (evicted["session"], truth.moved["save", "session"])
        results = family("tbs_commands_total", "result")
        for name in ("answered", "cancelled", "failed", "rejected"):
            pairs[name] = (results[name], seen[name])
        cancels = family("tbs_cancels_total", "outcome")
        pairs["cancels"] = (cancels["queued"] + cancels["stopped"] + cancels["detached"],
                            seen["cancelled"])
        waited = sum(count for name, count in samples.items()
                     if name.startswith("tbs_command_wait_seconds_count"))
        pairs["waited"] = (waited, seen["answered"] + seen["cancelled"] - cancels["queued"])
        refused = family("tbs_refused_total", "reason")
        for reason, name in (("resource-manager", "refused"), ("locality", "locality"),
                             ("malformed", "malformed")):
            pairs[reason] = (refused[reason], seen[name])
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


if __name__ == "__main__":
    if shutil.which("swtpm") is None:
        print("there is no swtpm here")
        sys.exit(SKIPPED)
    unittest.main()
