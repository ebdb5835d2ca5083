# Completion of tbsctl(1) for fish.
# Made from the table of subcommands by `ninja completions`; do not edit it.

# How the daemon was named, and the program.
function __tbsctl_reach
    set -l words (commandline -opc)
    set -l reach $words[1]
    for i in (seq 2 (count $words))
        switch $words[$i]
            case --socket --device
                set reach $words[1] $words[$i] $words[(math $i + 1)]
            case '--socket=*' '--device=*'
                set reach $words[1] $words[$i]
        end
    end
    printf '%s\n' $reach
end

# One line for each: the heading goes, the number stays.
function __tbsctl_contexts
    set -l reach (__tbsctl_reach)
    $reach contexts 2>/dev/null | string match -rg '^\s*(\d+)\s'
end

function __tbsctl_tpms
    for path in /sys/class/tpm/*
        string replace -r '.*/' '' -- $path
    end
end

# Whether the words so far lead to this subcommand.
function __tbsctl_at
    set -l at
    set -l value 0
    for word in (commandline -opc)[2..]
        if test $value = 1
            set value 0
            continue
        end
        switch $word
            case --color --socket --device --timeout --config --sort --interval --count --by --event --context -w --textfile --from --uid --dir --gid --unit --cgroup --tenant --handle --hierarchy --owner --priority --locality --pid -f --file --response-of --ima --userspace --submit --parameter --control --protocol --mode --for --clients-wait
                set value 1
            case '-*'
                continue
            case '*'
                switch "$at $word"
                    case ' info' ' status' ' health' ' doctor' ' contexts' ' top' ' limits' ' events' ' capture' ' metrics' ' lockout' ' policy' 'policy check' 'policy explain' ' cancel' ' submit' ' random' ' explain' ' log' ' pcr' ' ppi' ' id' ' bridge' ' restart' ' maintenance'
                        set at (string trim "$at $word")
                end
        end
    end
    test "$at" = "$argv"
end

