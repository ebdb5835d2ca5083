#!/bin/sh
# page.sh SCDOC: what scdoc makes of its input, with a first line that says that there may be tables in it: man
# does not look for them otherwise.
printf "'\\\\\" t\\n"
exec "$@"
