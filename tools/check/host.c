// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/anyip6.h"
#include "check.h"

#define MODULES		"/lib/modules"
#define DKMS		"/var/lib/dkms"
#define EFIVARS		"/sys/firmware/efi/efivars/"
#define LOAD		"systemctl restart anyip6-load && systemctl reload-or-restart anyip6"
#define RELOAD		"modprobe -r anyip6 && " LOAD

/* --- The module's file --- */

static const char *install_it(const char *release)
{
	if (access(DKMS, F_OK))
		return fmt_text("apt install anyip6-modules-%s, or anyip6-dkms and headers",
				release);
	if (access(fmt_text(MODULES "/%s/build", release), F_OK))
		return fmt_text("apt install linux-headers-%s", release);
	return fmt_text("dkms autoinstall -k %s", release);
}

static int is_kernel(const struct dirent *entry)
{
	return *entry->d_name != '.' &&
		!access(fmt_text("/boot/vmlinuz-%s", entry->d_name), F_OK);
}

/* The kernel that boots next, most likely. NULL if there is none in /boot. */
static const char *newest_kernel(void)
{
	struct dirent **names;
	int n = scandir(MODULES, &names, is_kernel, versionsort);

	return n > 0 ? names[n - 1]->d_name : NULL;
}

static void check_files(const struct host *host)
{
	const char *newest = newest_kernel();

	if (module_file_missing(host->release))
		report("module-file", install_it(host->release),
		       "there is no module file for the running kernel %s", host->release);
	if (newest && strcmp(newest, host->release) && module_file_missing(newest))
		report("module-file-next", install_it(newest),
		       "there is no module file for kernel %s, which is installed", newest);
}

/* --- Loading --- */

static bool bracketed(const char *path, const char *word)
{
	const char *text = file_read(path);

	return text && strstr(text, fmt_text("[%s]", word));
}

static bool locked_down(void)
{
	static const char path[] = "/sys/kernel/security/lockdown";

	return bracketed(path, "integrity") || bracketed(path, "confidentiality");
}

static bool unsigned_file(void)
{
	return *command_line("modinfo -F filename anyip6 2>/dev/null") &&
		!*command_line("modinfo -F signer anyip6 2>/dev/null");
}

/* The last byte of the variable, after four of attributes. */
static bool secure_boot(void)
{
	FILE *f = fopen(EFIVARS "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", "re");
	unsigned char var[5] = {};
	bool on = f && fread(var, 1, sizeof(var), f) == sizeof(var) && var[4] == 1;

	if (f)
		fclose(f);
	return on;
}

#define KEY		DKMS "/mok.pub"
#define ENROL(what)	"mokutil --import " what " && reboot, then enrol it at the console"
#define SIGNER		"modinfo -F signer anyip6"
/* A module that was not built here. scripts/packaging/modules puts it there. */
#define IS_PREBUILT	"modinfo -F filename anyip6 2>/dev/null | grep /anyip6/anyip6.ko"
/* Prints 0 if the firmware does not know the signer, and nothing without mokutil. */
#define KNOWN		"command -v mokutil >/dev/null && " \
			"mokutil --list-enrolled 2>/dev/null | grep -cF \"$(" SIGNER ")\""

static void check_key_of_signer(void)
{
	if (!strcmp(command_line(KNOWN), "0"))
		report("key", ENROL("its certificate"),
		       "the firmware does not know the key of %s, who signed the module",
		       command_line(SIGNER));
}

static void check_key_of_dkms(void)
{
	const char *said = command_line("mokutil --test-key " KEY " 2>/dev/null");

	if (!access(KEY, R_OK) && strstr(said, "is not enrolled"))
		report("key", ENROL(KEY), "the firmware does not know the key of DKMS");
}

static void check_signature(void)
{
	if ((locked_down() || secure_boot()) && unsigned_file())
		report("signature", "sign it: docs/install.md#secure-boot",
		       "the kernel takes signed modules only, and the module's file has no signature");
	if (!secure_boot())
		return;
	if (*command_line(IS_PREBUILT))
		check_key_of_signer();
	else
		check_key_of_dkms();
}

static bool held_by_other(const char *line, const char *function)
{
	const size_t len = strlen(function);

	/* "NAME (USERS) R I ..." : the I is of who redirects it */
	return !strncmp(line, function, len) && line[len] == ' ' && strstr(line, " I ");
}

static void check_holders(void)
{
	FILE *f = fopen("/sys/kernel/tracing/enabled_functions", "re");
	char line[1024];

	while (f && fgets(line, sizeof(line), f))
		if (held_by_other(line, "ipv6_chk_addr"))
			report("held", "remove the live patch or the kprobe, then: " LOAD,
			       "another one redirects the kernel's function ipv6_chk_addr");
	if (f)
		fclose(f);
}

