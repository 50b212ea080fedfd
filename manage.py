#!/usr/bin/env python
"""Django's command line for a checkout; installed it is called `telflo`."""

from telflo.cli import main

if __name__ == "__main__":
    main()
