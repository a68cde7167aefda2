# shellcheck shell=bash
# Functions that the scripts share. Scripts source this file. It is not a program.

set -Eeuo pipefail
# Names the command that ended a script unexpectedly. A subshell has already named its own.
trap '[[ $BASH_COMMAND == "("* ]] || echo "${BASH_SOURCE[0]##*/}: line $LINENO: failed: $BASH_COMMAND" >&2' ERR

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${ANYIP6_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/anyip6}
# A script and the scripts that it calls share one clock.
export ANYIP6_START=${ANYIP6_START:-$EPOCHSECONDS}
mkdir -p "$cache/logs" "$cache/lock"
host_arch=$(dpkg --print-architecture)
: "$top" "$host_arch"

say() { printf '[%4ds] %s\n' $((EPOCHSECONDS - ANYIP6_START)) "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# When a script or subshell ends, its processes end too, and its scratch folder is removed.
scratch='' scratch_of='' job=''
clean_up() {
    local pid
    [[ -z $job ]] || { kill -- "-$job" && wait "$job"; } 2>/dev/null || true
    for pid in $(jobs -rp); do kill -- "-$pid" 2>/dev/null || true; done # the jobs of in_group
    # A subshell does not remove the scratch folder of its parent.
    [[ $scratch_of != "$BASHPID" ]] || rm -rf --one-file-system "$scratch"
}
clean_up_at_exit() {
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# in_group CMD...: runs CMD in the background, in a process group of its own, so that clean_up ends all its processes.
in_group() {
    set -m
    "$@" &
    set +m
}

# scratch PARENT: makes a folder in PARENT that exists as long as this script or subshell runs. $scratch is its name.
scratch() {
    mkdir -p "$1"
    scratch=$(mktemp -d "$1/.anyip6.XXXXXX") scratch_of=$BASHPID
    clean_up_at_exit
}

# lock NAME: lets only one process at a time continue. It is held until the shell (or subshell) ends.
lock() {
    local fd
    exec {fd}>"$cache/lock/$1"
    flock -n "$fd" || { say "$1: waiting for another process that prepares it"; flock "$fd"; }
}

# quietly LABEL LOG CMD...: runs CMD with its output in LOG, and shows its progress. If CMD fails, it shows the end of LOG.
quietly() {
    local label=$1 log=$2 rc=0 begin=$EPOCHSECONDS
    shift 2
    say "$label"
    clean_up_at_exit
    in_group "$@" >"$log" 2>&1 </dev/null
    job=$!
    progress "$label" "$log" &
    wait "$job" || rc=$?
    job=''
    wait # for progress, which ends after the job
    ((rc)) || return 0
    say "$label: FAILED with exit code $rc after $((EPOCHSECONDS - begin)) s; the end of $log:"
    tail -n 40 "$log" >&2
    return "$rc"
}

# progress LABEL LOG: on a terminal it updates one line each second. In a file it adds a line each 15 s.
progress() {
    local label=$1 log=$2 n=0
    while sleep 0.1 && kill -0 "$job" 2>/dev/null; do
        ((++n % 10 == 0)) || continue
        if [[ -t 2 ]]; then
            printf '\r\033[K        %s: %d s: %.60s' "$label" $((n / 10)) "$(tail -n 1 "$log" | tr -cd '[:print:]')" >&2
        elif ((n % 150 == 0)); then
            say "$label: $((n / 10)) s"
        fi
    done
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

# need_packages PKG...: installs missing packages, or says how to install them.
need_packages() {
    local missing=() p
    for p; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) == installed ]] || missing+=("$p")
    done
    ((${#missing[@]})) || return 0
    if ((EUID)); then
        echo "These packages are needed; install them with:" >&2
        echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    (
        lock apt
        export DEBIAN_FRONTEND=noninteractive
        quietly "apt-get update" "$cache/logs/apt-update.log" apt-get -o DPkg::Lock::Timeout=600 update
        quietly "installing ${missing[*]}" "$cache/logs/apt-install.log" \
            apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}"
    )
}

# wait_for_slot: waits until fewer than JOBS jobs run in the background. JOBS is by default one for each processor.
wait_for_slot() {
    while (($(jobs -rp | wc -l) >= ${JOBS:-$(nproc)})); do wait -n || true; done
}

# package_version: prints the version of the packages.
package_version() { sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$top/dkms.conf"; }

# with_layer ROOT LAYER CMD...: runs CMD while LAYER/root shows ROOT with the changes in LAYER/upper.
with_layer() {
    # shellcheck disable=SC2016 # the inner shell's own
    unshare --mount --propagation private bash -ec '
        mount -t overlay overlay -o "lowerdir=$0,upperdir=$1/upper,workdir=$1/work" "$1/root"
        shift
        exec "$@"' "$@"
}

# in_layer ROOT LAYER CMD...: runs CMD inside LAYER/root. Its changes go to LAYER/upper.
in_layer() {
    # shellcheck disable=SC2016 # the inner shell's own
    with_layer "$1" "$2" bash -ec '
        root=$0/root
        mount -t proc proc "$root/proc"
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive HOME=/root \
            ${http_proxy:+http_proxy=$http_proxy} "$@"' "$2" "${@:3}"
}

# about ARCH: sets what scripts/matrix.toml says about the architecture: arch_make, arch_triplet, arch_flavour, and arch_suite, the
# suite of a guest's programs.
architecture_lines=''
about() {
    architecture_lines=${architecture_lines:-$(matrix architectures)}
    # shellcheck disable=SC2034 # the callers use them
    IFS=' ' read -r _ _ arch_make arch_triplet arch_flavour arch_suite < <(awk -v a="$1" '$1 == a' <<<"$architecture_lines") ||
        die "architecture $1 is not known; these are: $(awk '{ printf "%s ", $1 }' <<<"$architecture_lines")"
}

# triplet ARCH: prints the name that compilers and folders of libraries use.
triplet() { about "$1" && echo "${arch_triplet}"; }

# mirror: prints the Debian mirror that this machine's apt uses. apt can have other archives too.
mirror() {
    local uri
    if [[ -n ${ANYIP6_MIRROR:-} ]]; then
        uri=$ANYIP6_MIRROR
    else
        # shellcheck disable=SC2016 # apt's own variable
        uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sed -n '\,/debian/\?$,p')
        uri=${uri%%$'\n'*}
        [[ -n $uri ]] || die "apt knows no Debian mirror here: set ANYIP6_MIRROR to one (its address ends in /debian)"
    fi
    echo "${uri%/}"
}

# secure_boot VARS ESP: sets firmware to QEMU's options for a machine with UEFI, Secure Boot and Microsoft's keys.
# The firmware's variables stay in the file VARS. The machine boots Debian's shim and GRUB from the folder ESP. The caller writes
# GRUB's configuration to EFI/debian/grub.cfg there. The same keys sign shim, GRUB and the kernels of all suites.
secure_boot() {
    local from
    need_packages ovmf
    from=$("$top/scripts/kernels" unpack trixie/amd64 shim-signed shim-helpers-amd64-signed grub-efi-amd64-signed)/usr/lib
    mkdir -p "$2/EFI"/{BOOT,debian}
    cp "$from/shim/shimx64.efi.signed" "$2/EFI/BOOT/BOOTX64.EFI"
    cp "$from/shim/mmx64.efi.signed" "$2/EFI/BOOT/mmx64.efi"
    cp "$from/grub/x86_64-efi-signed/grubx64.efi.signed" "$2/EFI/BOOT/grubx64.efi"
    [[ -e $1 ]] || cp /usr/share/OVMF/OVMF_VARS_4M.ms.fd "$1"
    # Only code in system management mode may write the variables. Otherwise the guest could turn Secure Boot off. The slot comes
    # after the slots of other disks, so they keep their names.
    # shellcheck disable=SC2034,SC2054 # the caller uses it; the commas are QEMU's
    firmware=(-machine smm=on -global driver=cfi.pflash01,property=secure,value=on
        -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
        -drive "if=pflash,unit=1,format=raw,file=$1"
        -drive "if=none,id=esp,format=raw,readonly=on,file=fat:$2" -device virtio-blk-pci,drive=esp,addr=0x1d,bootindex=0)
}

# runner COMMAND [ARG...]: becomes a command of scripts/lib/runner.
runner() {
    need_packages python3
    export PYTHONPATH=$top/scripts/lib PYTHONDONTWRITEBYTECODE=1 ANYIP6_COMMAND=${0##*/}
    exec /usr/bin/python3 -m runner "$@"
}

# ask_runner COMMAND [ARG...]: runs a command of scripts/lib/runner for its output.
ask_runner() {
    need_packages python3 >&2
    PYTHONPATH=$top/scripts/lib PYTHONDONTWRITEBYTECODE=1 ANYIP6_COMMAND=${0##*/} /usr/bin/python3 -m runner "$@"
}

# matrix TABLE: prints a table of scripts/matrix.toml, a line for each row.
matrix() { ask_runner matrix "$1"; }

# keep NAME KEY OUT CMD...: runs CMD FOLDER, and copies the files that CMD makes in FOLDER to OUT. The files must depend only on
# KEY. They are kept, so CMD does not run again for the same KEY.
keep() {
    local kept=$cache/built/$1-$2 out=$3
    (
        lock "built-$1-$2"
        # The touch protects it from the removal of old files below.
        [[ ! -d $kept ]] || { touch "$kept" && exit 0; }
        mkdir -p "$cache/built"
        find "$cache/built" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
        rm -rf "$kept.new" && mkdir "$kept.new" && "${@:4}" "$kept.new" && mv "$kept.new" "$kept"
    ) || return
    mkdir -p "$out" && cp -a "$kept/." "$out/"
}

# archive DIR FILE...: prints an archive of the files. The same files give the same bytes, whenever they were written. It leaves
# out files that a compiler made.
archive() {
    tar -C "$1" --exclude='*.o' --exclude='*.ko' --exclude='*.mod*' --exclude='.*.cmd' --exclude=.git --exclude=__pycache__ \
        --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - "${@:2}"
}

# stage_selftests ARCH DIR: puts the test programs into DIR/stage/ARCH. They are the same on every kernel of ARCH. Programs for
# another architecture are built in the root of the suite that the guests' programs are of, because that has a compiler for them.
stage_selftests() {
    local arch=$1 ksft key root='' libs='' cc=gcc packages=(gcc libc6-dev linux-libc-dev libmnl-dev)
    if [[ $arch == "$host_arch" ]]; then
        need_packages make gcc libc6-dev libmnl-dev rsync
    else
        about "$arch"
        cc=${arch_triplet}-gcc packages=("gcc-${arch_triplet//_/-}" "libc6-dev-$arch-cross" "linux-libc-dev-$arch-cross")
        libs=$("$top/scripts/kernels" unpack "${arch_suite}/$arch" libmnl-dev libmnl0) || return
        "$top/scripts/kernels" add "${arch_suite}" rsync "${packages[@]}"
        root=$cache/roots/$(matrix suites | awk -v s="${arch_suite}" '$1 == s { print $3 }')
    fi
    ksft=$("$top/scripts/kernels" kselftest)
    key=$(selftests_key) || return
    keep "selftests-$arch" "$key" "$2/stage/$arch" make_selftests
}

# program_sources: prints an archive of what the programs are built from.
program_sources() {
    archive "$top" --exclude=selftests/{breaks,compat,kunit,modules} \
        selftests tools examples man src/steps.h packaging/bash-completion dkms.conf
}

# selftests_key: prints a hash of everything that the programs depend on. It uses the variables of stage_selftests.
selftests_key() {
    { program_sources && cat "$ksft/../../../debian-package" && echo "$libs" && where_built dpkg-query -W "${packages[@]}" && where_built "$cc" --version; } |
        md5sum | cut -c 1-12
}

# where_built CMD...: runs CMD where the programs are built, with the variables of stage_selftests.
where_built() { if [[ -n $root ]]; then "$top/scripts/kernels" run "${arch_suite}" "$@"; else "$@"; fi; }

# make_selftests STAGE: builds the programs from copies, with the variables of stage_selftests. The programs match the key only if
# no source changes meanwhile. So it checks the key again, and keeps the caller's environment out.
make_selftests() {
    local work mnl cross=()
    scratch "${root:-$cache}${root:+/tmp}"
    work=${scratch#"$root"}
    if [[ -n $libs ]]; then
        cp -a "$libs" "$scratch/libs" || return
        mnl=$work/libs/usr
        cross=("CROSS_COMPILE=${arch_triplet}-" "CC=${arch_triplet}-gcc -I$mnl/include -L$mnl/lib/${arch_triplet}")
    fi
    program_sources | tar -C "$scratch" -x && cp -a "${ksft%/tools/*}/." "$scratch/linux" || return
    quietly "building the selftests for $arch" "$cache/logs/selftests-$arch.log" \
        where_built env -u MAKEFLAGS -u MFLAGS -u CFLAGS -u CPPFLAGS -u LDFLAGS -u LDLIBS -u LLVM \
        make "-j$(nproc)" -C "$work/selftests" KSFT="$work/linux/tools/testing/selftests" OUTPUT="$work/out" STAGE="$work/stage" \
        "${cross[@]}" stage || return
    cp -a "$scratch/stage/." "$1/" || return
    [[ $(selftests_key) == "$key" ]] || { say "the selftests changed while they were built" && return 1; }
}
