# ── supervisor.yaml: the server's text, with this host's parts in place of its marker lines ──

# yaml_text VALUE: as supervisor_yaml.py writes it.
yaml_text() {
  printf "'%s'" "$(printf '%s' "$1" | sed "s/'/''/g; s/\\$/\$\$/g")"
}

render_supervisor_yaml() {
  supervisor_yaml_template | while IFS= read -r line; do
    case $line in
      '#host:executable') printf '  executable: %s\n' "$(yaml_text "${COLLECTOR:-$COLLECTOR_FILE}")" ;;
      '#host:storage') printf '  directory: %s\n' "$(yaml_text "$STATE_DIR")" ;;
      '#host:tls') print_tls ;;
      '#host:config_files') print_config_files ;;
      '#host:description') print_description ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

print_tls() {
  if [ -n "$PRIVATE_CA" ]; then
    printf '  tls:\n    ca_file: %s\n    include_system_ca_certs_pool: true\n' "$(yaml_text "$CONF_DIR/ca.pem")"
  fi
}

print_config_files() {
  if [ -z "$CONFIGS" ]; then return; fi
  printf '  config_files:\n'
  printf '%s' "$CONFIGS" | copied_names | while IFS= read -r name; do
    printf '    - %s\n' "$(yaml_text "$CONF_DIR/config.d/$name")"
  done
}

# Copies keep their order: 01-NAME, 02-NAME, …
copied_names() {
  awk -F / '{ printf "%02d-%s\n", NR, $NF }'
}

print_description() {
  if [ -z "$NAME$LABELS" ]; then return; fi
  printf '  description:\n    non_identifying_attributes:\n'
  if [ -n "$NAME" ]; then printf "      'telflo.name': %s\n" "$(yaml_text "$NAME")"; fi
  printf '%s' "$LABELS" | while IFS= read -r label; do
    printf '      %s: %s\n' "$(yaml_text "${label%%=*}")" "$(yaml_text "${label#*=}")"
  done
}
