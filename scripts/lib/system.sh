# shellcheck shell=bash
# Makes whole systems with our packages, for the scripts that boot them. Scripts source this file after common.sh. It is not a
# program. Its files go to $work, and the files of one suite to $dir.
# shellcheck disable=SC2154 # by common.sh, and by the script that sources both

# The folder of the packages and the tests in a system.
opt=/opt/test
version=$(package_version)

# system SUITE: sets release, another and system. The system is a minimal Debian with systemd and a kernel. It also holds the
# packages that the tests install, because the machine has no network.
system() {
    local suite=$1 root
    root=$(realpath "$(scripts/kernels get "$suite")/root")
    release=$(<"$(scripts/kernels get "$suite")/release")
    another=${release/-cloud-/-}
    system=$cache/systems/$suite-$release
    [[ ! -e $system ]] || return 0
    lock "system-$suite"
    need_packages mmdebstrap debian-archive-keyring
    scratch "$cache/systems"
    quietly "$suite: installing a system" "$cache/logs/system-$suite.log" make_system || die "$suite: no system can be installed"
    rm -rf --one-file-system "$cache/systems/$suite"-*
    mv "$scratch/system" "$system"
}

make_system() {
    local sources=$root/etc/apt/sources.list new=$scratch/system
    mmdebstrap --mode=root --variant=important --skip=cleanup/apt/lists \
        --include="linux-image-$release,initramfs-tools,systemd-sysv,dbus,udev,kmod,procps,iproute2,socat" \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
        --aptopt='APT::Sandbox::User "root"' --dpkgopt=force-unsafe-io "$suite" "$new" - <"$sources" &&
        echo '/dev/vda / ext4 defaults 0 1' >"$new/etc/fstab" &&
        echo anyip6-vm >"$new/etc/hostname" &&
        chroot "$new" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -d -o Dpkg::Use-Pty=0 install \
            dkms openssl libmnl0 mokutil "linux-headers-$release" "linux-image-$another" "linux-headers-$another"
}

# system_with NAME PACKAGE...: call it after system. It adds more packages, whose units do not start, and sets system. The result
# is kept in a folder of its own, for the next call with NAME.
system_with() {
    local above=$cache/systems/$1-$suite-$release
    shift
    if [[ $(cat "$above/packages" 2>/dev/null) != "$*" ]]; then
        (lock "${above##*/}" && make_system_with "$@") || exit 1
    fi
    system=$above/upper:$system
}

make_system_with() {
    local unit name
    scratch "$cache/systems"
    mkdir -p "$scratch"/{upper/usr/sbin,upper/etc/systemd/system,work,root}
    # Without systemd running, packages would start their programs on this machine.
    printf '#!/bin/sh\nexit 101\n' | command install -m 755 /dev/stdin "$scratch/upper/usr/sbin/policy-rc.d"
    quietly "$suite: installing $*" "$cache/logs/${above##*/}.log" add_packages "$@" || die "$suite: these packages cannot be installed: $*"
    rm "$scratch/upper/usr/sbin/policy-rc.d"
    for unit in "$scratch"/upper/usr/lib/systemd/system/*.*; do
        name=${unit##*/}
        [[ ! -f $unit || -e $system/usr/lib/systemd/system/$name ]] || ln -sf /dev/null "$scratch/upper/etc/systemd/system/$name"
    done
    echo "$*" >"$scratch/packages"
    rm -rf --one-file-system "${above%"$release"}"*
    mv "$scratch" "$above"
}

add_packages() {
    in_layer "$system" "$scratch" apt-get -q -y update &&
        in_layer "$system" "$scratch" apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends install "$@" &&
        in_layer "$system" "$scratch" apt-get clean
}

# The tool is built on the oldest suite, so that one build runs on all suites.
builder=bullseye

