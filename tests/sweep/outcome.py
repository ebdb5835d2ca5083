"""What has come of a fault."""

from dataclasses import dataclass

# What a program says that has not ended as it should.
CRASHES = ("terminate called", "Assertion", "Sanitizer", "runtime error", "corrupted", "double free",
           "/usr/include")  # where in a library it was


@dataclass
class Outcome:
    kind: str  # what happened, in a word
    wrong: str = ""  # what should not have happened
    text: str = ""  # what was said


def judge_end(code, text):
    """What is wrong with the end of a program by itself."""
    if code < 0:
        return f"killed by signal {-code}"
    for crash in CRASHES:
        if crash in text:
            return f"it says {crash}"
    if code != 0 and not text.strip():
        return f"it ends with {code} and says nothing"
    return ""
