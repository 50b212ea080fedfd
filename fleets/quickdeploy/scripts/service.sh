# ── The systemd service ──

make_user() {
  if id "$SERVICE" >/dev/null 2>&1; then return; fi
  shell=/usr/sbin/nologin
  if [ ! -x "$shell" ]; then shell=/sbin/nologin; fi
  note "user $SERVICE"
  if command -v useradd >/dev/null 2>&1; then
    useradd --system --user-group --no-create-home --home-dir "$STATE_DIR" --shell "$shell" "$SERVICE"
  else
    addgroup -S "$SERVICE"
    adduser -S -D -H -h "$STATE_DIR" -s "$shell" -G "$SERVICE" "$SERVICE"
  fi
}

remove_user() {
  if ! id "$SERVICE" >/dev/null 2>&1; then return; fi
  if command -v userdel >/dev/null 2>&1; then
    userdel "$SERVICE" >/dev/null 2>&1 || warn "the user $SERVICE could not be removed."
    if command -v groupdel >/dev/null 2>&1; then groupdel "$SERVICE" >/dev/null 2>&1 || :; fi
  else
    deluser "$SERVICE" >/dev/null 2>&1 || warn "the user $SERVICE could not be removed."
  fi
}

start_service() {
  : >"$WORK/started"
  STARTED=1
  systemctl daemon-reload
  if ! systemctl is-enabled --quiet "$SERVICE" 2>/dev/null; then note "disable $SERVICE"; fi
  systemctl enable "$SERVICE" >/dev/null 2>&1 || fail "systemd does not enable $SERVICE."
  systemctl restart "$SERVICE" || start_failed
  say "Started $SERVICE; waiting until the supervisor has met its collector (up to 60 s)."
  wait_for_start
}

# The supervisor writes the collector's own names into effective.yaml once their first meeting is over.
# Whoever stays alive for 60 s has passed it as well: it gives up after 45.
wait_for_start() {
  waited=0
  first=$(main_process)
  while [ "$waited" -lt "$START_WAIT_S" ]; do
    sleep 1
    waited=$((waited + 1))
    if ! is_service_active || [ "$(main_process)" != "$first" ]; then start_failed; fi
    if [ -n "$(find "$ROOT$STATE_DIR/effective.yaml" -newer "$WORK/started" 2>/dev/null)" ] &&
      grep -q 'service\.name' "$ROOT$STATE_DIR/effective.yaml"; then
      return
    fi
  done
  warn "the supervisor runs, but within $START_WAIT_S s it was not seen to start its collector."
}

main_process() {
  systemctl show --property=MainPID "$SERVICE" 2>/dev/null
}

start_failed() {
  if command -v journalctl >/dev/null 2>&1; then
    journalctl -u "$SERVICE" -n 15 --no-pager 2>/dev/null | cut -c 1-400 >&2 || :
  fi
  if [ -r "$ROOT$STATE_DIR/agent.log" ]; then
    say "The end of the collector's log ($STATE_DIR/agent.log):" >&2
    tail -n 5 "$ROOT$STATE_DIR/agent.log" | cut -c 1-400 >&2
  fi
  fail "The supervisor does not keep running; what it and its collector say stands above." \
    "See more: journalctl -u $SERVICE. Often port 8888 is taken by another collector."
}
