# SPDX-License-Identifier: GPL-2.0
# The end of each folder's Makefile. The folder has already set kselftest's variables (TEST_GEN_PROGS and so on).

include ../kselftest.mk

CFLAGS += -Wall -Wextra -O2 -I$(KSFT) -I../lib -I../world $(KHDR_INCLUDES)
# The programs also run in a VM's initramfs, which has no libc.
LDFLAGS += -static

LIB_DIR ?= $(abspath $(OUTPUT)/../lib)
LIB := $(LIB_DIR)/libanyip6.a
LDLIBS += $(LIB)

# Every program depends on these files. The compiler does not get them as arguments.
SHARED := $(wildcard *.h ../lib/*.h ../world/*.h ../../src/steps.h) Makefile ../folder.mk
LOCAL_HDRS += $(SHARED) $(LIB)

include $(KSFT)/lib.mk

# lib's own Makefile decides what to rebuild.
ifneq ($(LIB_DIR),$(OUTPUT))
$(LIB): FORCE
	@mkdir -p $(LIB_DIR)
	@$(MAKE) -C ../lib OUTPUT=$(LIB_DIR) $(LIB)
endif

FORCE:

.PHONY: FORCE
