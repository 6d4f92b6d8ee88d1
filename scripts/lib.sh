# SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors
# lib.sh - what every script shares: messages, packages, folders of services.
# Sourced, never run. Sets: root (the source tree), var (data of everything started).

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
var=${LANDLOG_VAR:-$root/var}
case $var in /*) ;; *) var=$PWD/$var ;; esac

say() { printf '%s\n' "$*" >&2; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

packages_build="gcc ninja-build cmake pkg-config libc6-dev libpq-dev librdkafka-dev
  libmsgpack-dev libsecp256k1-dev libjansson-dev libcurl4-openssl-dev libssl-dev
  libevent-dev libhttp-parser-dev uthash-dev zlib1g-dev"
packages_postgres="postgresql-15 util-linux"
packages_kafka="openjdk-17-jre-headless maven"
packages_test="clang clang-format clang-tidy libclang-rt-14-dev llvm ccache kcat
  json-schema-test-suite python3 python3-yaml jq nodejs npm psmisc"

is_installed() {
    case $1 in
        nodejs) command -v node >/dev/null && return ;;
        npm) command -v npm >/dev/null && return ;;
        cmake) command -v cmake >/dev/null && return ;;
        python3) command -v python3 >/dev/null && return ;;
    esac
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages NAME...: install those that are missing, having said which.
need_packages() {
    local missing=() package sudo=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        fail "these Debian packages are missing and apt-get is not here: ${missing[*]}"
    say "installing from Debian: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "not root and no sudo: install ${missing[*]} yourself"
        sudo=(sudo)
    fi
    # Debian's Postgres would make and start a cluster of its own on being installed.
    if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
        "${sudo[@]}" sh -c 'mkdir -p /etc/postgresql-common/createcluster.d &&
            printf "# made by Landlog: it brings its own cluster\ncreate_main_cluster = false\n" \
            > /etc/postgresql-common/createcluster.d/landlog.conf'
    fi
    mkdir -p "$var"
    { "${sudo[@]}" apt-get update -q &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
        >"$var/apt.log" 2>&1 </dev/null ||
        { tail -n 15 "$var/apt.log" >&2; fail "apt-get failed ($var/apt.log)"; }
}

# as_service COMMAND...: as root, run it as the unprivileged user of services.
service_user=postgres
as_service() {
    if [ "$(id -u)" = 0 ]; then runuser -u "$service_user" -- "$@"; else "$@"; fi
}

# service_folder NAME: make $var/NAME, a folder of the service's user that it can reach.
# Under a home that only root may enter, it is a link to /var/lib/landlog/<hash>/NAME.
service_folder() {
    local folder=$var/$1 hash
    mkdir -p "$var"
    if [ "$(id -u)" = 0 ]; then
        if [ ! -e "$folder" ] && ! as_service test -x "$var" 2>/dev/null; then
            hash=$(printf '%s' "$var" | sha256sum | cut -c1-12)
            mkdir -p "/var/lib/landlog/$hash/$1"
            ln -s "/var/lib/landlog/$hash/$1" "$folder"
        fi
        mkdir -p "$folder"
        chown "$service_user" "$folder/"
    else
        mkdir -p "$folder"
    fi
    chmod 700 "$folder/"
    readlink -f "$folder"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; fails naming WHAT.
wait_for() {
    local seconds=$1 what=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt "$end" ] || fail "$what: nothing after $seconds seconds"
        sleep 0.1
    done
}
