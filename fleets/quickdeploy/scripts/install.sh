# ── Install, upgrade, repair ──

install_collector() {
  settle_facts
  set_network
  check_host
  check_configs
  check_own_collector
  check_server
  if [ "$ACTION" = dry-run ]; then
    print_plan
    return
  fi
  say "Fleet $FLEET: supervisor $SUPERVISOR_VERSION, collector ${COLLECTOR:-contrib $COLLECTOR_VERSION}."
  make_dir "$ROOT$PROGRAM_DIR" "$([ "$MODE" = systemd ] && echo 0755 || echo 0700)"
  STAGE=$(mktemp -d "$ROOT$PROGRAM_DIR/.new.XXXXXX")
  get_supervisor
  get_collector
  write_everything
  tell_missing_values
  if [ "$MODE" = systemd ]; then
    start_service
    tell_service
  else
    run_in_foreground
  fi
}

check_configs() {
  printf '%s' "$CONFIGS" >"$WORK/given"
  while IFS= read -r file; do
    if [ ! -f "$file" ] || [ ! -r "$file" ]; then
      fail "The local file $file cannot be read." "Give --config anew."
    fi
  done <"$WORK/given"
}

write_everything() {
  if [ "$MODE" = systemd ]; then
    if is_service_active; then WAS_ACTIVE=1; fi
    make_user
  fi
  make_dir "$ROOT$CONF_DIR" "$DIR_MODE"
  own "$ROOT$CONF_DIR"
  claim_token
  make_dir "$ROOT$PROGRAM_DIR/bin" "$([ "$MODE" = systemd ] && echo 0755 || echo 0700)"
  if [ -n "$NEW_SUPERVISOR" ]; then install_program "$NEW_SUPERVISOR" "$SUPERVISOR_FILE" "$SUPERVISOR_RECORD"; fi
  if [ -n "$NEW_COLLECTOR" ]; then install_program "$NEW_COLLECTOR" "$COLLECTOR_FILE" "$COLLECTOR_RECORD"; fi
  write_configuration
}

write_configuration() {
  put_file "$CONF_DIR/host.conf" "$FILE_MODE" <"$WORK/facts"
  if [ -n "$PRIVATE_CA" ]; then put_file "$CONF_DIR/ca.pem" "$FILE_MODE" <"$PRIVATE_CA"; fi
  copy_configs
  print_supervisor_env >"$WORK/supervisor.env"
  put_file "$CONF_DIR/supervisor.env" "$FILE_MODE" <"$WORK/supervisor.env"
  write_collector_env
  render_supervisor_yaml >"$WORK/supervisor.yaml"
  put_file "$CONF_DIR/supervisor.yaml" "$FILE_MODE" <"$WORK/supervisor.yaml"
  if [ "$MODE" = systemd ]; then
    make_dir "$(dirname "$ROOT$UNIT_FILE")" 0755
    unit_file >"$WORK/unit"
    put_file "$UNIT_FILE" 0644 <"$WORK/unit"
  fi
}

# The copies of an earlier run give way to those of this one.
copy_configs() {
  if [ -z "$CONFIGS" ] && [ ! -d "$ROOT$CONF_DIR/config.d" ]; then return; fi
  make_dir "$ROOT$CONF_DIR/config.d" "$DIR_MODE"
  own "$ROOT$CONF_DIR/config.d"
  for file in "$ROOT$CONF_DIR/config.d"/*; do
    if [ -f "$file" ]; then
      BACKUPS=$((BACKUPS + 1))
      note "restore $BACKUPS $file"
      mv "$file" "$WORK/backup.$BACKUPS"
    fi
  done
  while IFS= read -r file; do
    number=$((${number:-0} + 1))
    put_file "$CONF_DIR/config.d/$(printf '%02d' "$number")-${file##*/}" "$FILE_MODE" <"$file"
  done <"$WORK/given"
}

tell_service() {
  say "The supervisor runs. Its collector appears in fleet $FLEET at $BASE_URL within seconds."
  say "If it does not: journalctl -u $SERVICE -n 20, and the collector's log $STATE_DIR/agent.log."
  say "To let the collector read logs, see the first lines of $UNIT_FILE."
}

# The supervisor takes this process's place, so signals reach it and nothing of the script stays.
run_in_foreground() {
  make_dir "$STATE_DIR" 0700
  for file in token supervisor collector; do load_env "$CONF_DIR/$file.env"; done
  unset OTEL_EXPERIMENTAL_CONFIG_FILE
  # As systemd does: configurations may ask for a folder that the collector may write to.
  export STATE_DIRECTORY="$STATE_DIR"
  printf '%s\n' "$$" >"$CONF_DIR/supervisor.pid"
  trap - EXIT HUP INT TERM
  clean_up
  say "The supervisor runs in the foreground, Ctrl+C stops it. The collector's log: $STATE_DIR/agent.log"
  exec "$SUPERVISOR_FILE" --config "$CONF_DIR/supervisor.yaml"
}

print_plan() {
  say "This is what would be done. Nothing is changed, the code is not used."
  say "Download and verify $SUPERVISOR_URL"
  if [ -n "$COLLECTOR" ]; then say "Use the collector $COLLECTOR"; else say "Download and verify $COLLECTOR_URL"; fi
  say "Write programs to $PROGRAM_DIR/bin, configuration to $CONF_DIR, state to $STATE_DIR"
  if [ -s "$ROOT$CONF_DIR/token.env" ]; then say "Keep the token that is here"; else say "Claim a host token"; fi
  for name in $NEEDED_VARIABLES; do say "Ask for $name in $CONF_DIR/collector.env"; done
  if [ "$MODE" = systemd ]; then
    say "Install, enable and start $UNIT_FILE as the user $SERVICE"
  else
    say "Run the supervisor in the foreground as $(id -un)"
  fi
  say "supervisor.yaml:"
  render_supervisor_yaml
}