static void check_loading(const struct host *host)
{
	const struct module *m = &host->module;

	check_holders();
	check_signature();
	if (file_number("/proc/sys/kernel/ftrace_enabled") == 0)
		report("ftrace", "sysctl kernel.ftrace_enabled=1 && " LOAD,
		       "ftrace is off, and the module needs it");
	if (!module_file_missing(host->release))
		report("not-loaded", LOAD, "the module is not loaded%s%s",
		       *m->why ? ": " : "", m->why);
}

/* --- The loaded module --- */

static void check_version(const struct module *m)
{
	const char *file = command_line("modinfo -F version anyip6 2>/dev/null");

	if (*m->version && *file && strcmp(m->version, file))
		report("version", RELOAD, "version %s is loaded, and %s is installed",
		       m->version, file);
	else if (*m->version && strcmp(m->version, ANYIP6_VERSION))
		report("version", "install the same version of both packages",
		       "version %s of the module is loaded, and this tool is %s",
		       m->version, ANYIP6_VERSION);
}

static void check_hook(char (*w)[64])
{
	if (!strcmp(w[2], "unproven"))
		report("unproven", "journalctl -k -g anyip6 says why",
		       "%s keeps the kernel's own answers", w[0]);
}

/* /sys/kernel/livepatch/PATCH/OBJECT/FUNCTION,NUMBER */
static void check_patch(const char *path)
{
	const char *name = strrchr(path, '/') + 1, *text;
	const int len = strcspn(name, ",");
	char caller[128];

	snprintf(caller, sizeof(caller), "%.*s", len, name);
	text = file_read(HOOKS) ?: "__inet6_bind ";
	if (strstr(text, fmt_text("%s ", caller)))
		report("live-patch", "see docs/operate.md#live-patches-and-tracers",
		       "a live patch replaces %s, so it keeps the kernel's own answers",
		       caller);
}

static void check_patches(void)
{
	glob_t found = {};

	if (!glob("/sys/kernel/livepatch/*/*/*,*", 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			check_patch(found.gl_pathv[i]);
	globfree(&found);
}

/* --- What the next load and the next boot will do --- */

static bool known_parameter(const char *word)
{
	static const char *const names[] = { "default_on", "ndisc", "dyndbg" };
	const size_t len = strcspn(word, "=");
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	for (char *at = name; *at; at++)
		if (*at == '-')	/* it stands for _ */
			*at = '_';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

#define BLANKS	" \t\n"

/* A line of modprobe.d: options MODULE PARAMETER... */
static void check_options(const char *path, char *line)
{
	const char *first = strtok(line, BLANKS), *module = strtok(NULL, BLANKS), *word;

	if (!first || strcmp(first, "options") || !module || strcmp(module, "anyip6"))
		return;
	while ((word = strtok(NULL, BLANKS)))
		if (!known_parameter(word))
			report("parameter", "the parameters are default_on and ndisc",
			       "%s: the module ignores %s", path, word);
}

static void check_option_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		check_options(path, line);
	if (f)
		fclose(f);
}

static void check_parameters(void)
{
	char line[480];
	glob_t found = {};

	glob("/lib/modprobe.d/*.conf", 0, NULL, &found);
	glob("/run/modprobe.d/*.conf", GLOB_APPEND, NULL, &found);
	glob("/etc/modprobe.d/*.conf", GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_option_file(found.gl_pathv[i]);
	globfree(&found);
	if (module_logged("unknown parameter", line, sizeof(line)))
		report("parameter", "the parameters are default_on and ndisc; load it again",
		       "when it was loaded: %s", line);
}

/* Enabled, also elsewhere, or masked: somebody has decided. */
static bool enabled(const char *unit)
{
	return strcmp(command_line(fmt_text("systemctl is-enabled %s", unit)), "disabled");
}

static bool failed(const char *unit)
{
	return !strcmp(command_line(fmt_text("systemctl is-failed %s", unit)), "failed");
}

static bool has_units(void)
{
	return !access("/lib/systemd/system/anyip6.service", F_OK) ||
		!access("/usr/local/lib/systemd/system/anyip6.service", F_OK);
}

static void check_units(void)
{
	static const char *const units[] = { "anyip6-load.service", "anyip6.service" };

	for (size_t i = 0; i < 2; i++) {
		const char *unit = units[i];

		if (!enabled(unit))
			report("unit", fmt_text("systemctl enable %s", unit),
			       "%s is not enabled, so the next boot does not do its work", unit);
		if (failed(unit))
			report("unit-failed", fmt_text("systemctl status %s", unit),
			       "%s has failed", unit);
	}
}

void check_host(const struct host *host)
{
	if (host->module.is != BUILT_IN)
		check_files(host);
	if (host->module.is == NOT_LOADED)
		check_loading(host);
	if (host->module.is == LOADED) {
		check_version(&host->module);
		file_each_line(HOOKS, 3, check_hook);
	}
	check_patches();
	check_parameters();
	if (host->booted && has_units() && host->module.is != BUILT_IN)
		check_units();
	check_networkmanager();
}
