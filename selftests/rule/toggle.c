// SPDX-License-Identifier: GPL-2.0
/* net.ipv6.anyip_bind: its values, who may write it, and which sockets it affects. */
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "harness.h"

#define FILE_NAME	"/proc/sys/" TOGGLE

static int any_ip_bind(void)
{
	return -udp_try(ADDR_ANY);
}

/* The kernel has the rule built in, so the sysctl exists without the module. */
static bool built_in(void)
{
	return access("/sys/module/anyip6", F_OK);
}

FIXTURE(toggle) {};

FIXTURE_SETUP(toggle)
{
	netns_any_ip();
	toggle_set(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(toggle) {}

TEST_F(toggle, absent)
{
	EXPECT_EQ(-1, access(FILE_NAME, F_OK));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(EADDRNOTAVAIL, any_ip_bind());
}

TEST_F(toggle, off)
{
	EXPECT_EQ(0, sysctl_read(TOGGLE));
	EXPECT_EQ(EADDRNOTAVAIL, any_ip_bind());
}

TEST_F(toggle, on)
{
	EXPECT_EQ(1, sysctl_read(TOGGLE));
	EXPECT_EQ(0, any_ip_bind());
}

/* Values. The mode is the value before the write. */

FIXTURE(value) {};

FIXTURE_VARIANT(value)
{
	const char *text;
	int err;
	int then;	/* the value afterwards, if err is 0 */
	bool lax;	/* a built-in toggle takes it: err is 0 */
};

FIXTURE_SETUP(value)
{
	netns_new();
	toggle_set(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(value) {}

#define TEST_VALUE(mode, before)					\
	TEST_F(value, mode)						\
	{								\
		int err = variant->lax && built_in() ? 0 : variant->err; \
									\
		EXPECT_EQ(-err, sysctl_write(TOGGLE, variant->text));	\
		EXPECT_EQ(err ? before : variant->then, sysctl_read(TOGGLE)); \
	}

TEST_VALUE(off, 0)
TEST_VALUE(on, 1)

#define TAKEN(name, text, then)	\
	FIXTURE_VARIANT_ADD(value, name) { text, 0, then, false }
#define REFUSED(name, text) \
	FIXTURE_VARIANT_ADD(value, name) { text, EINVAL, 0, false }
/* The kernel's own sysctls take the first of several values and ignore the rest. */
#define SEVERAL(name, text, first) \
	FIXTURE_VARIANT_ADD(value, name) { text, EINVAL, first, true }

TAKEN(zero, "0", 0);
TAKEN(one, "1", 1);
TAKEN(zero_newline, "0\n", 0);
TAKEN(one_newline, "1\n", 1);
REFUSED(two, "2");
REFUSED(minus_one, "-1");
REFUSED(letter, "x");
REFUSED(one_letter, "1x");
REFUSED(zero_letter, "0x");
SEVERAL(one_two, "1 2", 1);
SEVERAL(zero_one, "0 1", 0);
SEVERAL(one_zero, "1 0", 1);
SEVERAL(two_lines, "0\n1\n", 0);
REFUSED(space, " ");
REFUSED(newline, "\n");
REFUSED(wraps_to_0, "4294967296");
REFUSED(wraps_to_1, "4294967297");
REFUSED(wraps_to_0_long, "18446744073709551616");
REFUSED(word, "on");

/* An empty write changes nothing. */
FIXTURE(empty_write) {};

FIXTURE_SETUP(empty_write)
{
	netns_new();
	toggle_set(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(empty_write) {}

TEST_F(empty_write, off)
{
	EXPECT_EQ(0, sysctl_write(TOGGLE, ""));
	EXPECT_EQ(0, sysctl_read(TOGGLE));
}

TEST_F(empty_write, on)
{
	EXPECT_EQ(0, sysctl_write(TOGGLE, ""));
	EXPECT_EQ(1, sysctl_read(TOGGLE));
}

FIXTURE(file) {};

FIXTURE_SETUP(file) {}

FIXTURE_TEARDOWN(file) {}

TEST_F(file, on)
{
	struct stat st;

	ASSERT_EQ(0, stat(FILE_NAME, &st));
	EXPECT_EQ((mode_t)(S_IFREG | 0644), st.st_mode);
	EXPECT_EQ(0U, st.st_uid);
	EXPECT_EQ(0U, st.st_gid);
}

/* The first value of a new namespace */

FIXTURE(new_netns) {};

FIXTURE_SETUP(new_netns) {}

FIXTURE_TEARDOWN(new_netns) {}

static bool starts_on(void)
{
	char value = 'Y';
	int fd = open("/sys/module/anyip6/parameters/default_on", O_RDONLY);

	if (built_in())
		return false;
	if (fd >= 0 && read(fd, &value, 1) != 1)
		value = 'Y';
	return value == 'Y';
}

static void new_netns_check(struct __test_metadata *_metadata)
{
	/* A new namespace inherits neither its creator's value nor init's. */
	netns_new();
	toggle_set(mode_by_name(_metadata->name));
	netns_any_ip();
	EXPECT_EQ(starts_on(), sysctl_read(TOGGLE));
	EXPECT_EQ(starts_on() ? 0 : EADDRNOTAVAIL, any_ip_bind());
}

TEST_LOADED(new_netns, new_netns_check(_metadata))

/* Which sockets it affects */

FIXTURE(two_netns) {
	int ns[2];
};

FIXTURE_SETUP(two_netns)
{
	self->ns[0] = netns_any_ip();
	self->ns[1] = netns_any_ip();
}

FIXTURE_TEARDOWN(two_netns) {}

static void two_netns_expect(struct __test_metadata *_metadata, int fd, int value)
{
	netns_enter(fd);
	EXPECT_EQ(value, sysctl_read(TOGGLE));
	EXPECT_EQ(value ? 0 : EADDRNOTAVAIL, any_ip_bind());
}

/*
 * The mode is the value in the first namespace. The second one has the other
 * value, and then the same.
 */
static void two_netns_check(struct __test_metadata *_metadata, const int *ns)
{
	enum anyip6_mode mode = mode_by_name(_metadata->name);
	bool on = mode == MODE_ON;

	netns_enter(ns[0]);
	toggle_set(mode);
	netns_enter(ns[1]);
	toggle_set(on ? MODE_OFF : MODE_ON);
	two_netns_expect(_metadata, ns[0], on);
	two_netns_expect(_metadata, ns[1], !on);
	toggle_set(mode);
	two_netns_expect(_metadata, ns[0], on);
	two_netns_expect(_metadata, ns[1], on);
}

TEST_LOADED(two_netns, two_netns_check(_metadata, self->ns))

/* Each bind uses the toggle's current value. */
FIXTURE(next_bind) {};

FIXTURE_SETUP(next_bind)
{
	netns_any_ip();
}

FIXTURE_TEARDOWN(next_bind) {}

TEST_F(next_bind, on)
{
	for (int i = 0; i < 10; i++) {
		toggle_set(i % 2 ? MODE_ON : MODE_OFF);
		EXPECT_EQ(i % 2 ? 0 : EADDRNOTAVAIL, any_ip_bind());
	}
}

/* The toggle of the socket's netns counts, even if the process has moved on. */
FIXTURE(socket_netns) {};

FIXTURE_SETUP(socket_netns) {}

FIXTURE_TEARDOWN(socket_netns) {}

static int bind_from_elsewhere(enum anyip6_mode home, enum anyip6_mode away)
{
	const struct bind_spec spec = { .proto = PROTO_udp, .addr = ADDR_ANY };
	int fd, err;

	netns_any_ip();
	toggle_set(home);
	fd = sock_open(AF_INET6, &spec);
	netns_new();
	toggle_set(away);
	err = sock_bind(fd, AF_INET6, &spec);
	close(fd);
	return -err;
}

TEST_F(socket_netns, off)
{
	EXPECT_EQ(EADDRNOTAVAIL, bind_from_elsewhere(MODE_OFF, MODE_ON));
}

TEST_F(socket_netns, on)
{
	EXPECT_EQ(0, bind_from_elsewhere(MODE_ON, MODE_OFF));
}

/* Who may write it. The mode is the value before the write. */

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return done;
}

/*
 * Become an ordinary user who is root in a user namespace, perhaps with its own
 * netns.
 */
static bool become_userns_root(int flags)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_DUMPABLE, 1) ||
	    unshare(CLONE_NEWUSER | flags))
		return false;
	return write_text("/proc/self/setgroups", "deny") &&
		write_text("/proc/self/uid_map", "0 65534 1") &&
		write_text("/proc/self/gid_map", "0 65534 1") &&
		!setresuid(0, 0, 0);
}

static const char *other_value(const char *mode)
{
	return mode_by_name(mode) == MODE_ON ? "0" : "1";
}

FIXTURE(user) {};

FIXTURE_VARIANT(user)
{
	bool userns;
};

FIXTURE_SETUP(user)
{
	netns_new();
	toggle_set(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(user) {}

FIXTURE_VARIANT_ADD(user, ordinary) { .userns = false };
FIXTURE_VARIANT_ADD(user, userns_root) { .userns = true };

static void user_check(struct __test_metadata *_metadata, bool userns)
{
	bool on = mode_by_name(_metadata->name) == MODE_ON;

	if (userns) {
		if (!become_userns_root(0))
			SKIP(return, "no user namespace: %s", strerror(errno));
	} else {
		ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	}
	EXPECT_EQ(-EACCES, sysctl_write(TOGGLE, other_value(_metadata->name)));
	EXPECT_EQ(on, sysctl_read(TOGGLE));
}

TEST_LOADED(user, user_check(_metadata, variant->userns))

FIXTURE(userns_netns) {
	int outside;
};

FIXTURE_SETUP(userns_netns)
{
	self->outside = netns_new();
	toggle_set(mode_by_name(_metadata->name));
}

FIXTURE_TEARDOWN(userns_netns) {}

static int outside_toggle(int outside)
{
	int value;

	netns_enter(outside);
	value = sysctl_read(TOGGLE);
	return value;
}

static void userns_netns_check(struct __test_metadata *_metadata, int outside)
{
	bool on = mode_by_name(_metadata->name) == MODE_ON;
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		if (!become_userns_root(CLONE_NEWNET) ||
		    ip_run("link set lo up") ||
		    ip_run("route add local 2001:db8:a::/64 dev lo"))
			_exit(1);
		if (sysctl_write(TOGGLE, on ? "1" : "0") ||
		    any_ip_bind() != (on ? 0 : EADDRNOTAVAIL))
			_exit(2);
		if (sysctl_write(TOGGLE, on ? "0" : "1") ||
		    any_ip_bind() != (on ? EADDRNOTAVAIL : 0))
			_exit(3);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(on, outside_toggle(outside));
}

TEST_LOADED(userns_netns, userns_netns_check(_metadata, self->outside))

/* The toggle goes with its netns, even if someone holds the file open. */
FIXTURE(dead_netns) {};

FIXTURE_SETUP(dead_netns) {}

FIXTURE_TEARDOWN(dead_netns) {}

TEST_F(dead_netns, on)
{
	struct poll_until until = poll_begin();
	int ns = netns_new();
	int fd = open(FILE_NAME, O_RDWR);
	char buf[8];

	ASSERT_LE(0, fd);
	ASSERT_EQ(2, pread(fd, buf, sizeof(buf), 0));
	netns_new();
	close(ns);
	while (pread(fd, buf, sizeof(buf), 0) >= 0 && poll_again(&until))
		;
	EXPECT_EQ(-1, pread(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, pwrite(fd, "0", 1, 0));
	close(fd);
}

ANYIP6_HARNESS_MAIN(WORLD_NONE)
