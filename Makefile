# SPDX-License-Identifier: GPL-2.0
KDIR ?= /lib/modules/$(shell uname -r)/build
prefix ?= /usr/local
# Debian's kernels have names that `make kernelrelease` does not know.
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
# What install makes beside the module, for uninstall.
installed = $(addprefix $(DESTDIR)$(prefix)/,bin/anyip6 share/man/man4/anyip6.4 \
	share/man/man8/anyip6.8 share/bash-completion/completions/anyip6 \
	lib/systemd/system/anyip6.service lib/systemd/system/anyip6-load.service) \
	$(DESTDIR)/etc/iproute2/rt_protos.d/anyip6.conf
# Only on the machine itself, and if it has systemd.
units = $(if $(DESTDIR),,-! command -v systemctl >/dev/null || systemctl $(1) anyip6-load.service anyip6.service)

all: module ## 0 | The module, for the running kernel, or that of KDIR=

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean: ## 0 | Removes what was built
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(RM) tools/anyip6

tools: ## 0 | The tool, tools/anyip6
	$(MAKE) -C tools

# Not for a system where the packages are installed. DESTDIR= and prefix= as usual.
install: module tools ## 0 | Module, tool and man pages on this machine, below DESTDIR= and prefix=
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates modules_install
	install -D tools/anyip6 $(DESTDIR)$(prefix)/bin/anyip6
	install -D -m 644 packaging/bash-completion \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/anyip6
	install -D -m 644 man/anyip6.4 $(DESTDIR)$(prefix)/share/man/man4/anyip6.4
	install -D -m 644 man/anyip6.8 $(DESTDIR)$(prefix)/share/man/man8/anyip6.8
	install -D -m 644 -t $(DESTDIR)$(prefix)/lib/systemd/system packaging/systemd/anyip6.service packaging/systemd/anyip6-load.service
	sed -i 's#/usr/bin/anyip6#$(prefix)/bin/anyip6#' $(DESTDIR)$(prefix)/lib/systemd/system/anyip6.service
	install -D -m 644 packaging/rt_protos.conf $(DESTDIR)/etc/iproute2/rt_protos.d/anyip6.conf
	$(call units,enable)
	depmod $(if $(DESTDIR),-b $(DESTDIR)) $(release)

# A module that is loaded stays loaded. For a kernel whose headers are gone: release=, as `uname -r` has it.
uninstall: ## 0 | Removes what install put there
	$(if $(release),,$(error no kernel headers in $(KDIR): give the KDIR= of the install, or release= with the name of the kernel))
	$(call units,disable)
	$(RM) $(installed) $(DESTDIR)/lib/modules/$(release)/updates/anyip6.ko*
	-rmdir --ignore-fail-on-non-empty $(DESTDIR)/lib/modules/$(release)/updates
	depmod $(if $(DESTDIR),-b $(DESTDIR)) $(release)

deb: ## 2 | Debian packages, in dist/; with KERNELS="trixie ..." also of the module for these kernels
	scripts/packaging/deb

repo: ## 0 | An apt repository of the packages in dist/, in dist/repo
	scripts/packaging/repo

rpm: ## 2 | RPM packages, in dist/
	scripts/packaging/rpm

demo: ## 1 | Shows the module at work, in a VM
	scripts/demo

quick: ## 1 | One program, or one case, on one kernel: T=rule/bind V=prohibit KERNELS=trixie
	scripts/quick

check: ## 35 | Every test, in VMs, on the oldest kernel, that of this machine's suite and the newest
	scripts/check

check-all: ## 40 | The same on every kernel
	scripts/check --all

kunit: ## 2 | The rule beside a changing FIB, at native speed, in User Mode Linux
	scripts/kunit

check-configs: ## long | The module on kernels of other configurations
	scripts/configs

check-debug: ## long | On kernels that watch themselves: KASAN, KCSAN, lockdep, kmemleak, gcov
	scripts/configs --debug

check-breaks: ## long | Deliberate faults in the module, which the tests have to find
	scripts/breaks

check-packages: ## long | The packages, on whole systems in VMs, also with Secure Boot
	scripts/packaging/deb --check
	scripts/packaging/rpm --check
	scripts/packaging/packages
	scripts/packaging/lifecycle
	scripts/packaging/networks
	scripts/packaging/secureboot
	scripts/packaging/prebuilt

check-upstream: ## long | The kernel's own tests, on a kernel without patches/ and with them
	scripts/upstream

check-apps: ## long | Real programs on the addresses of a prefix, in VMs
	scripts/apps

check-day: ## long | A load balancer's day: requests of many programs while routes, module and networkd change, in a VM
	apps/day/run

lab: ## 2 | What lets bind() succeed, in IPv4 and IPv6
	scripts/lab

bench: ## long | What the module costs, in instructions
	scripts/bench

lint: ## 1 | What a machine can say about the style
	scripts/lint

docs: ## 5 | Writes the measured tables into the pages
	scripts/docs

# NAME: NEEDS ## MINUTES | WHAT: on two processors without KVM, once what is downloaded and kept is there. "long" is half an hour or more.
help: ## 0 | This list
	@sed -nE 's/^([a-z-]+):[^#]*## ([0-9]+|long) \| (.*)/\1|\2|\3/p' Makefile | awk -F '|' ' \
		BEGIN { print "Minutes of later runs, on two processors without KVM: the first run also downloads and builds. long: half an hour or more."; \
			printf "     %-16s minutes\n", "" } \
		{ printf "make %-16s %7s  %s\n", $$1, ($$2 == "0" ? "-" : $$2), $$3 }'

.PHONY: help quick all module clean tools install uninstall deb repo rpm demo check check-all kunit check-configs check-debug check-breaks check-packages check-upstream check-apps check-day lab bench lint docs
