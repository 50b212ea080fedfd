"""manage.py, but for the pauses between a start's tries to reach the database: `python -m tests.serve.impatient`."""

from telflo import databases
from telflo.cli import main

databases._PAUSE_S = 0.0
main()
