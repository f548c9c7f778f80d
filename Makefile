# SPDX-License-Identifier: GPL-2.0
# Every target does what is needed of the ones before it, and nothing twice.
.NOTPARALLEL:
.PHONY: help toolbox base tree export kernel selftests schedulers run newcomer test fuzz mutate regress \
	bisect bench s390x deb docs matrix holes vmtest shell try results clean distclean
# SERIES: without it, the default that scripts/lib.sh has
export SERIES ACCEL KERNEL JOBS DEBUG KCSAN LOCKDEP STORM LIFETIME SEED COUNT BASE

CMD ?= ./test_progs -t kfunc_reloc

help:
	@echo 'make run       from nothing to the sched_ext schedulers in a VM, their bindings shown'
	@echo 'make newcomer  the commands that README.md shows, and does it show what they print?'
	@echo 'make test      every check and test; the last line says how many passed'
	@echo 'make test ONLY="PART..."  some of them: scripts/test --help'
	@echo 'make test DEBUG=1   tests and a storm of schedulers on a kernel with KASAN, lockdep, kmemleak'
	@echo 'make test KCSAN=1   the storm on a kernel that looks for data races'
	@echo 'make regress   what make test leaves out: all of test_progs, test_verifier and the'
	@echo '               sched_ext selftests with the whole configuration, base against series'
	@echo 'make bisect    each step of the series, built with gcc and clang, and booted; goes on where it ended'
	@echo 'make fuzz      20,000 random struct_ops programs against a model; SEED=N COUNT=N'
	@echo 'make mutate    100,000 programs, valid ones that are changed at random: what loads calls what it may'
	@echo 'make s390x     the series and its BPF selftests on s390x, in QEMU'
	@echo 'make bench     what it costs and saves, counted in instructions'
	@echo 'make try OBJ=FILE|FOLDER  do the BPF programs of your own objects load, to what are they'
	@echo '               bound, what is refused, and what to do? scripts/try --help'
	@echo 'make matrix    every operation of sched_ext x every kfunc of sched_ext: what loads, what is bound'
	@echo 'make holes     what the base loads, what happens then, and that the series refuses it'
	@echo 'make deb       Debian packages of the kernel, configured as Debian does: scripts/deb --help'
	@echo 'make deb CONFIG=small TEST=1   a small one, installed in a VM that then boots from it'
	@echo 'make docs      the documentation of the kernel, as html, in build/SERIES/docs'
	@echo 'make vmtest CMD="$(CMD)"'
	@echo '               one command in the VM, in the selftests of BPF'
	@echo 'make shell     the VM, interactive; selftests and schedulers are on PATH'
	@echo
	@echo 'make toolbox   build/toolbox: a Debian 13 root that everything below runs in'
	@echo 'make base      the pristine kernel source, checked, in the cache'
	@echo 'make tree      build/SERIES/linux: a git tree, the base and the series on top of it'
	@echo 'make export    patches/ and the folders, from the commits of the trees'
	@echo 'make kernel    its kernel; make selftests: what runs in the VM'
	@echo 'make results   the table in README.md, from results/; done by what writes there, too'
	@echo 'make clean     removes what was built from build/SERIES; make distclean: all of build/'
	@echo
	@echo "SERIES=$$(cd patches && echo v* | tr ' ' '|')  which series; default $$(sed -n 's/^MAIN=//p' scripts/lib.sh)"
	@echo 'KERNEL=PATH    your own tree as the base     ACCEL=kvm|tcg  not probed but forced'
	@echo 'PK_CACHE=DIR   the cache, default ~/.cache/polymorphic-kfuncs'

toolbox:
	@scripts/toolbox
base: toolbox
	@scripts/base
tree: base
	@scripts/tree
export:
	@scripts/export
kernel: tree
	@scripts/kernel
selftests: kernel
	@scripts/selftests
schedulers: kernel
	@scripts/selftests schedulers

run: schedulers
	@scripts/record -l '^scx_[a-z0-9_]+.*: scx_|^All schedulers|^[0-9]+ failures' run scripts/vm --clean --name run --time 3600 run-schedulers
newcomer: schedulers
	@scripts/newcomer
fuzz mutate: kernel
	@scripts/record -l '^kfunc_fuzz:|==> $@: .*agree' $@ scripts/fuzz $(if $(filter mutate,$@),--mutate)
docs: tree
	@scripts/docs
vmtest: selftests
	@scripts/record -l '^Summary:' vmtest scripts/vm --name vmtest $(if $(CLEAN),--clean) '$(subst ','\'',$(CMD))'
matrix: kernel
	@scripts/selftests sched_ext
	@scripts/record -l 'programs load' matrix scripts/vm --name matrix --time 7200 \
		-C tools/testing/selftests/sched_ext 'SCX_KFUNC_MATRIX=1 ./runner -t kfunc_matrix'
holes: schedulers
	@scripts/record -l '^(  |[a-z_]+: |[0-9]+ sched)' holes scripts/holes
try:
	@scripts/try $(OBJ)
shell: selftests
	@scripts/vm --shell

test:
	@scripts/record -l '^[0-9]+ passed, ' $(if $(DEBUG),debug,$(if $(KCSAN),kcsan,test)) scripts/test $(ONLY)
regress: tree
	@scripts/record -l '^(test_|sched_ext|veristat|DIFFERENT|expected|flaky|regress:)' regress scripts/regress $(ONLY)
bisect: tree
	@scripts/record -l '^(FAIL|bisect:)' bisect scripts/bisect
s390x: tree
	@scripts/record -l '^s390x:' s390x scripts/s390x
bench: tree
	@scripts/record -l '^(met|MISSED| |bench:)' bench scripts/bench
results:
	@scripts/results-table
deb: tree
	@$(if $(TEST),scripts/record -l '^==> (deb|check-deb)' deb scripts/check-deb,scripts/deb)

clean:
	@scripts/clean
distclean:
	@scripts/clean --all
