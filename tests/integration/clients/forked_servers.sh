#!/usr/bin/env bash
# Servers that load a key of the TPM and then fork: nginx, Apache with its prefork and event modules, and
# gunicorn. Each worker serves from the key without any configuration: also as another user than the one who loaded the
# key (root's run has workers of nobody), and when the process that loaded it has ended (nginx as a daemon).
. "$(dirname "$0")/flow.sh"
need openssl curl /usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so
start_tbsd
. "$(dirname "$0")/tls_clients.sh"
configure_openssl
handshakes=64
worker=()
if ((EUID == 0)); then
    # Workers have everybody's socket alone.
    export TPM2OPENSSL_TCTI=tbs:$folder/tbsd.sock
    chmod 711 "$folder"
    worker=(nobody nogroup)
fi

served() { # PORT CERTIFICATE
    [[ $(curl -s --cacert "$2" "https://localhost:$1/" --resolve "localhost:$1:127.0.0.1") == served ]]
}

# The server listens there: it serves, and ends when it is told to.
serves() { # NAME PROCESS PORT CERTIFICATE
    started+=("$2")
    all_succeed "$3" "$4"
    served "$3" "$4" || fail "$1 does not serve"
    kill -TERM "$2"
    eventually gone "$2" || fail "$1 does not end"
}

process_in() { # FILE
    eventually test -s "$1" || fail "there is no $1"
    cat "$1"
}

nginx_serves() { # KIND DAEMON
    local port
    port=$(free_port)
    cat >nginx.conf <<END
${worker:+user ${worker[*]};}
worker_processes 4;
daemon $2;
pid $folder/nginx.pid;
error_log $folder/nginx-error.log;
env TPM2OPENSSL_TCTI;
env OPENSSL_CONF;
env LD_LIBRARY_PATH;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    server {
        listen 127.0.0.1:$port ssl reuseport;
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        ssl_certificate $folder/$1.crt;
        ssl_certificate_key $folder/$1.key;
        return 200 "served";
    }
}
END
    OPENSSL_CONF=$folder/openssl.cnf background nginx nginx -c "$folder/nginx.conf"
    eventually listens "$port" || fail "nginx does not listen"
    serves nginx "$(process_in nginx.pid)" "$port" "$1.crt"
}

apache_serves() { # KIND MODULE
    local port modules=/usr/lib/apache2/modules
    port=$(free_port)
    cat >apache.conf <<END
ServerRoot $folder
LoadModule mpm_${2}_module $modules/mod_mpm_$2.so
LoadModule ssl_module $modules/mod_ssl.so
LoadModule socache_shmcb_module $modules/mod_socache_shmcb.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule dir_module $modules/mod_dir.so
ServerName localhost
Listen 127.0.0.1:$port
PidFile $folder/apache.pid
ErrorLog $folder/apache-error.log
${worker:+User ${worker[0]}
Group ${worker[1]}}
DocumentRoot $folder/www
SSLEngine on
SSLProtocol TLSv1.3
SSLSessionCache none
SSLCertificateFile $folder/$1.crt
SSLCertificateKeyFile $folder/$1.key
END
    mkdir -p www
    printf served >www/index.html
    # When it is told to end, it tells its whole process group.
    OPENSSL_CONF=$folder/openssl.cnf background apache setsid apache2 -DFOREGROUND -f "$folder/apache.conf"
    eventually listens "$port" || fail "Apache does not listen"
    serves "Apache with $2" "$(process_in apache.pid)" "$port" "$1.crt"
}

gunicorn_serves() { # KIND [OPTION...]
    local port kind=$1
    shift
    port=$(free_port)
    printf 'def app(environ, start):\n    start("200 OK", [])\n    return [b"served"]\n' >application.py
    OPENSSL_CONF=$folder/openssl.cnf background gunicorn gunicorn --workers 3 --worker-tmp-dir "$folder" \
        --pid "$folder/gunicorn.pid" --bind "127.0.0.1:$port" --certfile "$kind.crt" --keyfile "$kind.key" "$@" application:app
    eventually listens "$port" || fail "gunicorn does not listen"
    serves gunicorn "$(process_in gunicorn.pid)" "$port" "$kind.crt"
}

for kind in rsa ecc; do
    algorithm=(-algorithm RSA -pkeyopt bits:2048)
    [[ $kind == rsa ]] || algorithm=(-algorithm EC -pkeyopt group:P-256)
    with_tpm openssl genpkey "${algorithm[@]}" -out $kind.key 2>/dev/null
    with_tpm openssl req -x509 -key $kind.key -subj "/CN=localhost" -days 30 -out $kind.crt
done

found=
if [[ -n $(type -P nginx) ]]; then
    found=yes
    for daemon in off on; do
        for kind in rsa ecc; do
            step "nginx (daemon $daemon) with 4 workers and the $kind key"
            nginx_serves $kind $daemon
        done
    done
fi
if [[ -n $(type -P apache2) ]]; then
    found=yes
    step "Apache with the module prefork"
    apache_serves ecc prefork
    # Its threads share one context of ESYS, which takes one command at a time: version 1.1.1 of tpm2-openssl
    # has no lock for that, whatever the TCTI.
    step "Apache with the module event, one connection after the other"
    clients=1
    apache_serves ecc event
    clients=8
fi
if [[ -n $(type -P gunicorn) ]]; then
    found=yes
    step "gunicorn with 3 workers"
    gunicorn_serves ecc
fi
[[ -n $found ]] || need nginx
! grep -h "do not exist" ./*.log || fail "a worker has got no copy of the key"
