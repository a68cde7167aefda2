# SPDX-License-Identifier: GPL-2.0
# Where kselftest is: in a kernel tree around these folders, else in the copy that ../scripts/kernels fetches. KSFT= names another
# copy.

here := $(dir $(lastword $(MAKEFILE_LIST)))

ifeq ($(origin KSFT), undefined)
ifneq ($(wildcard $(here)../../lib.mk),)
KSFT := $(realpath $(here)../..)
else
KSFT := $(shell $(here)../scripts/kernels kselftest)
endif
endif

export KSFT
MAKEFLAGS += --no-print-directory
OUTPUT ?= $(CURDIR)
