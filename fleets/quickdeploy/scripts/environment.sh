# ── The token and the environment files (NAME="value" lines, as systemd and this script read them) ──

env_text() {
  printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"$`]/\\&/g')"
}

# Only when the server says that the token of this host is no good (409), another one is claimed.
is_token_good() {
  sed -n 's/^TELFLO_TOKEN=\([A-Za-z0-9_-]*\)$/token=\1/p' "$ROOT$CONF_DIR/token.env" >"$WORK/held"
  ask "$CODE_URL/held" "@$WORK/held" || :
  rm -f "$WORK/held"
  if [ "$STATUS" != 409 ]; then return 0; fi
  say "The token that is here is no good: $(first_line) Another one is claimed."
  return 1
}

# The counted use of the code. Without this step the script holds no secret.
claim_token() {
  SECRETS=
  if [ -s "$ROOT$CONF_DIR/token.env" ] && is_token_good; then
    say "The token that is here stays in use; the code is not used."
    return
  fi
  host=$(uname -n | tr -cd 'A-Za-z0-9._-' | cut -c 1-80)
  ask "$CODE_URL/claim" "host=$host" || fail "The server did not answer the claim: $(why_not)" \
    "If it had got it, the code has one use less, and the page lists a host token that was never used: revoke that."
  if [ "$STATUS" != 200 ]; then
    fail "The server refuses the claim: $(first_line)" "Make a new command on the quick-deploy page."
  fi
  token=$(sed -n 's/^token=\([A-Za-z0-9_-][A-Za-z0-9_-]*\)$/\1/p' "$WORK/answer")
  [ -n "$token" ] || fail "What answered the claim is no Telflo server." "Look at the proxy between."
  SECRETS=$(sed -n 's/^environment //p' "$WORK/answer")
  put_file "$CONF_DIR/token.env" "$FILE_MODE" <<EOF
TELFLO_TOKEN=$token
EOF
  token=
  rm -f "$WORK/answer"
}

# What the fleet's configuration needs. A value that is there is never written over.
write_collector_env() {
  old=$ROOT$CONF_DIR/collector.env
  {
    if [ -f "$old" ]; then
      cat "$old"
    else
      # shellcheck disable=SC2016 # a name for people, not to be expanded
      printf '# Environment of the collector, for ${env:NAME} in its configuration. Restart it after a change.\n'
    fi
    printf '%s\n' "$SECRETS" | while IFS= read -r line; do
      if [ -n "$line" ] && ! has_value "$old" "${line%%=*}"; then
        printf '%s=%s\n' "${line%%=*}" "$(env_text "${line#*=}")"
      fi
    done
    for name in $NEEDED_VARIABLES; do
      if ! is_named "$old" "$name" && ! is_secret "$name"; then printf '%s=\n' "$name"; fi
    done
    for name in $OPTIONAL_VARIABLES; do
      if ! is_named "$old" "$name" && ! is_secret "$name"; then printf '#%s=\n' "$name"; fi
    done
  } >"$WORK/collector.env"
  put_file "$CONF_DIR/collector.env" "$FILE_MODE" <"$WORK/collector.env"
}

has_value() {
  grep -q "^$2=..*" "$1" 2>/dev/null
}

is_named() {
  grep -q "^#\{0,1\}$2=" "$1" 2>/dev/null
}

is_secret() {
  printf '%s\n' "$SECRETS" | grep -q "^$1="
}

tell_missing_values() {
  for name in $NEEDED_VARIABLES; do
    if ! has_value "$ROOT$CONF_DIR/collector.env" "$name"; then
      warn "the fleet's configuration uses $name: write its value into $CONF_DIR/collector.env and restart."
    fi
  done
}

print_supervisor_env() {
  printf '# Written by the install script.\n'
  if [ -n "$PROXY" ]; then
    printf 'HTTPS_PROXY=%s\nHTTP_PROXY=%s\n' "$(env_text "$PROXY")" "$(env_text "$PROXY")"
    printf 'NO_PROXY="localhost,127.0.0.1,::1"\n'
  fi
}

# load_env FILE: exports its lines without running anything that stands in them.
load_env() {
  while IFS= read -r line || [ -n "$line" ]; do
    name=${line%%=*}
    value=${line#*=}
    case $line in
      [A-Za-z_]*=*) ;;
      *) continue ;;
    esac
    case $name in
      *[!A-Za-z0-9_]*) continue ;;
    esac
    case $value in
      '"'*'"') value=$(printf '%s' "${value#?}" | sed 's/"$//; s/\\\([\\"$`]\)/\1/g') ;;
      "'"*"'") value=$(printf '%s' "${value#?}" | sed "s/'\$//") ;;
    esac
    export "$name=$value"
  done <"$1"
}
