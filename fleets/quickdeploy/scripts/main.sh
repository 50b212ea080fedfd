# ── In this order ──

main() {
  set -eu
  umask 077
  BACKUPS=0 STARTED='' WAS_ACTIVE=''
  PATH=$PATH:/usr/sbin:/sbin
  set_values
  set_defaults
  parse_flags "$@"
  set_layout
  case $ACTION in
    help) usage ;;
    uninstall) uninstall_collector ;;
    *)
      if [ -n "$CLOSED_REASON" ]; then fail "$CLOSED_REASON" "Make a new command on the quick-deploy page."; fi
      make_work
      install_collector
      ;;
  esac
}

# Cut off anywhere above, the script does nothing; cut off within the next line, it is no command.
{ main "$@" </dev/null; }
