# SPDX-License-Identifier: GPL-2.0
KDIR ?= /lib/modules/$(shell uname -r)/build
prefix ?= /usr/local
# Debian's kernels have names that `make kernelrelease` does not know.
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
# What install makes beside the module, for uninstall.
installed = $(addprefix $(DESTDIR)$(prefix)/,sbin/anyip6 share/man/man4/anyip6.4 \
	share/man/man8/anyip6.8) $(DESTDIR)/etc/modules-load.d/anyip6.conf

all: module

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(RM) tools/anyip6

tools:
	$(MAKE) -C tools

# Not for a system where the packages are installed. DESTDIR= and prefix= as usual.
install: module tools
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates modules_install
	install -D tools/anyip6 $(DESTDIR)$(prefix)/sbin/anyip6
	install -D -m 644 man/anyip6.4 $(DESTDIR)$(prefix)/share/man/man4/anyip6.4
	install -D -m 644 man/anyip6.8 $(DESTDIR)$(prefix)/share/man/man8/anyip6.8
	install -D -m 644 packaging/modules-load.conf $(DESTDIR)/etc/modules-load.d/anyip6.conf
	depmod $(if $(DESTDIR),-b $(DESTDIR)) $(release)

# A module that is loaded stays loaded. For a kernel whose headers are gone: release=, as `uname -r` has it.
uninstall:
	$(if $(release),,$(error no kernel headers in $(KDIR): give the KDIR= of the install, or release= with the name of the kernel))
	$(RM) $(installed) $(DESTDIR)/lib/modules/$(release)/updates/anyip6.ko*
	-rmdir --ignore-fail-on-non-empty $(DESTDIR)/lib/modules/$(release)/updates
	depmod $(if $(DESTDIR),-b $(DESTDIR)) $(release)

deb:
	scripts/deb

rpm:
	scripts/rpm

demo:
	scripts/demo

check:
	scripts/check

check-all:
	scripts/check --all

kunit:
	scripts/kunit

check-configs:
	scripts/configs

check-debug:
	scripts/configs --debug

check-breaks:
	scripts/breaks

check-packages:
	scripts/deb --check
	scripts/rpm --check
	scripts/packages
	scripts/lifecycle
	scripts/secureboot

check-apps:
	scripts/apps

lab:
	scripts/lab

bench:
	scripts/bench

lint:
	scripts/lint

docs:
	scripts/docs

.PHONY: all module clean tools install uninstall deb rpm demo check check-all kunit check-configs check-debug check-breaks check-packages check-apps lab bench lint docs
