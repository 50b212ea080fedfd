"""Quick deploy: the install script of a fleet, the supervisor's configuration, and the codes that let hosts in.

Everything but services.py and manual.py's caller is pure: values in, text out. docs/interfaces.md names the
URLs; scripts/ holds the parts of the shell script.
"""
