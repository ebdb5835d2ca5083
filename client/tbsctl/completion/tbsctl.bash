# Completion of tbsctl(1) for bash.
# Made from the table of subcommands by `ninja completions`; do not edit it.

_tbsctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local at='' offer='' words='' reach=() word i
  # Bash takes --option=value for three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  # at: the subcommand; reach: how the daemon was named.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --color | --socket | --device | --timeout | --config | --sort | --interval | --count | --by | --event | --context | -w | --textfile | --from | --uid | --dir | --gid | --unit | --cgroup | --tenant | --handle | --hierarchy | --owner | --priority | --locality | --pid | -f | --file | --response-of | --ima | --userspace | --submit | --parameter | --control | --protocol | --mode | --for | --clients-wait)
        [[ ${COMP_WORDS[i + 1]} != = ]] || ((i++))
        ((i++))
        [[ $word != --socket && $word != --device ]] || reach=("$word" "${COMP_WORDS[i]}")
        ;;
      *)
        case "$at $word" in
          ' info' | ' status' | ' health' | ' doctor' | ' contexts' | ' top' | ' limits' | ' events' | ' capture' | ' metrics' | ' lockout' | ' policy' | 'policy check' | 'policy explain' | ' cancel' | ' submit' | ' random' | ' explain' | ' log' | ' pcr' | ' ppi' | ' id' | ' bridge' | ' restart' | ' maintenance') at=${at:+$at }$word ;;
        esac
        ;;
    esac
  done
  case "$at,$previous" in
    'health',--timeout | 'top',--interval | 'top',--count | 'capture',--count | 'policy explain',--unit | 'policy explain',--tenant | 'policy explain',--handle | 'cancel',--pid | 'explain',--response-of | 'ppi',--parameter | 'bridge',--mode | 'maintenance',--for | 'maintenance',--clients-wait) return ;;
    'capture',--context) offer=contexts ;;
    *,--socket | 'doctor',--config | 'capture',-w | 'metrics',--textfile | 'metrics',--from | 'submit',-f | 'submit',--file | 'log',-f | 'log',--file | 'log',--ima | 'log',--userspace | 'bridge',--control) offer=files ;;
    'policy',--dir | 'policy check',--dir | 'policy explain',--dir | 'policy explain',--cgroup) offer=folders ;;
    'policy explain',--gid) offer=groups ;;
    *,--device) offer=tpms ;;
    'lockout',--uid) offer=users ;;
    'policy explain',--locality | 'submit',--locality) words='0 1 2 3 4' ;;
    *,--color) words='auto always never' ;;
    'ppi',--submit) words='clear none' ;;
    'events',--event) words='connected refused no-context cancelled blocked lockout state-changed backlog descriptors memory attestation-revoked physical-presence owner-auth denied device-lost device-ready went-on pcr-changed nv-written capture maintenance' ;;
    'contexts',--sort) words='context user pid program priority queued bytes submitted running' ;;
    'top',--by) words='context user unit' ;;
    'policy explain',--priority | 'submit',--priority | 'bridge',--priority) words='low normal high system max' ;;
    'policy explain',--hierarchy) words='owner endorsement platform lockout null' ;;
    'bridge',--protocol) words='raw mssim swtpm' ;;
    'policy explain',--owner) words='self other' ;;
    'top',--sort) words='time commands waiting memory name' ;;
    *)
      case "$at,$current" in
        '',-*) words='--json --color --socket --device -h --help --version' ;;
        '',*) words='info status health doctor contexts top limits events capture metrics lockout policy cancel submit random explain log pcr ppi id bridge restart maintenance' ;;
        'info',*) words='--json --color --socket --device -h --help' ;;
        'status',*) words='--json --color --socket --device -h --help' ;;
        'health',*) words='--timeout --passive --json --color --socket --device -h --help' ;;
        'doctor',*) words='--config --json --color --socket --device -h --help' ;;
        'contexts',-*) words='--sort --json --color --socket --device -h --help' ;;
        'contexts',*) offer=contexts ;;
        'top',*) words='--interval --count --sort --by --json --color --socket --device -h --help' ;;
        'limits',*) words='--json --color --socket --device -h --help' ;;
        'events',*) words='-f --follow --event --utc --journal --json --color --socket --device -h --help' ;;
        'capture',*) words='--context -w --count --secrets --utc --json --color --socket --device -h --help' ;;
        'metrics',*) words='--textfile --from --color --socket --device -h --help' ;;
        'lockout',*) words='--reset --uid --json --color --socket --device -h --help' ;;
        'policy',-*) words='--dir --json --color --socket --device -h --help' ;;
        'policy',*) words='check explain' ;;
        'policy check',*) words='--dir --json --color --socket --device -h --help' ;;
        'policy explain',-*) words='--dir --gid --unit --cgroup --tenant --admin --handle --hierarchy --owner --priority --locality --json --color --socket --device -h --help' ;;
        'policy explain',*) offer=users ;;
        'cancel',-*) words='--pid --json --color --socket --device -h --help' ;;
        'cancel',*) offer=contexts ;;
        'submit',*) words='-f --file --priority --locality --raw --json --color --socket --device -h --help' ;;
        'random',*) words='--raw --json --color --socket --device -h --help' ;;
        'explain',*) words='--response-of --secrets --json --color --socket --device -h --help' ;;
        'log',*) words='--raw --no-compare -f --file --ima --userspace --json --color --socket --device -h --help' ;;
        'pcr',-*) words='--json --color --socket --device -h --help' ;;
        'pcr',*) words='sha1 sha256 sha384 sha512' ;;
        'ppi',*) words='--submit --parameter --yes --json --color --socket --device -h --help' ;;
        'id',*) words='--json --color --socket --device -h --help' ;;
        'bridge',-*) words='--control --protocol --persistent --listen-any --mode --priority --json --color --socket --device -h --help' ;;
        'bridge',*) offer=files ;;
        'restart',*) words='--json --color --socket --device -h --help' ;;
        'maintenance',-*) words='--for --clients-wait --color --socket --device -h --help' ;;
        'maintenance',*) words='on off' ;;
      esac
      ;;
  esac
  COMPREPLY=()
  [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  case $offer in
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    folders)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    users) mapfile -t COMPREPLY < <(compgen -u -- "$current") ;;
    groups) mapfile -t COMPREPLY < <(compgen -g -- "$current") ;;
    tpms) mapfile -t COMPREPLY < <(cd /sys/class/tpm 2>/dev/null && compgen -d -- "$current") ;;
    contexts)
      # One line for each: the heading goes, the number stays.
      words=$("${COMP_WORDS[0]}" "${reach[@]}" contexts 2>/dev/null | awk 'NR > 1 { print $1 }')
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      ;;
  esac
}

complete -F _tbsctl tbsctl
