# ── Flags: facts of this host ──

NEWLINE='
'

set_defaults() {
  ACTION=install
  MODE=systemd
  FOLDER=
  NAME=
  LABELS=
  CONFIGS=
  COLLECTOR=
  CA_FILE=
  PROXY=
  HAS_COLLECTOR=
  HAS_CONFIGS=
  HAS_LABELS=
  HAS_NAME=
  HAS_PROXY=
  SOURCE=
}

parse_flags() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) ACTION='help' ;;
      --dry-run) ACTION='dry-run' ;;
      --uninstall) ACTION='uninstall' ;;
      --no-systemd) MODE='folder' ;;
      --dir | --collector | --config | --name | --label | --ca-file | --proxy)
        if [ $# -lt 2 ]; then fail "$1 needs a value." "See --help."; fi
        take_value "$1" "$2"
        shift
        ;;
      *) fail "There is no option $1." "See --help." ;;
    esac
    shift
  done
  if [ -n "$FOLDER" ] && [ "$MODE" = systemd ]; then
    fail "--dir goes with --no-systemd." "The service has fixed places; see --help."
  fi
}

take_value() {
  check_value "$1" "$2"
  case $1 in
    --dir) FOLDER=$2 ;;
    --collector) COLLECTOR=$(absolute "$2") HAS_COLLECTOR=1 ;;
    --config) CONFIGS=$CONFIGS$(absolute "$2")$NEWLINE HAS_CONFIGS=1 ;;
    --name) NAME=$2 HAS_NAME=1 ;;
    --label) LABELS=$LABELS$2$NEWLINE HAS_LABELS=1 ;;
    --ca-file) CA_FILE=$(absolute "$2") ;;
    --proxy) PROXY=$2 HAS_PROXY=1 ;;
  esac
}

# check_value OPTION VALUE: a flag's, or one that an earlier run kept in the file $SOURCE.
check_value() {
  if [ -z "$2" ]; then fail "$1 needs a value." "See --help."; fi
  # Values end up in files of lines: control characters have no place there.
  if [ "$(printf '%s' "$2" | tr -d '\000-\037\177')" != "$2" ]; then
    refuse_value "The value of $1 has a line break or a control character in it."
  fi
  case $1 in
    --name) check_attribute "$1" "$2" ;;
    --label) check_label "$2" ;;
    --proxy) check_proxy "$2" ;;
  esac
}

refuse_value() {
  if [ -n "$SOURCE" ]; then fail "$1" "It stands in $SOURCE: give it anew by its flag."; fi
  fail "$@"
}

# check_attribute WHAT TEXT: what the server refuses too (options.py says why).
check_attribute() {
  # shellcheck disable=SC2016 # to be found, not to be expanded
  case $2 in
    *'"'* | *\\* | *'${'*)
      refuse_value "The value of $1 has a \", a \\ or a \${ in it." "No supervisor would start with it."
      ;;
  esac
}

check_label() {
  case $1 in
    *=*) ;;
    *) refuse_value "--label $1 has no =." "Write it as --label key=value." ;;
  esac
  check_label_name "${1%%=*}"
  check_attribute "the label ${1%%=*}" "${1#*=}"
}

check_label_name() {
  case $1 in
    '' | [!A-Za-z]* | *[!A-Za-z0-9._/-]* | [Tt][Rr][Uu][Ee] | [Ff][Aa][Ll][Ss][Ee] | [Nn][Uu][Ll][Ll])
      refuse_value "$1 cannot name a label." "Use a letter, then letters, digits and . _ / - only."
      ;;
    service.instance.id | service.name | service.version | host.name | host.arch | os.type | os.description)
      refuse_value "The collector reports $1 itself." "Choose another name for the label."
      ;;
    telflo.name) refuse_value "telflo.name is the collector's name." "Give it with --name." ;;
  esac
  case $NEWLINE$LABELS in
    *"$NEWLINE$1="*) refuse_value "The label $1 is given twice." "Give each label once." ;;
  esac
}

