"""``python -m tests.e2e.verdicts [VERSION …]``: every configuration, asked of real collectors; prints what differs.

`make e2e` asks each collector about some of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.e2e.verdicts.comparing import WANTED, Outcome, compared
from tests.e2e.verdicts.corpus import VERSIONS, cases_for


def main(versions: Sequence[str]) -> int:
    """Compare all; the exit code is 1 when a bound does not hold."""
    is_good = True
    for version in versions or VERSIONS:
        found = compared(version, cases_for(version, all_of_them=True))
        sys.stdout.write(found.told() + "\n")
        is_good = is_good and found.share >= WANTED and not found.of(Outcome.FALSE_ALARM)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