complete -c tbsctl -f
complete -c tbsctl -n 'not __tbsctl_at metrics; and not __tbsctl_at maintenance' -l json -d 'Print data as JSON'
complete -c tbsctl -l color -x -a 'auto always never' -d 'Colours: auto (on a terminal, the default), always or never'
complete -c tbsctl -l socket -r -F -d 'Socket of tbsd (default: TBS_SOCKET, else /run/tbs/admin.sock for who may open it, else /run/tbs/tbsd.sock)'
complete -c tbsctl -l device -x -a '(__tbsctl_tpms)' -d 'Ask the tbsd of this TPM, tpm1 for instance, where there are several'
complete -c tbsctl -s h -l help -d 'Print the help'
complete -c tbsctl -n '__tbsctl_at' -l version -d 'Print the version'
complete -c tbsctl -n '__tbsctl_at' -a info -d 'Show the TPM'
complete -c tbsctl -n '__tbsctl_at' -a status -d 'Show the daemon\'s health'
complete -c tbsctl -n '__tbsctl_at' -a health -d 'Say in one line whether the TPM can be used, for probes'
complete -c tbsctl -n '__tbsctl_at' -a doctor -d 'Look for what is wrong with tbs on this machine, and say what to do'
complete -c tbsctl -n '__tbsctl_at' -a contexts -d 'List the contexts: who uses the TPM, what waits, what runs'
complete -c tbsctl -n '__tbsctl_at' -a top -d 'Watch who has the TPM\'s time, what runs, and what waits and why'
complete -c tbsctl -n '__tbsctl_at' -a limits -d 'Show what may be used, and how much of it is'
complete -c tbsctl -n '__tbsctl_at' -a events -d 'Tell what has happened: refused, blocked, locked out, changed, lost'
complete -c tbsctl -n '__tbsctl_at' -a capture -d 'Record the commands of clients and the responses, for Wireshark'
complete -c tbsctl -n '__tbsctl_at' -a metrics -d 'Print the daemon\'s metrics, or write them into a file for node_exporter'
complete -c tbsctl -n '__tbsctl_at' -a lockout -d 'Show who is locked out, and the TPM\'s own counter'
complete -c tbsctl -n '__tbsctl_at' -a policy -d 'Check and explain rules'
complete -c tbsctl -n '__tbsctl_at' -a cancel -d 'Cancel what a context has outstanding'
complete -c tbsctl -n '__tbsctl_at' -a submit -d 'Send one TPM command, print its response'
complete -c tbsctl -n '__tbsctl_at' -a random -d 'Print random bytes from the TPM'
complete -c tbsctl -n '__tbsctl_at' -a explain -d 'Say what a code, a command or a response means'
complete -c tbsctl -n '__tbsctl_at' -a log -d 'Show what firmware measured, and compare it with the PCRs'
complete -c tbsctl -n '__tbsctl_at' -a pcr -d 'Read PCRs'
complete -c tbsctl -n '__tbsctl_at' -a ppi -d 'Show the firmware\'s physical presence interface, or use it'
complete -c tbsctl -n '__tbsctl_at' -a id -d 'Print the identifier of the TPM'
complete -c tbsctl -n '__tbsctl_at' -a bridge -d 'Serve programs that speak to a TPM over a socket'
complete -c tbsctl -n '__tbsctl_at' -a restart -d 'Have the daemon execute its program anew, and keep its clients'
complete -c tbsctl -n '__tbsctl_at' -a maintenance -d 'Let a program have the TPM alone'
complete -c tbsctl -n '__tbsctl_at health' -l timeout -x -d 'How long it may take, 800 without this'
complete -c tbsctl -n '__tbsctl_at health' -l passive -d 'Ask tbsd alone, and send the TPM nothing'
complete -c tbsctl -n '__tbsctl_at doctor' -l config -r -F -d 'The configuration of tbsd, /etc/tbs/tbsd.conf without this'
complete -c tbsctl -n '__tbsctl_at contexts' -a '(__tbsctl_contexts)'
complete -c tbsctl -n '__tbsctl_at contexts' -l sort -x -a 'context user pid program priority queued bytes submitted running' -d 'By one of context, user, pid, program, priority, queued, bytes, submitted, running; amounts go down, everything else up (default: context)'
complete -c tbsctl -n '__tbsctl_at top' -l interval -x -d 'Look this often, 2 without this; 0.5 is twice a second'
complete -c tbsctl -n '__tbsctl_at top' -l count -x -d 'Print so many pages as plain lines and end, also on a terminal'
complete -c tbsctl -n '__tbsctl_at top' -l sort -x -a 'time commands waiting memory name' -d 'By one of time, commands, waiting, memory, name (default: time)'
complete -c tbsctl -n '__tbsctl_at top' -l by -x -a 'context user unit' -d 'A row for each context, user, unit (default: context)'
complete -c tbsctl -n '__tbsctl_at events' -s f -l follow -d 'Go on with what happens, until interrupted'
complete -c tbsctl -n '__tbsctl_at events' -l event -x -a 'connected refused no-context cancelled blocked lockout state-changed backlog descriptors memory attestation-revoked physical-presence owner-auth denied device-lost device-ready went-on pcr-changed nv-written capture maintenance' -d 'These alone, by their name in the output'
complete -c tbsctl -n '__tbsctl_at events' -l utc -d 'Times in UTC, not in the local time zone'
complete -c tbsctl -n '__tbsctl_at events' -l journal -d 'Follow them in the journal, which has those of earlier starts too'
complete -c tbsctl -n '__tbsctl_at capture' -l context -x -a '(__tbsctl_contexts)' -d 'Of this context alone'
complete -c tbsctl -n '__tbsctl_at capture' -s w -r -F -d 'Write a pcapng file, - for standard output, in place of lines'
complete -c tbsctl -n '__tbsctl_at capture' -l count -x -d 'End after so many commands'
complete -c tbsctl -n '__tbsctl_at capture' -l secrets -d 'Replace nothing'
complete -c tbsctl -n '__tbsctl_at capture' -l utc -d 'Times of lines in UTC, not in the local time zone'
complete -c tbsctl -n '__tbsctl_at metrics' -l textfile -r -F -d 'Replace this file instead of printing them'
complete -c tbsctl -n '__tbsctl_at metrics' -l from -r -F -d 'The metrics\' socket (default: metrics.sock beside the daemon\'s)'
complete -c tbsctl -n '__tbsctl_at lockout' -l reset -d 'Forget the failed authorizations of all users, or of the one given by --uid'
complete -c tbsctl -n '__tbsctl_at lockout' -l uid -x -a '(__fish_complete_users)' -d 'Only of this user: a number or a name'
complete -c tbsctl -n '__tbsctl_at policy' -l dir -x -a '(__fish_complete_directories (commandline -ct))' -d 'Folder of the rules (default: /etc/tbs/policy.d)'
complete -c tbsctl -n '__tbsctl_at policy' -a check -d 'Read the rules and say what is wrong with them'
complete -c tbsctl -n '__tbsctl_at policy' -a explain -d 'Say what a user may do, and why'
complete -c tbsctl -n '__tbsctl_at policy check' -l dir -x -a '(__fish_complete_directories (commandline -ct))' -d 'Folder of the rules (default: /etc/tbs/policy.d)'
complete -c tbsctl -n '__tbsctl_at policy explain' -l dir -x -a '(__fish_complete_directories (commandline -ct))' -d 'Folder of the rules (default: /etc/tbs/policy.d)'
complete -c tbsctl -n '__tbsctl_at policy explain' -a '(__fish_complete_users)'
complete -c tbsctl -n '__tbsctl_at policy explain' -l gid -x -a '(__fish_complete_groups)' -d 'A group of the user, name or number'
complete -c tbsctl -n '__tbsctl_at policy explain' -l unit -x -d 'systemd unit of the client'
complete -c tbsctl -n '__tbsctl_at policy explain' -l cgroup -x -a '(__fish_complete_directories (commandline -ct))' -d 'Control group of the client'
complete -c tbsctl -n '__tbsctl_at policy explain' -l tenant -x -d 'Tenant of the client\'s socket'
complete -c tbsctl -n '__tbsctl_at policy explain' -l admin -d 'A member of the administrators\' group'
complete -c tbsctl -n '__tbsctl_at policy explain' -l handle -x -d 'NV index, persistent handle or PCR that the command names'
complete -c tbsctl -n '__tbsctl_at policy explain' -l hierarchy -x -a 'owner endorsement platform lockout null' -d 'Hierarchy that it names: owner, endorsement, platform, lockout, null'
complete -c tbsctl -n '__tbsctl_at policy explain' -l owner -x -a 'self other' -d 'Who made what it removes or changes: self or other'
complete -c tbsctl -n '__tbsctl_at policy explain' -l priority -x -a 'low normal high system max' -d 'A number, or low (100), normal (200, the default), high (300), system (400), max'
complete -c tbsctl -n '__tbsctl_at policy explain' -l locality -x -a '0 1 2 3 4' -d 'Locality of the command (default 0)'
complete -c tbsctl -n '__tbsctl_at cancel' -a '(__tbsctl_contexts)'
complete -c tbsctl -n '__tbsctl_at cancel' -l pid -x -d 'Of all contexts of this process instead'
complete -c tbsctl -n '__tbsctl_at submit' -s f -l file -r -F -d 'Read the command from a file, in hexadecimal or as bytes; - is standard input'
complete -c tbsctl -n '__tbsctl_at submit' -l priority -x -a 'low normal high system max' -d 'A number, or low (100), normal (200, the default), high (300), system (400), max'
complete -c tbsctl -n '__tbsctl_at submit' -l locality -x -a '0 1 2 3 4' -d 'Locality of the command (default 0)'
complete -c tbsctl -n '__tbsctl_at submit' -l raw -d 'Print the response as bytes instead of hexadecimal'
complete -c tbsctl -n '__tbsctl_at random' -l raw -d 'Print bytes instead of hexadecimal'
complete -c tbsctl -n '__tbsctl_at explain' -l response-of -x -d 'The command that was answered so: its name, number or bytes'
complete -c tbsctl -n '__tbsctl_at explain' -l secrets -d 'Show authorization values, keys and plain data as well'
complete -c tbsctl -n '__tbsctl_at log' -l raw -d 'Print the log as it is'
complete -c tbsctl -n '__tbsctl_at log' -l no-compare -d 'Do not read the PCRs of the TPM'
complete -c tbsctl -n '__tbsctl_at log' -s f -l file -r -F -d 'Decode this file; the TPM is not asked; - is standard input'
complete -c tbsctl -n '__tbsctl_at log' -l ima -r -F -d 'Add the kernel\'s list of measured files; auto finds it'
complete -c tbsctl -n '__tbsctl_at log' -l userspace -r -F -d 'Add what systemd measured after boot; auto finds it'
complete -c tbsctl -n '__tbsctl_at pcr' -a 'sha1 sha256 sha384 sha512'
complete -c tbsctl -n '__tbsctl_at ppi' -l submit -x -a 'clear none' -d 'Ask the firmware to do this at the next start: clear, none (take it back) or a number'
complete -c tbsctl -n '__tbsctl_at ppi' -l parameter -x -d 'Parameter of the operation, such as the banks of operation 23'
complete -c tbsctl -n '__tbsctl_at ppi' -l yes -d 'Really submit it'
complete -c tbsctl -n '__tbsctl_at bridge' -F
complete -c tbsctl -n '__tbsctl_at bridge' -l control -r -F -d 'Platform port of mssim, control channel of swtpm (default: the next port, or the path with .platform or .ctrl)'
complete -c tbsctl -n '__tbsctl_at bridge' -l protocol -x -a 'raw mssim swtpm' -d 'What the clients speak: raw (TPM commands, the default), mssim (Microsoft\'s simulator), swtpm'
complete -c tbsctl -n '__tbsctl_at bridge' -l persistent -d 'One context for all connections, for clients that reconnect for every command'
complete -c tbsctl -n '__tbsctl_at bridge' -l listen-any -d 'Allow an address that other machines can reach'
complete -c tbsctl -n '__tbsctl_at bridge' -l mode -x -d 'Mode of the Unix sockets (default 0600)'
complete -c tbsctl -n '__tbsctl_at bridge' -l priority -x -a 'low normal high system max' -d 'A number, or low (100), normal (200, the default), high (300), system (400), max'
complete -c tbsctl -n '__tbsctl_at maintenance' -l for -x -d 'How long at most: 90 or 90s, 10m, 2h'
complete -c tbsctl -n '__tbsctl_at maintenance' -l clients-wait -x -d 'How long commands of others wait before they fail with TBS_E_SERVICE_START_PENDING (30s)'
complete -c tbsctl -n '__tbsctl_at maintenance' -a 'on off'
