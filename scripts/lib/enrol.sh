# shellcheck shell=bash
# Boots a whole system under Secure Boot and enrols keys, for the scripts that test a signed module. Scripts source this file after
# system.sh. It is not a program.
# shellcheck disable=SC2154 # by system.sh, and by the script that sources both

password=12345678 # used once, in the menu

# press TEXT KEYS [SECONDS]: presses KEYS when the machine has shown TEXT and then nothing more for SECONDS.
press() {
    local byte rc shown=''
    while ((SECONDS < end)); do
        rc=0
        LC_ALL=C read -r -N 1 -t "${3:-2}" -u "${console[0]}" byte || rc=$?
        shown+=$byte
        ((rc == 0 || rc > 128)) || break # the machine has ended
        ((!rc)) || [[ $shown != *"$1"* ]] || { printf '%b' "$2" >&"${console[1]}" && return; }
    done
    printf 'It does not ask "%s". It shows:\n%s\n' "$1" "$(tr -cd '[:print:]' <<<"$shown")"
    return 1
}

# Does what a user does at the keyboard when the machine starts again after mokutil --import. In the end the machine reboots. Here
# QEMU ends instead.
enrol() {
    local firmware console end=$((SECONDS + 300)) down='\e[B' enter='\r'
    need_packages qemu-system-x86
    secure_boot "$dir/vars.fd" "$dir/esp"
    coproc console { exec timeout 300 qemu-system-x86_64 -machine q35 "${firmware[@]}" -accel tcg,thread=single -cpu max -m 512 \
        -nodefaults -no-user-config -display none -no-reboot -device virtio-rng-pci -serial stdio; }
    press 'Press any key to perform MOK management' ' ' 0.2
    press 'Enroll hash from disk' "$down"
    press '' "$enter"
    press 'Continue' "$down"
    press '' "$enter"
    press 'Yes' "$down"
    press '' "$enter"
    press 'Password' "$password$enter"
    press 'Reboot' "$enter"
    # shellcheck disable=SC2154 # by coproc
    wait "$console_PID"
}

# boot STAGE [ARGUMENT]: boots $booted, or else $release, with this argument. One processor, because a second would only wait for the
# first.
boot() { run_machine "$1" "${booted:-$release}" --smp 1 --secure-boot "$dir/vars.fd" --append "${2:-}"; }

# enrol_and_boot: boots the disk, enrols the keys that the machine has handed over, and boots it again.
enrol_and_boot() {
    boot before "test.password=$password"
    say "$suite: enrolling the key"
    run_test enrol
    boot after
}
