# ── Downloading and verifying the programs ──

hash_of() {
  $HASHER "$1" | cut -d ' ' -f 1
}

# published_digest ASSET URL…: a list of all the release's files, or the asset's own file, which may
# hold nothing but the digest.
published_digest() {
  asset=$1
  shift
  for url in "$@"; do
    if download "$url" "$WORK/sums"; then
      digest=$(awk -v name="$asset" 'NF == 1 || $2 == name || $2 == "*" name { print tolower($1); exit }' "$WORK/sums")
      case $digest in
        *[!0-9a-f]*) ;;
        ????????????????????????????????????????????????????????????????)
          printf '%s' "$digest"
          return
          ;;
      esac
    fi
  done
  return 1
}

# fetch_asset ASSET URL CHECKSUM_URLS INSTALLED: leaves the verified file in $STAGE/ASSET, or nothing there
# when INSTALLED is that very release already. Its record says which archive it came from.
fetch_asset() {
  # shellcheck disable=SC2086 # a list of URLs, none of which has a space in it
  DIGEST=$(published_digest "$1" $3) || fail "There is no checksum of $1: $(why_not)" "Tried: $3"
  record=$4.sha256
  if [ -x "$4" ] && [ -f "$record" ] && [ "$(cat "$record")" = "$DIGEST $(hash_of "$4")" ]; then
    say "$1 is installed already."
    return
  fi
  say "Downloading $2"
  download "$2" "$STAGE/$1" || fail "$1 cannot be downloaded: $(why_not)" "From: $2"
  found=$(hash_of "$STAGE/$1")
  if [ "$found" != "$DIGEST" ]; then
    rm -f "$STAGE/$1"
    fail "$1 is not the published file: its SHA-256 is $found, published is $DIGEST." \
      "Nothing of it was run. Try again; if it stays, the mirror or a proxy changes downloads."
  fi
}

get_supervisor() {
  fetch_asset "$SUPERVISOR_ASSET" "$SUPERVISOR_URL" "$SUPERVISOR_CHECKSUM_URLS" "$ROOT$SUPERVISOR_FILE"
  NEW_SUPERVISOR=
  if [ -f "$STAGE/$SUPERVISOR_ASSET" ]; then
    NEW_SUPERVISOR=$STAGE/$SUPERVISOR_ASSET
    SUPERVISOR_RECORD="$DIGEST $DIGEST"
    chmod "$PROGRAM_MODE" "$NEW_SUPERVISOR"
  fi
  "${NEW_SUPERVISOR:-$ROOT$SUPERVISOR_FILE}" -h >/dev/null 2>&1 ||
    fail "The supervisor does not run on this host." "Does the file system of $PROGRAM_DIR allow programs (noexec)?"
}

get_collector() {
  NEW_COLLECTOR=
  if [ -n "$COLLECTOR" ]; then return; fi
  fetch_asset "$COLLECTOR_ASSET" "$COLLECTOR_URL" "$COLLECTOR_CHECKSUM_URLS" "$ROOT$COLLECTOR_FILE"
  if [ -f "$STAGE/$COLLECTOR_ASSET" ]; then
    tar -xzf "$STAGE/$COLLECTOR_ASSET" -C "$STAGE" otelcol-contrib || fail "$COLLECTOR_ASSET cannot be unpacked."
    rm -f "$STAGE/$COLLECTOR_ASSET"
    NEW_COLLECTOR=$STAGE/otelcol-contrib
    chmod "$PROGRAM_MODE" "$NEW_COLLECTOR"
    COLLECTOR_RECORD="$DIGEST $(hash_of "$NEW_COLLECTOR")"
  fi
  check_collector "${NEW_COLLECTOR:-$ROOT$COLLECTOR_FILE}"
}

# Before anything is downloaded.
check_own_collector() {
  if [ -z "$COLLECTOR" ]; then return; fi
  if [ ! -f "$COLLECTOR" ] || [ ! -x "$COLLECTOR" ]; then fail "$COLLECTOR is no program." "See --collector."; fi
  check_collector "$COLLECTOR"
}

check_collector() {
  "$1" components >"$WORK/components" 2>"$WORK/error" || fail "$1 does not run on this host: $(why_not)"
  awk '/^[a-z]/ { section = $1 } section == "extensions:" && ($NF == "opamp") { found = 1 } END { exit !found }' \
    "$WORK/components" ||
    fail "$1 lacks the opamp extension, which the supervisor needs." "otelcol-contrib has it."
}

install_program() {
  put_file "$2.sha256" 0644 <<EOF
$3
EOF
  target=$ROOT$2
  if [ -f "$target" ]; then
    BACKUPS=$((BACKUPS + 1))
    cp -p "$target" "$WORK/backup.$BACKUPS"
    note "restore $BACKUPS $target"
  else
    note "remove $target"
  fi
  if [ "$MODE" = systemd ]; then chown root:root "$1"; fi
  mv -f "$1" "$target"
  if command -v restorecon >/dev/null 2>&1; then restorecon "$target" 2>/dev/null || :; fi
}
