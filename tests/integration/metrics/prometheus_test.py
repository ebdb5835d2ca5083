#!/usr/bin/env python3
"""What Prometheus says of the metrics and alerts: promtool checks them, and a Prometheus of the test's own
scrapes a tbsd. Debian 12's reads TCP alone, so a relay on loopback stands between. TBSD names the daemon,
DOCS the folder of the documents."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import unittest
import urllib.parse
import urllib.request

import support

DOCS = os.environ["DOCS"]
PROMTOOL = shutil.which("promtool")
PROMETHEUS = shutil.which("prometheus")
SKIPPED = 77
HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(DOCS, "examples/tbs.rules.yml")
DASHBOARD = os.path.join(DOCS, "examples/tbs-dashboard.json")


def promtool(*arguments, text=""):
    said = subprocess.run([PROMTOOL, *arguments], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=support.DEADLINE,
                          check=False)
    return said.returncode, said.stdout


class LoopbackRelay:
    """Passes one connection after the other on to a Unix socket."""

    def __init__(self, test, path):
        self.path = path
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        test.addCleanup(self._stop)

    def _stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(support.DEADLINE)
                try:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        piece = client.recv(4096)
                        if not piece:
                            break
                        request += piece
                    client.sendall(support.ask(self.path, request))
                except OSError:
                    pass


class Promtool(unittest.TestCase):
    def test_the_page_is_as_it_should_be(self):
        daemon = support.Daemon(self, arguments=["--metrics-users", "yes"])
        client = daemon.client()
        self.assertEqual(promtool("check", "metrics", text=daemon.page()), (0, ""))
        client.close()
        # It would have found something.
        self.assertNotEqual(promtool("check", "metrics", text="# TYPE a counter\na 1\n")[1], "")

    def test_the_alerts(self):
        code, said = promtool("check", "rules", RULES)
        self.assertEqual(code, 0, said)
        code, said = promtool("test", "rules", os.path.join(HERE, "tbs.rules.test.yml"))
        self.assertEqual(code, 0, said)

    def test_alerts_and_dashboard_name_metrics_that_there_are(self):
        daemon = support.Daemon(self)
        known = {re.sub(r"\{.*", "", sample) for sample in daemon.samples()} | {"tbs_user_contexts"}
        with open(RULES, encoding="utf-8") as file:
            named = set(re.findall(r"\btbs_[a-z_]+", file.read()))
        with open(DASHBOARD, encoding="utf-8") as file:
            dashboard = json.load(file)
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(expressions), 10)
        for expression in expressions:
            named |= set(re.findall(r"\btbs_[a-z_]+", expression))
        self.assertLessEqual(named, known)
        self.assertGreater(len(named), 20)
        identifiers = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(identifiers), len(set(identifiers)))
        # As rules, the dashboard's expressions are checked by promtool.
        rules = "groups:\n- name: dashboard\n  rules:\n"
        for number, expression in enumerate(expressions):
            expression = expression.replace("$__rate_interval", "5m").replace("$instance", ".*")
            rules += f"  - record: panel:{number}\n    expr: {json.dumps(expression)}\n"
        path = os.path.join(daemon.folder, "dashboard.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(rules)
        code, said = promtool("check", "rules", path)
        self.assertEqual(code, 0, said)


@unittest.skipIf(PROMETHEUS is None, "there is no prometheus here")
class Prometheus(unittest.TestCase):
    def test_it_scrapes_tbsd(self):
        daemon = support.Daemon(self)
        relay = LoopbackRelay(self, daemon.metrics_socket)
        configuration = os.path.join(daemon.folder, "prometheus.yml")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write("global:\n  scrape_interval: 1s\n"
                       f"rule_files: [{json.dumps(RULES)}]\n"
                       "scrape_configs:\n- job_name: tbs\n  static_configs:\n"
                       f"  - targets: ['127.0.0.1:{relay.port}']\n")
        address = self.start(daemon.folder, configuration)
        self.assertTrue(support.eventually(lambda: self.value(address, "tbs_device_up") == 1))
        self.assertEqual(self.value(address, "up"), 1)
        self.assertEqual(self.value(address, 'tbs_quota{limit="max-contexts"}'), 1024)
        before = self.value(address, "sum(tbs_command_tpm_seconds_count)")
        client = daemon.client()
        for _ in range(3):
            client.begin(support.wire.get_random(8))
            client.result()
        client.close()
        self.assertTrue(support.eventually(
            lambda: self.value(address, "sum(tbs_command_tpm_seconds_count)") == before + 3))
        groups = self.ask(address, "/api/v1/rules")["data"]["groups"]
        alerts = [rule for group in groups for rule in group["rules"]]
        with open(RULES, encoding="utf-8") as file:
            self.assertEqual([rule["name"] for rule in alerts], re.findall(r"- alert: (\w+)", file.read()))
        # Not all have been looked at yet.
        self.assertLessEqual({rule["health"] for rule in alerts}, {"ok", "unknown"})

    def start(self, folder, configuration):
        # A port of loopback that was free a moment ago; when it is not any more, another one.
        for _ in range(20):
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            log = open(os.path.join(folder, "prometheus.log"), "w+b")
            self.addCleanup(log.close)
            process = subprocess.Popen(
                [PROMETHEUS, f"--config.file={configuration}", f"--storage.tsdb.path={folder}/tsdb-{port}",
                 f"--web.listen-address=127.0.0.1:{port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.addCleanup(self.end, process)
            address = f"http://127.0.0.1:{port}"
            if support.eventually(lambda: process.poll() is not None or self.ready(address)) and \
                    process.poll() is None:
                return address
            log.seek(0)
            said = log.read().decode()
            self.assertIn("address already in use", said)
        return self.fail("no port of loopback stays free")

    @staticmethod
    def end(process):
        process.terminate()
        process.wait()

    @staticmethod
    def ready(address):
        try:
            with urllib.request.urlopen(address + "/-/ready", timeout=support.DEADLINE) as answer:
                return answer.status == 200
        except OSError:
            return False

    @staticmethod
    def ask(address, path):
        with urllib.request.urlopen(address + path, timeout=support.DEADLINE) as answer:
            return json.load(answer)

    def value(self, address, expression):
        query = urllib.parse.urlencode({"query": expression})
        result = self.ask(address, "/api/v1/query?" + query)["data"]["result"]
        return float(result[0]["value"][1]) if result else None


if __name__ == "__main__":
    if PROMTOOL is None:
        print("there is no promtool here")
        sys.exit(SKIPPED)
    unittest.main()
