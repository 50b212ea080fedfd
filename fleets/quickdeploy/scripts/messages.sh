# ── Words for people ──

say() {
  printf 'telflo: %s\n' "$*"
}

warn() {
  printf 'telflo: warning: %s\n' "$*" >&2
}

# fail WHAT [WHAT TO DO]: ends the script; the trap takes back what was new.
fail() {
  printf 'telflo: error: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf 'telflo: %s\n' "$2" >&2; fi
  exit 1
}

usage() {
  cat <<EOF
Installs an OpenTelemetry Collector under the OpAMP Supervisor, managed by Telflo.

  curl -fsSL $CODE_URL | sudo sh
  curl -fsSL $CODE_URL | sh -s -- --no-systemd [--dir PATH]

Run again, it upgrades or repairs with the token that is here.

  --no-systemd       run in the foreground, as this user, everything in one folder
  --dir PATH         that folder (default ./telflo-collector)
  --collector PATH   use this collector; it must contain the opamp extension
  --config PATH      merge this file below the fleet's version (a copy; repeatable)
  --name NAME        the name that Telflo shows
  --label KEY=VALUE  a label that selectors can use (repeatable)
  --ca-file PATH     certificates (PEM) to trust for the server
  --proxy URL        reach the server and the downloads through this proxy
  --dry-run          print what would be done and supervisor.yaml; change nothing
  --uninstall        stop and remove everything that was installed
  --help             this text
EOF
}
