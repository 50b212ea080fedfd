# ── Talking to the server and to the downloads ──

set_network() {
  GNU=
  if command -v curl >/dev/null 2>&1; then
    FETCHER=curl
  elif command -v wget >/dev/null 2>&1; then
    FETCHER=wget
    # busybox's wget is smaller: no retries, no words with an error, no certificates of one's own.
    if wget --version 2>&1 | grep -q GNU; then GNU=1; fi
  else
    fail "Neither curl nor wget is here." "Install one of them."
  fi
  if [ -n "$PROXY" ]; then
    http_proxy=$PROXY https_proxy=$PROXY no_proxy=localhost,127.0.0.1,::1
    export http_proxy https_proxy no_proxy
  fi
  collect_certificates
}

# One bundle for every request: the system's certificates and the private ones.
collect_certificates() {
  PRIVATE_CA=$WORK/private-ca.pem
  kept=$ROOT$CONF_DIR/ca.pem
  if [ -n "$CA_FILE" ]; then
    [ -r "$CA_FILE" ] || fail "The file $CA_FILE of --ca-file cannot be read."
    cat "$CA_FILE" >"$PRIVATE_CA"
  elif [ -n "$SERVER_CA" ]; then
    printf '%s\n' "$SERVER_CA" >"$PRIVATE_CA"
  elif [ -r "$kept" ]; then
    cat "$kept" >"$PRIVATE_CA"
  else
    PRIVATE_CA='' BUNDLE=''
    return
  fi
  grep -q 'BEGIN CERTIFICATE' "$PRIVATE_CA" || fail "${CA_FILE:-The CA} holds no PEM certificate."
  if [ "$FETCHER$GNU" = wget ]; then fail "Private certificates need curl or GNU wget." "Install curl."; fi
  BUNDLE=$WORK/bundle.pem
  cat "$PRIVATE_CA" >"$BUNDLE"
  for system in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [ -r "$system" ]; then
      printf '\n' >>"$BUNDLE"
      cat "$system" >>"$BUNDLE"
      return
    fi
  done
}

# run_fetcher ARGUMENT…: curl or wget with the certificates.
run_fetcher() {
  if [ "$FETCHER" = curl ]; then
    curl -sS --connect-timeout 15 ${BUNDLE:+--cacert "$BUNDLE"} "$@" 2>"$WORK/error"
  else
    wget -T 30 ${BUNDLE:+--ca-certificate="$BUNDLE"} "$@" 2>"$WORK/error"
  fi
}

# ask URL [FORM DATA, or @FILE with it]: the answer is in $WORK/answer, its status in $STATUS; false when there is none.
ask() {
  : >"$WORK/answer"
  if [ "$FETCHER" = curl ]; then
    STATUS=$(run_fetcher --max-time 60 -o "$WORK/answer" -w '%{http_code}' ${2:+--data "$2"} "$1")
    return
  fi
  case ${2:-} in
    @*) form=--post-file=${2#@} ;;
    *) form=${2:+--post-data=$2} ;;
  esac
  run_fetcher ${GNU:+-t 1 --content-on-error} -S -O "$WORK/answer" ${form:+"$form"} "$1" || :
  STATUS=$(sed -n 's/^ *HTTP\/[0-9.]* \([0-9][0-9]*\).*/\1/p' "$WORK/error" | tail -n 1)
  [ -n "$STATUS" ]
}

# download URL FILE: false when it cannot be had.
download() {
  if [ "$FETCHER" = curl ]; then
    run_fetcher -fL --retry 2 -o "$2" "$1"
  else
    run_fetcher ${GNU:+-t 3} -O "$2" "$1"
  fi
}

first_line() {
  head -n 1 "$WORK/answer" | tr -cd '[:print:]' | cut -c 1-300
}

why_not() {
  tail -n 1 "$WORK/error" 2>/dev/null
}

check_server() {
  if ! ask "$CODE_URL/check"; then
    fail "$BASE_URL does not answer: $(why_not)" \
      "Look at the network, a proxy (--proxy), the certificates (--ca-file) and this host's clock ($(date -u))."
  fi
  if [ "$STATUS" != 200 ]; then
    fail "$BASE_URL says ($STATUS): $(first_line)" "Make a new command on the quick-deploy page."
  fi
  theirs=$(sed -n 's/^time=\([0-9][0-9]*\)$/\1/p' "$WORK/answer")
  [ -n "$theirs" ] || fail "What answers at $BASE_URL is no Telflo server." "Look at the proxy between."
  skew=$(($(date -u +%s) - theirs))
  if [ "$skew" -gt 300 ] || [ "$skew" -lt -300 ]; then
    warn "this host's clock differs from the server's by $skew seconds. TLS fails over this: set the clock."
  fi
}
