# ── Uninstall: nothing stays ──

uninstall_collector() {
  if [ "$MODE" = systemd ]; then
    require_root
    uninstall_service
  else
    uninstall_folder
  fi
  say "Removed. Forget the collector on its page at $BASE_URL, or revoke its host token there."
}

uninstall_service() {
  systemctl stop "$SERVICE" >/dev/null 2>&1 || :
  systemctl disable "$SERVICE" >/dev/null 2>&1 || :
  rm -f "$ROOT$UNIT_FILE"
  rm -rf "$ROOT$UNIT_FILE.d" "$ROOT$PROGRAM_DIR" "$ROOT$CONF_DIR" "$ROOT$STATE_DIR"
  systemctl daemon-reload >/dev/null 2>&1 || :
  systemctl reset-failed "$SERVICE" >/dev/null 2>&1 || :
  remove_user
}

# Only what was installed: the folder may hold files of its owner.
uninstall_folder() {
  stop_foreground
  rm -f "$SUPERVISOR_FILE" "$SUPERVISOR_FILE.sha256" "$COLLECTOR_FILE" "$COLLECTOR_FILE.sha256"
  for file in token.env supervisor.env collector.env host.conf ca.pem supervisor.yaml supervisor.pid; do
    rm -f "$FOLDER/$file"
  done
  rm -rf "$FOLDER/config.d" "$STATE_DIR"
  for folder in "$FOLDER/bin" "$FOLDER"; do
    if [ -d "$folder" ]; then rmdir "$folder" 2>/dev/null || warn "$folder holds other files and stays."; fi
  done
}

stop_foreground() {
  running=$(running_process)
  if [ -z "$running" ]; then return; fi
  children=$(cat "/proc/$running/task/$running/children" 2>/dev/null || :)
  kill -INT "$running" 2>/dev/null || :
  waited=0
  while kill -0 "$running" 2>/dev/null; do
    if [ "$waited" -ge 15 ]; then
      # shellcheck disable=SC2086 # a list of process numbers
      kill -KILL "$running" $children 2>/dev/null || :
      break
    fi
    sleep 1
    waited=$((waited + 1))
  done
}