# packages VERSION...: builds the packages into $work/debs.
packages() {
    local root
    root=$(realpath "$(scripts/kernels get "$builder")/root")
    scratch "$work"
    mkdir -p "$scratch"/{upper,work,root}
    scripts/packaging/deb --tree "$scratch/upper/build/tree"
    quietly "building the packages" "$cache/logs/${work##*/}-build.log" build_all "$@" || exit 1
    mkdir -p "$work/debs"
    cp "$scratch"/upper/build/*.deb "$work/debs/"
}

build_all() {
    local each
    in_layer "$root" "$scratch" apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends build-dep /build/tree || return
    for each; do build_in "$each" || return; done
}

# build_in VERSION: builds the packages in the oldest suite's root.
build_in() {
    local tree=$scratch/upper/build/tree-$1
    scripts/packaging/deb --tree "$tree" "$1"
    in_layer "$root" "$scratch" env -C "/build/tree-$1" DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage --build=binary --no-sign
}

# --- The system while it is not booted: $system, with the changes in $layer ---

# start_layer FILE...: begins a layer with these files and folders.
start_layer() {
    mkdir -p "$layer"/{upper"$opt",work,root}
    cp -r "$@" "$layer/upper$opt/"
}

in_system() { in_layer "$system" "$layer" "$@"; }

apt() { in_system apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }

debs_of() { printf "$opt/%s\n" "anyip6_$1_$host_arch.deb" "anyip6-dkms_$1_all.deb"; }

dkms_built() { in_system dkms status anyip6 -k "$1" | grep -w installed; }

# install_packages VERSION: installs both packages, and the headers that DKMS needs.
install_packages() {
    local debs
    mapfile -t debs < <(debs_of "$1")
    apt install "linux-headers-$release" "${debs[@]}"
    dkms_built "$release"
}

# image GUEST RELEASE...: makes a disk in $dir with the system as it now is. The program GUEST runs when it boots. The kernels go
# to the folders that scripts/vm wants.
image() {
    local each unit=$layer/upper/etc/systemd/system
    mkdir -p "$unit/multi-user.target.wants"
    cp scripts/guest/guest.service "$unit/"
    ln -sf ../guest.service "$unit/multi-user.target.wants/"
    command install -m 755 "$1" "$layer/upper$opt/guest"
    command install -m 644 scripts/guest/guest.sh "$layer/upper$opt/"
    rm -rf "${dir:?}"/{disk,boot}
    truncate -s 6G "$dir/disk"
    # shellcheck disable=SC2016
    with_layer "$system" "$layer" bash -euc '
        mke2fs -q -t ext4 -d "$1/root" "$2/disk"
        mkdir -p "$2/boot"
        cp "$1"/root/boot/{vmlinuz,initrd.img,config}-* "$2/boot/"' - "$layer" "$dir"
    shift
    for each; do lay_out "$each"; done
}

# lay_out RELEASE: copies a kernel to the folder that scripts/vm wants.
lay_out() {
    local from=$dir/boot to=$dir/kernel-$1
    mkdir -p "$to"
    cp "$from/vmlinuz-$1" "$to/vmlinuz"
    cp "$from/initrd.img-$1" "$to/initrd"
    cp "$from/config-$1" "$to/config"
    echo "$1" >"$to/release"
}

# --- The verdict ---

# run_test NAME: runs a test in a shell of its own, so that the first command that fails ends it.
run_test() {
    local begin=$EPOCHSECONDS
    (trap - ERR && "$1") >"$dir/$1.out" 2>&1 </dev/null &
    if wait "$!"; then
        echo "ok $suite $1 # $((EPOCHSECONDS - begin)) s"
    else
        tail -n 30 "$dir/$1.out" | sed 's/^/# /'
        echo "not ok $suite $1"
    fi
}

# say_results: says each result that it reads.
say_results() {
    local line
    while IFS= read -r line; do [[ ! $line =~ ^(not )?ok ]] || say "$suite: $line"; done
}

# run_machine STAGE RELEASE [OPTION...]: boots the disk, with more options of scripts/vm. A machine that died or warned has
# failed, whatever its tests said.
run_machine() {
    local stage=$1 code=0 begin=$EPOCHSECONDS
    say "$suite: booting $2, $stage"
    scripts/vm --kernel-dir "$dir/kernel-$2" --disk "$dir/disk" --mem 1024 --timeout "${LIMIT:-1800}" --log "$dir/$stage.log" \
        --append "test.stage=$stage test.version=$version" "${@:3}" | tee "$dir/$stage.ktap" | say_results || code=${PIPESTATUS[0]}
    sed "s/^\(ok\|not ok\) /&$suite /" "$dir/$stage.ktap"
    if ((code)); then
        echo "not ok $suite $stage: the machine's exit code is $code"
    else
        echo "ok $suite $stage: clean # $((EPOCHSECONDS - begin)) s"
    fi
}

# totals: numbers the results that it reads, and ends with the line of totals.
totals() {
    awk '
        /^ok /     { sub("ok ", "ok " ++n " "); passed++ }
        /^not ok / { sub("not ok ", "not ok " ++n " "); failed++ }
        { print }
        END { print "1.." n; printf "%d passed, %d failed, 0 skipped\n", passed, failed; exit failed || !passed }'
}
