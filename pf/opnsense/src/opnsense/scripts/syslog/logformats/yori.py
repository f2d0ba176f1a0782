"""Lines of YORI's own log for the log page: JSON of pino, in which `time` is in milliseconds."""
import datetime
import json

from . import NewBaseLogFormat

# Of pino, as syslog counts (RFC 5424, section 6.2.1).
SEVERITIES = {10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2}


class YoriLogFormat(NewBaseLogFormat):
    def __init__(self, filename):
        super().__init__(filename)
        self._priority = 1
        self._parts = {}

    @staticmethod
    def match(line):
        return line.startswith('{"level":') and '"time":' in line

    def set_line(self, line):
        super().set_line(line)
        try:
            self._parts = json.loads(line)
        except ValueError:
            self._parts = {}

    @property
    def timestamp(self):
        seconds = self._parts.get("time", 0) / 1000
        return datetime.datetime.fromtimestamp(seconds).isoformat(timespec="milliseconds")

    @property
    def line(self):
        rest = {
            key: value
            for key, value in self._parts.items()
            if key not in ("level", "time", "pid", "hostname", "msg")
        }
        words = [str(self._parts.get("msg", self._line))]
        words += ["%s=%s" % (key, json.dumps(value)) for key, value in rest.items()]
        return " ".join(words)

    @property
    def process_name(self):
        return "yori"

    @property
    def pid(self):
        return str(self._parts.get("pid", ""))

    @property
    def severity(self):
        return SEVERITIES.get(self._parts.get("level"), 6)