check_proxy() {
  case $1 in
    http://?* | https://?*) ;;
    *) refuse_value "--proxy $1 is no proxy." "Write it as http://host:port." ;;
  esac
}

absolute() {
  case $1 in
    /*) printf '%s' "$1" ;;
    ./*) printf '%s/%s' "$(pwd)" "${1#./}" ;;
    *) printf '%s/%s' "$(pwd)" "$1" ;;
  esac
}

# Where things go. TELFLO_ROOT is a folder that stands for / (for trying it out).
set_layout() {
  ROOT=
  if [ "$MODE" = systemd ]; then
    ROOT=${TELFLO_ROOT:-}
    PROGRAM_DIR=$SERVICE_PROGRAMS CONF_DIR=$SERVICE_CONFIGURATION
    STATE_DIR=$SERVICE_STATE UNIT_FILE=$SERVICE_UNIT
    DIR_MODE=0750 FILE_MODE=0640 PROGRAM_MODE=0755
  else
    FOLDER=$(absolute "${FOLDER:-telflo-collector}")
    PROGRAM_DIR=$FOLDER CONF_DIR=$FOLDER STATE_DIR=$FOLDER/state UNIT_FILE=
    DIR_MODE=0700 FILE_MODE=0600 PROGRAM_MODE=0700
  fi
  SUPERVISOR_FILE=$PROGRAM_DIR/bin/opampsupervisor
  COLLECTOR_FILE=$PROGRAM_DIR/bin/otelcol-contrib
}

# The flags of an earlier run stay in force until they are given anew; below them come the deployment's
# own values, which are not remembered, so that another deployment can change them.
settle_facts() {
  remembered=$ROOT$CONF_DIR/host.conf
  if [ -f "$remembered" ]; then recall_facts; fi
  remember_facts >"$WORK/facts"
  COLLECTOR=${COLLECTOR:-$DEFAULT_COLLECTOR}
  PROXY=${PROXY:-$DEFAULT_PROXY}
  CONFIGS=${CONFIGS:-$DEFAULT_CONFIGS}
  add_default_labels
}

recall_facts() {
  SOURCE=$remembered
  while IFS= read -r line; do
    value=${line#*=}
    case $line in
      name=*) if [ -z "$HAS_NAME" ]; then check_value --name "$value"; NAME=$value; fi ;;
      collector=*) if [ -z "$HAS_COLLECTOR" ]; then check_value --collector "$value"; COLLECTOR=$value; fi ;;
      proxy=*) if [ -z "$HAS_PROXY" ]; then check_value --proxy "$value"; PROXY=$value; fi ;;
      label=*) if [ -z "$HAS_LABELS" ]; then check_value --label "$value"; LABELS=$LABELS$value$NEWLINE; fi ;;
      config=*) if [ -z "$HAS_CONFIGS" ]; then check_value --config "$value"; CONFIGS=$CONFIGS$value$NEWLINE; fi ;;
    esac
  done <"$remembered"
  SOURCE=
}

# A label given on the host wins over the deployment's of the same name.
add_default_labels() {
  given=$NEWLINE$LABELS
  while IFS= read -r line; do
    case $given in
      *"$NEWLINE${line%%=*}="*) ;;
      *) if [ -n "$line" ]; then LABELS=$LABELS$line$NEWLINE; fi ;;
    esac
  done <<EOF
$DEFAULT_LABELS
EOF
}

remember_facts() {
  printf '# Flags of the last install. The next run reads them unless they are given anew.\n'
  if [ -n "$NAME" ]; then printf 'name=%s\n' "$NAME"; fi
  if [ -n "$COLLECTOR" ]; then printf 'collector=%s\n' "$COLLECTOR"; fi
  if [ -n "$PROXY" ]; then printf 'proxy=%s\n' "$PROXY"; fi
  printf '%s' "$LABELS" | sed 's/^/label=/'
  printf '%s' "$CONFIGS" | sed 's/^/config=/'
}
