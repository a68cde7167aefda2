# shellcheck shell=bash
# Functions for the tests in a system of scripts/lib/system.sh. The service of that system sources this file. It is not a program.

set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

# port NAME: prints the device of a virtio port. It does not use udev's name, which comes late on a busy machine.
port() {
    local name
    while :; do
        for name in /sys/class/virtio-ports/*/name; do
            [[ ! -e $name || $(<"$name") != "$1" ]] || { name=${name%/name} && echo "/dev/${name##*/}" && return; }
        done
        sleep 0.1
    done
}

exec </dev/null >"$(port anyip6.out)" 2>&1

# argument NAME: prints an argument from the kernel's command line. With anyip6.NAME it would be a parameter of the module.
argument() { sed -nE "s/.*\\btest[.]$1=([^ ]*).*/\\1/p" /proc/cmdline; }
stage=$(argument stage) version=$(argument version)
: "$stage" "$version"
work=/run/tests
mkdir -p "$work"

expect() { # WHAT WANTED SEEN
    [[ $2 == "$3" ]] || { echo "$1: expected '$2', saw '$3'" && return 1; }
}

# within SECONDS CMD...: repeats CMD until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do ((SECONDS < end)) || { echo "not within the time: $*" && return 1; }; sleep 0.1; done
}

loaded_version() { cat /sys/module/anyip6/version; }

# run_test NAME CMD...: runs a test and prints its result. A test can write lines with more about the result to $work/note.
run_test() {
    local name=$1
    shift
    rm -f "$work/note"
    if "$@" >"$work/log" 2>&1; then
        echo "ok $name # at $SECONDS s$(sed 's/^/, /' "$work/note" 2>/dev/null | tr -d '\n')"
    else
        tail -n 30 "$work/log" | sed 's/^/# /'
        echo "not ok $name"
        return 1
    fi
}

run_tests() {
    local name
    systemctl is-system-running --wait >/dev/null
    for name; do run_test "$name" "$name"; done
}

power_down() {
    echo 'exit 0' >"$(port anyip6.token)"
    sync
    systemctl poweroff
}
