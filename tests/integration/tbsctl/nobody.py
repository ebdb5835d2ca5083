"""tbsctl as a user without rights. Such a user may have no way into the build folder, so the program
and its library are copied to where everybody may go."""

import os
import shutil

NOBODY = 65534


def options(folder):
    """What tbsctl_test.run() takes to run as nobody, with copies in `folder`."""
    tbsctl = os.environ["TBSCTL"]
    program = os.path.join(folder, "tbsctl")
    if not os.path.exists(program):
        library = os.path.join(os.path.dirname(os.path.dirname(tbsctl)), "libtbs.so.1")
        for source in (tbsctl, library):
            os.chmod(shutil.copy(source, folder), 0o755)
    return {"program": program,
            "prefix": ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                       "env", "LD_LIBRARY_PATH=" + folder)}
