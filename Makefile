# jumpbox: `make demo` to try it, `make check` to test it, `make install` to keep it.
#
# One binary and one link line per role: the link line is what a role can do.
# Everything built goes below $(BUILD); another BUILD is another set of objects.

PREFIX ?= /usr/local
DESTDIR ?=
# The default configuration is read from /etc; an installation elsewhere gets its sample beside it.
SYSCONFDIR ?= $(if $(filter /usr /usr/local /opt/%,$(PREFIX)),/etc,$(PREFIX)/etc)
SANITIZE ?=
BUILD ?= build/$(if $(SANITIZE),asan,release)

CC ?= gcc
PKG_CONFIG ?= pkg-config
OPT ?= $(if $(SANITIZE),-O1,-O2)
WARN = -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wvla
HARDEN = $(if $(SANITIZE),-fsanitize=address$(,)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined,-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection)
, := ,
define newline


endef
CFLAGS ?= -g
ALL_CPPFLAGS = -D_GNU_SOURCE -Iinclude -DLIBEXECDIR='"$(PREFIX)/libexec/jumpbox"' -DSBINDIR='"$(PREFIX)/sbin"' $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(OPT) $(WARN) $(HARDEN) -fPIE -pthread $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SANITIZE),-fsanitize=address$(,)undefined) $(LDFLAGS)

libs = $(shell $(PKG_CONFIG) --libs $(1))
STORE_LIBS = $(call libs,sqlite3 libcrypto)
ACCESS_LIBS = $(call libs,libargon2 libxcrypt libcrypto jansson liboath)
DOCKER_LIBS = $(call libs,libcurl libssl jansson)
CAST_LIBS = $(call libs,zlib)
BROKER_LIBS = $(call libs,libqrencode)
# libssh from its archive: src/session/packets.c reaches what it does not export.
SESSION_LIBS = -Wl,--wrap=_ssh_buffer_pack -Wl,-Bstatic $(call libs,libssh) -Wl,-Bdynamic -l:libgssapi_krb5.so.2 $(call libs,zlib libcrypto libseccomp ncursesw) -ldl

