# make              build/flowgen (stops with a word about `make deps` where libbpf is missing or too old)
# make deps         install what the build needs (Debian 12, 13); TESTS=1 adds what the tests need
# make demo         deps, build, and run the demonstration
# make check        deps with TESTS=1, build everything, fetch kernels and docker, lint, run every test (check-quick: no lint, no VMs)
# make lint | format | fuzz | bench | static | install | uninstall | clean
# make SAN=1 BUILD=build/san    everything with the address and undefined-behaviour sanitizers
VERSION := 0.1.0

PREFIX ?= /usr/local
DESTDIR ?=
SBINDIR ?= $(PREFIX)/sbin
DATADIR ?= $(PREFIX)/share
BUILD ?= build
DEPS := build/deps
FUZZ_SECONDS ?= 600

CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
MAKEFLAGS += --no-print-directory
# All processors are used without asking; a make started by this one shares its parent's.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# V=1 shows the commands.
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@;)

# --- libraries -------------------------------------------------------------------------------------------------------
# Nothing here may fail where tools are missing: `make deps` has to work on a bare system.
LIBBPF_MIN := 1.4
PKGS := libnl-3.0 libnl-route-3.0 jansson yaml-0.1 libpcap
deps_libbpf := $(firstword $(wildcard $(DEPS)/usr/lib/*/libbpf.a))
arch := $(shell uname -m)
ifneq ($(deps_libbpf),)
libbpf_found := yes
sys_includes := -isystem $(DEPS)/usr/include -isystem $(DEPS)/usr/include/$(arch)-linux-gnu
libbpf_libs := $(deps_libbpf) -lelf -lz
else
libbpf_found := $(shell $(PKG_CONFIG) --atleast-version=$(LIBBPF_MIN) libbpf 2>/dev/null && echo yes)
sys_includes := $(addprefix -isystem ,$(wildcard /usr/include/$(arch)-linux-gnu))
libbpf_libs := $(shell $(PKG_CONFIG) --libs libbpf 2>/dev/null) -lelf -lz
endif
pkg_missing := $(shell for p in $(PKGS); do $(PKG_CONFIG) --exists $$p 2>/dev/null || printf ' %s' $$p; done)
pkg_missing += $(if $(libbpf_found),,libbpf>=$(LIBBPF_MIN))
pkg_missing += $(foreach tool,$(CC) $(CLANG) $(BPFTOOL),$(if $(shell command -v $(tool)),,$(tool)))
pkg_cflags := $(shell $(PKG_CONFIG) --cflags-only-I $(PKGS) 2>/dev/null)
pkg_libs := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

# --- flags -----------------------------------------------------------------------------------------------------------
CFLAGS ?= -O2 -g
WERROR ?= -Werror
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wvla \
	-Wpointer-arith -Wwrite-strings -Wundef -Wno-missing-field-initializers \
	-Wno-unknown-warning-option -Wno-format-truncation $(WERROR)
harden := -fstack-protector-strong -fPIE
ifneq ($(SAN),)
sanitize := -fsanitize=address,undefined
harden += $(sanitize) -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
harden += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
cppflags := -D_GNU_SOURCE -DFLOWGEN_VERSION='"$(VERSION)"' -Ilib -Ibpf -I$(BUILD)/bpf $(sys_includes) \
	$(patsubst -I%,-isystem %,$(pkg_cflags)) $(CPPFLAGS)
cflags := -std=gnu11 $(warnings) $(harden) $(CFLAGS)
ldflags := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(sanitize) $(LDFLAGS)
libs := $(libbpf_libs) $(pkg_libs) -lpthread
bpf_arch := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(arch)))
bpf_cflags := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-declarations \
	-D__TARGET_ARCH_$(bpf_arch) -Ibpf $(sys_includes)

# --- sources ---------------------------------------------------------------------------------------------------------
# The programs that share maps are linked to one object; each other program file is an object and a skeleton of its own.
DATAPATH_BPF := inject path tap
datapath_srcs := $(wildcard $(DATAPATH_BPF:%=bpf/%.bpf.c))
bpf_names := $(patsubst bpf/%.bpf.c,%,$(filter-out $(datapath_srcs),$(wildcard bpf/*.bpf.c)))
skeletons := $(bpf_names:%=$(BUILD)/bpf/%.skel.h) $(if $(datapath_srcs),$(BUILD)/bpf/datapath.skel.h)
lib_srcs := $(wildcard lib/*.c)
lib_objs := $(lib_srcs:lib/%.c=$(BUILD)/lib/%.o)
cmd_srcs := $(wildcard cmd/*.c)
cmd_objs := $(cmd_srcs:cmd/%.c=$(BUILD)/cmd/%.o)
lib := $(BUILD)/lib/libflowgen.a
support_srcs := $(wildcard tests/support/*.c)
support_objs := $(support_srcs:%.c=$(BUILD)/%.o)
support := $(if $(support_srcs),$(BUILD)/tests/libsupport.a)
cmocka_srcs := $(wildcard tests/unit/test_*.c tests/prog/test_*.c)
cmocka_bins := $(cmocka_srcs:%.c=$(BUILD)/%)
tool_srcs := $(wildcard tests/tool/*.c tests/bench/*.c)
tool_bins := $(tool_srcs:%.c=$(BUILD)/%)
test_bpf := $(patsubst tests/bpf/%.bpf.c,$(BUILD)/tests/bpf/%.bpf.o,$(wildcard tests/bpf/*.bpf.c))
fuzz_srcs := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_bins := $(fuzz_srcs:tests/fuzz/%.c=$(BUILD)/fuzz/%)

.PHONY: all tests deps deps-test demo check check-quick check-build docker vm-kernels fuzz fuzz-build bench bench-build static \
	lint format install uninstall clean have-libs FORCE

all: $(BUILD)/flowgen

have-libs:
ifneq ($(strip $(pkg_missing)),)
	@echo 'flowgen: missing here: $(strip $(pkg_missing)). On Debian 12 or 13, run: make deps' >&2; exit 1
endif

# --- stages: what is installed decides how the rest is built, so each of these starts make anew ----------------------
deps:
	@.ci/deps build $(if $(TESTS),test)

deps-test:
	@.ci/deps build test

demo:
	@.ci/deps build
	@$(MAKE) all
	@$(BUILD)/flowgen demo

check:
	@.ci/deps build test
	@$(MAKE) check-build docker vm-kernels
	@tests/run

check-quick:
	@.ci/deps build test
	@$(MAKE) check-build docker
	@tests/run quick

tests: $(cmocka_bins) $(tool_bins) $(test_bpf)
check-build: all tests fuzz-build static

# --- BPF -------------------------------------------------------------------------------------------------------------
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(BUILD)/flags | have-libs
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(bpf_cflags) -MMD -MP -c $< -o $@

# `gen object` of a single file drops its debugging sections and keeps its BTF.
$(BUILD)/bpf/datapath.o: $(datapath_srcs:bpf/%.c=$(BUILD)/bpf/%.o)
	$(call say,LINK)$(BPFTOOL) gen object $@ $^

$(bpf_names:%=$(BUILD)/bpf/%.o): $(BUILD)/bpf/%.o: $(BUILD)/bpf/%.bpf.o
	$(call say,LINK)$(BPFTOOL) gen object $@ $<

$(skeletons): $(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.o
	$(call say,SKEL){ echo '/* NOLINTBEGIN: bpftool wrote this */'; \
		$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf && echo '/* NOLINTEND */'; } > $@

$(BUILD)/tests/bpf/%.bpf.o: tests/bpf/%.bpf.c $(BUILD)/flags | have-libs
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(bpf_cflags) -MMD -MP -c $< -o $@

# --- C ---------------------------------------------------------------------------------------------------------------
# Another compiler or other flags rebuild everything, and the same ones nothing.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(CC) $(CLANG) $(cppflags) $(cflags) $(ldflags) $(libs) $(bpf_cflags)) | \
		cmp -s - $@ || printf '%s\n' $(call quote,$(CC) $(CLANG) $(cppflags) $(cflags) $(ldflags) $(libs) $(bpf_cflags)) > $@
quote = '$(subst ','\'',$(1))'

$(BUILD)/%.o: %.c $(BUILD)/flags | have-libs $(skeletons)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(cppflags) $(cflags) $(extra) -MMD -MP -c $< -o $@

# Tests are run from anywhere and must find the build.
$(BUILD)/tests/%.o: private extra = -Itests/support -DFLOWGEN_BUILD_DIR='"$(abspath $(BUILD))"' -DFLOWGEN_SOURCE_DIR='"$(CURDIR)"'

# Made anew each time: ar would keep members whose source is gone.
$(lib): $(lib_objs)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(BUILD)/tests/libsupport.a: $(support_objs)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(BUILD)/flowgen: $(cmd_objs) $(lib)
	$(call say,LD)$(CC) $(cflags) $(ldflags) $^ $(libs) -o $@

$(cmocka_bins): $(BUILD)/%: $(BUILD)/%.o $(support) $(lib)
	$(call say,LD)$(CC) $(cflags) $(ldflags) $^ -lcmocka $(libs) -o $@

$(tool_bins): $(BUILD)/%: $(BUILD)/%.o $(support) $(lib)
	$(call say,LD)$(CC) $(cflags) $(ldflags) $^ $(libs) -o $@

# --- fuzzing: the library once more, instrumented --------------------------------------------------------------------
fuzz_cflags := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz_lib := $(BUILD)/fuzz/libflowgen.a

$(BUILD)/fuzz/lib/%.o: lib/%.c $(BUILD)/flags | have-libs $(skeletons)
	@mkdir -p $(@D)
	$(call say,FUZZ)$(CLANG) $(cppflags) $(fuzz_cflags) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(fuzz_lib): $(lib_srcs:%.c=$(BUILD)/fuzz/%.o)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(fuzz_bins): $(BUILD)/fuzz/%: tests/fuzz/%.c $(fuzz_lib)
	$(call say,FUZZ)$(CLANG) $(cppflags) $(fuzz_cflags) -fsanitize=fuzzer -MMD -MP -MF $@.d $< $(fuzz_lib) $(libs) -o $@

fuzz-build: $(fuzz_bins)

# Each target gets its share of FUZZ_SECONDS; what it finds interesting stays in build/fuzz/corpus for the next run.
fuzz: fuzz-build
	@BUILD=$(abspath $(BUILD)) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run fuzz

# --- virtual machines ------------------------------------------------------------------------------------------------
vm-kernels: build/vm/6.1/release build/vm/6.12/release build/vm/7.3/release
build/vm/6.1/release: private suite = bookworm
build/vm/6.12/release: private suite = bookworm-backports
build/vm/7.3/release: private suite = trixie-backports
build/vm/%/release: | build/vm
	tests/vm/fetch-kernel $(suite) build/vm/$*
build/vm:
	@mkdir -p $@

# For tests with its pods; where it cannot be had they are skipped, and say so.
docker: build/docker/dockerd
build/docker/dockerd:
	-tests/realpods/fetch-docker build/docker

# --- measuring, releasing --------------------------------------------------------------------------------------------
bench-build: all $(tool_bins)
bench: bench-build
	@FLOWGEN=$(abspath $(BUILD)/flowgen) BUILD=$(abspath $(BUILD)) tests/bench/run

# One file for any node: nothing of the node is needed but its kernel. The linker's warnings are of functions that look up names
# of hosts and protocols, which no part of flowgen calls.
static_libs := $(firstword $(deps_libbpf) -lbpf) \
	$(shell $(PKG_CONFIG) --static --libs $(filter-out libpcap,$(PKGS)) libelf zlib 2>/dev/null) -lpcap -lpthread
static: $(BUILD)/flowgen.static
$(BUILD)/flowgen.static: $(cmd_objs) $(BUILD)/lib/static/missing.o $(lib)
	$(call say,LD)$(CC) $(cflags) -static -Wl,-z,relro,-z,now,--no-warnings $(LDFLAGS) $^ $(static_libs) -o $@
	@! readelf -d $@ | grep NEEDED

manuals = $(wildcard doc/*.8)
formats = $(wildcard doc/*.5)
schemas = $(wildcard doc/*.schema.json)
scenarios = $(wildcard scenarios/*)

install: all
	install -D -m 755 $(BUILD)/flowgen $(DESTDIR)$(SBINDIR)/flowgen
	$(if $(manuals),install -D -m 644 -t $(DESTDIR)$(DATADIR)/man/man8 $(manuals))
	$(if $(formats),install -D -m 644 -t $(DESTDIR)$(DATADIR)/man/man5 $(formats))
	$(if $(wildcard doc/flowgen.bash),install -D -m 644 doc/flowgen.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/flowgen)
	$(if $(scenarios),install -d $(DESTDIR)$(DATADIR)/flowgen/scenarios && cp -R $(scenarios) $(DESTDIR)$(DATADIR)/flowgen/scenarios/)
	$(if $(schemas),install -D -m 644 -t $(DESTDIR)$(DATADIR)/flowgen $(schemas))

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/flowgen $(manuals:doc/%=$(DESTDIR)$(DATADIR)/man/man8/%)
	rm -f $(formats:doc/%=$(DESTDIR)$(DATADIR)/man/man5/%)
	rm -f $(DESTDIR)$(DATADIR)/bash-completion/completions/flowgen
	rm -rf $(DESTDIR)$(DATADIR)/flowgen

# --- lint ------------------------------------------------------------------------------------------------------------
# clang-tidy looks again only at what was compiled again: its stamp stands on the object file.
c_files = $(wildcard lib/*.[ch] lib/*/*.[ch] cmd/*.[ch] bpf/*.[ch] tests/*/*.[ch])
tidy_stamps := $(lib_srcs:%.c=$(BUILD)/lint/%.tidy) $(cmd_srcs:%.c=$(BUILD)/lint/%.tidy)
lint_jobs := lint-format lint-cppcheck lint-shell lint-layering lint-options lint-words lint-manuals
.PHONY: $(lint_jobs)
lint: $(lint_jobs) $(tidy_stamps)

$(BUILD)/lint/%.tidy: %.c $(BUILD)/%.o .clang-tidy
	@mkdir -p $(@D)
	@echo "clang-tidy $<"
	@clang-tidy --quiet $< -- $(filter-out -Werror,$(cppflags) $(cflags)) > $@.log 2>/dev/null || { cat $@.log; exit 1; }
	@touch $@

# Each version lays a few things out in its own way: the one of Debian 12 decides.
CLANG_FORMAT_VERSION := 14
lint-format:
	@if clang-format --version | grep -q 'version $(CLANG_FORMAT_VERSION)\.'; then clang-format --dry-run -Werror $(c_files); else \
		echo 'lint-format: skipped: the code is formatted by clang-format $(CLANG_FORMAT_VERSION), and this is another'; fi

format:
	clang-format -i $(c_files)

# cppcheck does not know cleanup attributes either: what it says of leaks is not about this code.
lint-cppcheck: | $(skeletons)
	@cppcheck -j2 --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=memleak --suppress=resourceLeak --suppress=memleakOnRealloc \
		--suppress=nullPointerRedundantCheck '-DLIBBPF_OPTS(type,name,...)=struct type name = {0}' \
		'-Dnla_for_each_nested(p,n,r)=while ((p = (void *)(n)) && (r = 1))' '-Dbpf_object__for_each_program(p,o)=while ((p = (void *)(o)))' \
		-D__x86_64__ '-DFLOWGEN_VERSION=""' -Ilib -Ibpf $(lib_srcs) $(cmd_srcs)

lint-shell:
	@tests/lint/shell

lint-layering: $(lib)
	@tests/lint/layering $(BUILD)/lib

lint-options: $(BUILD)/flowgen
	@tests/lint/options $(BUILD)/flowgen

lint-words:
	@tests/lint/words

lint-manuals:
	@for page in $(manuals) $(formats); do mandoc -T lint -W warning $$page || exit 1; done

# What cost a download stays: `rm -r build` removes that too.
clean:
	rm -rf $(filter-out build/deps build/vm,$(wildcard $(BUILD)/*))

-include $(shell find $(BUILD)/lib $(BUILD)/cmd $(BUILD)/bpf $(BUILD)/tests $(BUILD)/fuzz -name '*.d' 2>/dev/null)
