# ── Changing files so that they can be taken back ──

# Every change is noted first: "restore BACKUP TARGET", "remove TARGET", "rmdir FOLDER".
# Paths hold no line breaks (check_line); the notes are read with the path last.
make_work() {
  UNDO=
  STAGE=
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/telflo.XXXXXX")
  : >"$WORK/undo"
  trap on_exit EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

on_exit() {
  code=$?
  trap - EXIT HUP INT TERM
  set +e
  if [ "$code" -ne 0 ] && [ -n "$UNDO" ]; then roll_back; fi
  clean_up
  exit "$code"
}

clean_up() {
  if [ -n "$STAGE" ]; then rm -rf "$STAGE"; fi
  rm -rf "$WORK"
}

note() {
  UNDO=1
  printf '%s\n' "$1" >>"$WORK/undo"
}

# Latest change first. The token stays: its use is spent, and the next run needs no other.
roll_back() {
  if [ -n "$STAGE" ]; then rm -rf "$STAGE"; fi
  if [ "$MODE" = systemd ] && [ -n "$STARTED" ]; then systemctl stop "$SERVICE" >/dev/null 2>&1; fi
  rm -f "$ROOT$CONF_DIR/token.env.telflo-new"
  sed -n '1!G;h;$p' "$WORK/undo" | while IFS= read -r line; do
    what=${line%% *}
    path=${line#* }
    case $what in
      restore) mv -f "$WORK/backup.${path%% *}" "${path#* }" ;;
      remove) rm -f "$path" "$path.telflo-new" ;;
      rmdir) rmdir "$path" 2>/dev/null ;;
      user) remove_user ;;
      disable) systemctl disable "$SERVICE" >/dev/null 2>&1 ;;
    esac
  done
  if [ "$MODE" = systemd ]; then
    systemctl daemon-reload >/dev/null 2>&1
    if [ -n "$WAS_ACTIVE" ]; then systemctl start "$SERVICE" >/dev/null 2>&1; fi
  fi
  say "What this run had changed is as before." >&2
  if [ -f "$ROOT$CONF_DIR/token.env" ]; then
    say "The token stays in $CONF_DIR/token.env: the next run uses it. --uninstall removes it." >&2
  fi
}

# make_dir PATH MODE [keep]: also its missing parents.
make_dir() {
  if [ -d "$1" ]; then return; fi
  make_dir "$(dirname "$1")" 0755
  mkdir -m "$2" "$1"
  note "rmdir $1"
}

# own PATH: what the service reads belongs to root and its group.
own() {
  if [ "$MODE" = systemd ]; then chown "root:$SERVICE" "$1"; fi
}

# put_file PATH MODE <content: whole or not at all, with its mode from the start.
put_file() {
  target=$ROOT$1
  if [ -f "$target" ]; then
    BACKUPS=$((BACKUPS + 1))
    cp -p "$target" "$WORK/backup.$BACKUPS"
    note "restore $BACKUPS $target"
  elif [ "$1" != "$CONF_DIR/token.env" ]; then
    note "remove $target"
  fi
  cat >"$target.telflo-new"
  chmod "$2" "$target.telflo-new"
  own "$target.telflo-new"
  mv -f "$target.telflo-new" "$target"
}