dirs = common cast store access docker supervisor session broker watcher metrics ctl helper
$(foreach d,$(dirs),$(eval SRC_$(d) := $(wildcard src/$(d)/*.c)))
$(foreach d,$(dirs),$(eval OBJ_$(d) := $(SRC_$(d):%.c=$(BUILD)/%.o)))

# The terminals that the menu knows: their entries are in the program.
OBJ_session += $(BUILD)/src/session/terminfo.o
$(BUILD)/src/session/terminfo.o: $(BUILD)/src/session/terminfo.c $(BUILD)/flags
	$(CC) $(ALL_CPPFLAGS) -Isrc/session $(ALL_CFLAGS) -c -o $@ $<
$(BUILD)/src/session/terminfo.c: src/session/terminfo.sh
	@mkdir -p $(@D)
	src/session/terminfo.sh > $@

LIBS = $(foreach l,docker access store cast common,$(BUILD)/lib$(l).a)
PROGRAMS = $(BUILD)/jumpboxd $(BUILD)/jumpbox-session $(BUILD)/jumpbox-broker \
	$(BUILD)/jumpbox-watcher $(BUILD)/jumpbox-metrics $(BUILD)/jumpboxctl

# The helper runs in containers of any kind: static, with musl, for each architecture that there is a compiler for.
HELPER_SRC = $(SRC_helper) $(patsubst %,src/common/%.c,buf mux text util)
HELPER_CFLAGS = -std=c11 -Os -fno-pie $(WARN) -fstack-protector-strong -ffunction-sections -fdata-sections $(CFLAGS)
# A part that is read-only after the start would be padded to 64 KiB on arm64, and there is next to nothing for it.
HELPER_LDFLAGS = -static -no-pie -s -Wl,--gc-sections -Wl,-z,norelro
musl_cc = $(1)-linux-gnu-gcc -specs /usr/lib/$(1)-linux-musl/musl-gcc.specs
HELPER_CC_amd64 = $(call musl_cc,x86_64)
HELPER_CC_arm64 = $(call musl_cc,aarch64)
HELPERS := $(foreach a,amd64 arm64,$(if $(shell echo | $(HELPER_CC_$(a)) -x c -S -o /dev/null - 2>&1 || echo no),,$(a)))
# Functions that nothing calls, and what they alone need, are not in it.
define helper_rules
$(BUILD)/helper.$(1)/%.o: %.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$(HELPER_CC_$(1)) $(ALL_CPPFLAGS) $(HELPER_CFLAGS) -MMD -MP -c -o $$@ $$<
$(BUILD)/jumpbox-helper.$(1): $(HELPER_SRC:%.c=$(BUILD)/helper.$(1)/%.o)
	$(HELPER_CC_$(1)) $(HELPER_LDFLAGS) -o $$@ $$^
endef
$(foreach a,amd64 arm64,$(eval $(call helper_rules,$(a))))
PROGRAMS += $(HELPERS:%=$(BUILD)/jumpbox-helper.%)
# The same with this machine's libc, for sanitizers.
$(BUILD)/jumpbox-helper: $(OBJ_helper) $(BUILD)/libcommon.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^
PROGRAMS += $(if $(SANITIZE),$(BUILD)/jumpbox-helper)

all: $(PROGRAMS)
	$(foreach a,$(filter-out $(HELPERS),amd64 arm64),@echo 'no jumpbox-helper for $(a): it needs its cross compiler and musl-dev:$(a)'$(newline))

# Another compiler, other flags or another prefix, which is compiled in, mean other objects.
$(BUILD)/flags: export FLAGS = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(HELPER_CFLAGS) $(HELPER_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); printenv FLAGS | cmp -s - $@ || printenv FLAGS > $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(foreach l,common cast store access docker,$(eval $(BUILD)/lib$(l).a: $(OBJ_$(l))))
$(BUILD)/lib%.a:
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/jumpboxd: $(OBJ_supervisor) $(BUILD)/libcommon.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^
# -rdynamic: libssh must find this executable's EVP_DigestSign and EVP_DigestVerify.
$(BUILD)/jumpbox-session: $(OBJ_session) $(BUILD)/libcast.a $(BUILD)/libcommon.a
	$(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(SESSION_LIBS) $(CAST_LIBS)
$(BUILD)/jumpbox-broker: $(OBJ_broker) $(LIBS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(STORE_LIBS) $(ACCESS_LIBS) $(DOCKER_LIBS) $(CAST_LIBS) $(BROKER_LIBS)
$(BUILD)/jumpbox-watcher: $(OBJ_watcher) $(foreach l,docker store common,$(BUILD)/lib$(l).a)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(STORE_LIBS) $(DOCKER_LIBS)
$(BUILD)/jumpbox-metrics: $(OBJ_metrics) $(BUILD)/libstore.a $(BUILD)/libcommon.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(STORE_LIBS) $(call libs,libmicrohttpd)
$(BUILD)/jumpboxctl: $(OBJ_ctl) $(LIBS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(STORE_LIBS) $(ACCESS_LIBS) $(DOCKER_LIBS) $(CAST_LIBS)

# Unit tests: one program per file that decides, linked with the libraries it tests.
UNIT_SRC = $(wildcard tests/unit/test_*.c)
UNIT = $(UNIT_SRC:%.c=$(BUILD)/%)
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIBS)
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(STORE_LIBS) $(ACCESS_LIBS) $(DOCKER_LIBS) $(CAST_LIBS) $(call libs,cmocka)
# The programs' own decisions are in no library.
$(BUILD)/tests/unit/test_limits: $(BUILD)/src/supervisor/limits.o $(BUILD)/src/supervisor/address.o
$(BUILD)/tests/unit/test_restart: $(BUILD)/src/supervisor/restart.o
$(BUILD)/tests/unit/test_supervisor_notify: $(BUILD)/src/supervisor/notify.o
$(BUILD)/tests/unit/test_supervisor_pidfile: $(BUILD)/src/supervisor/pidfile.o
$(BUILD)/tests/unit/test_supervisor_setup: $(BUILD)/src/supervisor/setup.o
$(BUILD)/tests/unit/test_supervisor_watcher: $(patsubst %,$(BUILD)/src/supervisor/%.o,watcher loop restart)
$(BUILD)/tests/unit/test_supervisor_spawn: $(BUILD)/src/supervisor/spawn.o
$(BUILD)/tests/unit/test_supervisor_zygotes: $(patsubst %,$(BUILD)/src/supervisor/%.o,zygotes loop restart)
$(BUILD)/tests/unit/test_supervisor_conns: $(patsubst %,$(BUILD)/src/supervisor/%.o,conns loop limits address)
$(BUILD)/tests/unit/test_reexec: $(patsubst %,$(BUILD)/src/supervisor/%.o,reexec listen address spawn)
$(BUILD)/tests/unit/test_supervisor_metrics: $(patsubst %,$(BUILD)/src/supervisor/%.o,metrics loop restart)
$(BUILD)/tests/unit/test_metrics_text: $(BUILD)/src/metrics/text.o
$(BUILD)/tests/unit/test_broker_answer_at: $(BUILD)/src/broker/answer_at.o
$(BUILD)/tests/unit/test_broker_shutdown: $(BUILD)/src/broker/shutdown.o
$(BUILD)/tests/unit/test_ctl_args: $(BUILD)/src/ctl/args.o $(BUILD)/src/ctl/fail.o
$(BUILD)/tests/unit/test_ctl_input: $(BUILD)/src/ctl/input.o $(BUILD)/src/ctl/fail.o
$(BUILD)/tests/unit/test_watcher_touched: $(BUILD)/src/watcher/touched.o
$(BUILD)/tests/unit/test_broker_list_row: $(BUILD)/src/broker/list_row.o
$(BUILD)/tests/unit/test_broker_dispatch: $(BUILD)/src/broker/dispatch.o
BROKER_WHOLE = $(patsubst %,$(BUILD)/tests/unit/test_broker_%,recheck replay carry notes)
$(BROKER_WHOLE): $(filter-out %/main.o,$(OBJ_broker))
$(BROKER_WHOLE): ACCESS_LIBS += $(BROKER_LIBS)
$(BUILD)/tests/unit/test_session_record: $(BUILD)/src/session/record.o
$(BUILD)/tests/unit/test_old_recordings: $(BUILD)/src/watcher/old_recordings.o
$(BUILD)/tests/unit/test_sync_recordings: $(BUILD)/src/watcher/sync_recordings.o
$(BUILD)/tests/unit/test_session_timers: $(BUILD)/src/session/timers.o
$(BUILD)/tests/unit/test_session_mux_client: $(patsubst %,$(BUILD)/src/session/%.o,mux_client mux_stream mux_chan)
SESSION_PURE = line qr ui_model ui_plain ui_json ui_input ui_filter ui_list ui_keys ui_columns ui_edit ui_page ui_help ui_menu ui_list_actions ui_page_actions ui_view
$(SESSION_PURE:%=$(BUILD)/tests/unit/test_session_%): $(SESSION_PURE:%=$(BUILD)/src/session/%.o)
$(BUILD)/tests/unit/test_session_cmdline: $(BUILD)/src/session/cmdline.o
$(BUILD)/tests/unit/test_session_log_text: $(BUILD)/src/session/log_text.o
$(BUILD)/tests/unit/test_session_ui_tables: $(patsubst %,$(BUILD)/src/session/%.o,ui_columns ui_details ui_filter ui_hosts ui_json ui_list ui_model ui_stats ui_table)
$(BUILD)/tests/unit/test_session_ui_screen: $(patsubst %,$(BUILD)/src/session/%.o,$(SESSION_PURE) ui_screen terminfo)
$(BUILD)/tests/unit/test_session_ui_screen: STORE_LIBS += $(call libs,ncursesw)
$(BUILD)/tests/unit/test_helper_mask: $(BUILD)/src/helper/mask.o
$(BUILD)/tests/unit/test_helper_copy: $(patsubst %,$(BUILD)/src/helper/%.o,copy_wire copy_path)
unit: $(UNIT)

# A session that was taken over, against the real broker.
$(BUILD)/tests/e2e/hostile: $(patsubst %,$(BUILD)/tests/e2e/%.o,hostile hostile_cases hostile_lab hostile_peer) $(LIBS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(STORE_LIBS) $(ACCESS_LIBS) $(DOCKER_LIBS) $(CAST_LIBS)

# Fuzz targets: clang's libFuzzer, ASan and UBSan over the same sources, in build/fuzz.
# `fuzz` mutates for FUZZ_SECONDS (60) a target, `fuzz-replay` runs the kept corpus once.
FUZZ_CC ?= clang
FUZZ = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(LIBS)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) $(STORE_LIBS) $(ACCESS_LIBS) $(DOCKER_LIBS) $(CAST_LIBS)
$(BUILD)/tests/fuzz/fuzz_input: $(BUILD)/src/session/ui_input.o
$(BUILD)/tests/fuzz/fuzz_sftp: $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/helper/sftp*.c))
$(BUILD)/tests/fuzz/fuzz_mux_client: $(patsubst %,$(BUILD)/src/session/%.o,mux_client mux_stream mux_chan) $(BUILD)/tests/fuzz/mux_peer.o
$(BUILD)/tests/fuzz/fuzz_copy: $(BUILD)/src/helper/copy_wire.o
$(BUILD)/tests/fuzz/fuzz_copy_in: $(patsubst %,$(BUILD)/src/helper/%.o,copy_file copy_path copy_place copy_wire note) $(BUILD)/tests/fuzz/copy_source.o
$(patsubst %,$(BUILD)/tests/fuzz/fuzz_%,sftp copy_in helper): $(BUILD)/tests/fuzz/jail.o
$(BUILD)/tests/fuzz/fuzz_helper: $(filter-out $(patsubst %,$(BUILD)/src/helper/%.o,main spawn resolve keeper fatal),$(OBJ_helper)) $(BUILD)/tests/fuzz/helper_world.o
$(BUILD)/tests/fuzz/fuzz_helper: STORE_LIBS += $(patsubst %,-Wl$(,)--wrap=%,kill waitpid clock_gettime ppoll)
$(BUILD)/tests/fuzz/fuzz_sftp: $(BUILD)/src/helper/note.o
fuzz-programs: $(FUZZ)
fuzz fuzz-replay:
	@$(MAKE) SANITIZE=1 BUILD=build/fuzz CC='$(FUZZ_CC)' CFLAGS='-g -fsanitize=fuzzer-no-link' fuzz-programs
	@tests/fuzz/run $(if $(filter fuzz,$@),fuzz,replay) build/fuzz/tests/fuzz

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/libexec/jumpbox
	install -m 755 $(BUILD)/jumpboxd $(BUILD)/jumpboxctl $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(BUILD)/jumpbox-session $(BUILD)/jumpbox-broker $(BUILD)/jumpbox-watcher \
		$(BUILD)/jumpbox-metrics $(HELPERS:%=$(BUILD)/jumpbox-helper.%) $(DESTDIR)$(PREFIX)/libexec/jumpbox
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,share/man/man5 share/man/man8 lib/systemd/system lib/sysusers.d lib/tmpfiles.d)
	install -m 644 docs/jumpboxd.8 docs/jumpboxctl.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 docs/jumpbox.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5
	sed 's|@PREFIX@|$(PREFIX)|g' systemd/jumpbox.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/jumpbox.service
	install -m 644 systemd/jumpbox.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/jumpbox.conf
	install -m 644 systemd/jumpbox.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/jumpbox.conf
	install -d $(DESTDIR)$(SYSCONFDIR)/jumpbox
	[ -e $(DESTDIR)$(SYSCONFDIR)/jumpbox/jumpbox.conf ] || \
		install -m 644 etc/jumpbox.conf $(DESTDIR)$(SYSCONFDIR)/jumpbox/jumpbox.conf

demo:
	@tests/demo

check:
	@tests/deps
	@tests/run

bench:
	@tests/deps
	@$(MAKE) -s PREFIX=$(CURDIR)/build/root-release BUILD=build/release install
	@JUMPBOX_PREFIX=$(CURDIR)/build/root-release tests/bench/run
	@JUMPBOX_PREFIX=$(CURDIR)/build/root-release tests/bench/scale
	@JUMPBOX_PREFIX=$(CURDIR)/build/root-release tests/bench/sftp
	@JUMPBOX_PREFIX=$(CURDIR)/build/root-release tests/bench/files

# What takes too long for `check`: three quarters of an hour, and 12 GB of disk.
soak:
	@tests/deps
	@$(MAKE) -s PREFIX=$(CURDIR)/build/root-release BUILD=build/release install
	@JUMPBOX_PREFIX=$(CURDIR)/build/root-release JUMPBOX_BUILD=$(CURDIR)/build/release JUMPBOX_TEST_FILES=10000 \
		/usr/bin/python3 -m pytest -v -p no:cacheprovider --durations=0 tests/e2e/soak.py

check-format:
	clang-format --dry-run -Werror $$(git -c safe.directory=* ls-files '*.c' '*.h')

check-lint:
	tests/lint

clean:
	rm -rf build

FORCE:
.PHONY: all unit demo fuzz-programs fuzz fuzz-replay install bench check soak check-format check-lint clean FORCE
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
