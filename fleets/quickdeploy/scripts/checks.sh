# ── What this host must have ──

check_host() {
  [ "$(uname -s)" = Linux ] || fail "This command is for Linux; this host runs $(uname -s)."
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) here=linux_amd64 ;;
    aarch64 | arm64) here=linux_arm64 ;;
    *) here=$machine ;;
  esac
  if [ "$here" != "$PLATFORM" ]; then
    fail "This command is for $PLATFORM; this host is $machine." "Choose its platform on the quick-deploy page."
  fi
  find_hasher
  for tool in awk sed tar mktemp; do
    command -v "$tool" >/dev/null 2>&1 || fail "$tool is missing." "Install it and run the command again."
  done
  if [ "$MODE" = systemd ]; then check_systemd; else check_not_running; fi
  check_metrics_port
}

find_hasher() {
  if command -v sha256sum >/dev/null 2>&1; then
    HASHER=sha256sum
  elif command -v shasum >/dev/null 2>&1; then
    HASHER='shasum -a 256'
  else
    fail "Neither sha256sum nor shasum is here: downloads cannot be verified." "Install coreutils."
  fi
}

check_systemd() {
  if ! command -v systemctl >/dev/null 2>&1 || [ ! -d "$ROOT/run/systemd/system" ]; then
    fail "systemd does not run here." "Use --no-systemd, or run it in a container of its own."
  fi
  if [ "$ACTION" != dry-run ]; then require_root; fi
}

require_root() {
  if [ "$(id -u)" != 0 ]; then
    fail "This needs root." "Run: curl -fsSL $CODE_URL | sudo sh. Without root: --no-systemd."
  fi
}

check_not_running() {
  running=$(running_process)
  if [ -n "$running" ] && [ "$ACTION" != dry-run ]; then
    fail "The supervisor of $FOLDER runs already (process $running)." "Stop it first: kill -INT $running"
  fi
}

# The process that an earlier foreground run became, if it still is that.
running_process() {
  if [ -r "$FOLDER/supervisor.pid" ]; then
    pid=$(cat "$FOLDER/supervisor.pid")
    if [ -r "/proc/$pid/cmdline" ] && tr '\000' ' ' <"/proc/$pid/cmdline" | grep -qF "$CONF_DIR/supervisor.yaml"; then
      printf '%s' "$pid"
    fi
  fi
}

# The collector's first, short run opens port 8888 for its own metrics (upstream issue 50608).
check_metrics_port() {
  if is_service_active; then return; fi
  if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$2 ~ /:22B8$/ && $4 == "0A" { found = 1 } END { exit !found }'; then
    warn "port 8888 is taken, perhaps by another collector. The supervisor may not start until it is free."
  fi
}

is_service_active() {
  [ "$MODE" = systemd ] && systemctl is-active --quiet "$SERVICE" 2>/dev/null
}
