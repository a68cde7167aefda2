# SPDX-License-Identifier: GPL-2.0
KDIR ?= /lib/modules/$(shell uname -r)/build

all: module

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(RM) tools/anyip6

tools:
	$(MAKE) -C tools

demo:
	scripts/demo

check:
	scripts/check

check-all:
	scripts/check --all

check-configs:
	scripts/configs

lint:
	scripts/lint

docs:
	scripts/docs

.PHONY: all module clean tools demo check check-all check-configs lint docs
