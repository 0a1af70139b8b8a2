# Spore's tasks. Everyday work needs only Go: `make run`, `make test`.

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 30s
PLATFORMS   := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

# Modules of their own, with what the main one shall not depend on.
NESTED      := $(patsubst %/go.mod,%,$(shell git ls-files '*/go.mod'))

.PHONY: help run test nested hostile histories kills gpufaults skipped race lint cross bench bench-sessions bench-gpu bench-once fuzz conformance differential interpreters browser

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the main job: render the dashboards of examples/hello into out.html
	$(GO) run ./examples/hello

test: ## all everyday tests
	$(GO) test -timeout 30m ./...

nested: ## the tests of the nested modules
	@set -e; for m in $(NESTED); do (cd $$m && $(GO) test ./...); done

hostile: ## all hostile programs in both isolation modes, and secrets of every size: some minutes
	SPORE_HOSTILE=all SPORE_SECRETS=all $(GO) test ./engine -run 'TestHostile|TestSecretsAreForgotten' -v -count 1 -timeout 60m

histories: ## 500 random histories of instances in each language, in one process and across processes: some minutes
	SPORE_HISTORIES=500 $(GO) test ./engine -run 'TestHistories$$' -v -count 1 -timeout 60m

kills: ## kill 1000 processes while they store sessions, and 1000 that call, park, suspend and resume instances
	SPORE_KILLS=1000 $(GO) test ./snapshot/store -run 'TestKill$$' -v -count 1
	SPORE_KILLS=1000 $(GO) test ./engine -run 'TestInstancesKilled$$' -v -count 1 -timeout 60m

gpufaults: ## 1000 random faults of GPU workers while others use them
	SPORE_GPU_FAULTS=1000 $(GO) test ./gpu -run 'TestFaults$$' -v -count 1 -timeout 20m

skipped: ## which tests this machine skips, and why
	@$(GO) test -short -v ./... 2>&1 | grep -A2 -e '--- SKIP' || echo "no test was skipped"

race: ## the tests under the race detector, without those that only repeat work
	$(GO) test -race -short -timeout 60m ./...
	@set -e; for m in $(NESTED); do (cd $$m && $(GO) test -race -short ./...); done

lint: ## formatting, vet, staticcheck, tidiness of go.mod
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not formatted:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff
	@set -e; for m in $(NESTED); do (cd $$m && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./... && $(GO) mod tidy -diff); done

cross: ## build without cgo for every platform
	@set -e; for p in $(PLATFORMS); do \
		echo "CGO_ENABLED=0 $$p"; \
		for m in . $(NESTED); do \
			(cd $$m && export CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} && $(GO) vet ./... && $(GO) build -o /dev/null ./...); \
		done; \
	done

bench: ## measure, with peers, and write engine/BENCHMARKS.md
	cd engine/bench && $(GO) run . -o ../BENCHMARKS.md

bench-sessions: ## measure a million instances of each language and write engine/SESSIONS.md: 10 GiB of memory, some minutes
	cd engine/bench && $(GO) run . -sessions 1000000 -o ../SESSIONS.md

bench-gpu: ## measure the way to a GPU worker, with gRPC beside it, the CPU backend, recovery and batches: about a minute
	cd gpu/bench && $(GO) run .

bench-once: ## run every benchmark once, so that none rots
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...
	cd engine/bench && $(GO) run . -quick
	cd gpu/bench && $(GO) run . -quick
	cd engine/bench && $(GO) run . -quick -sessions 1000

fuzz: ## every fuzz target for FUZZTIME, with a table of what was done
	@bad=0; printf '%-20s %-12s %-8s %s\n' target executions result package; \
	for m in . $(NESTED); do \
	for pkg in $$(cd $$m && $(GO) list ./...); do \
		for f in $$(cd $$m && $(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			out=$$(cd $$m && $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$pkg 2>&1) && result=ok || result=FAILED; \
			n=$$(printf '%s' "$$out" | sed -n 's/.*execs: \([0-9]*\).*/\1/p' | tail -n 1); \
			printf '%-20s %-12s %-8s %s\n' $$f "$$n" $$result $$pkg; \
			test $$result = ok || { printf '%s\n' "$$out"; bad=1; }; \
		done; \
	done; \
	done; exit $$bad

conformance: ## the interpreters' own test suites, from Debian and npm: about 10 minutes
	$(GO) run ./runtimes/javascript/conformance -atleast 5125
	$(GO) run ./runtimes/python/conformance -atleast 17400

# Some modules that take a second or two each and use much of the interpreter.
DIFFERENTIAL_PYTHON := ^(test_abc|test_array|test_base64|test_bisect|test_bool|test_complex|test_dict|test_enumerate|test_float|test_fractions|test_generators|test_heapq|test_int|test_itertools|test_list|test_long|test_range|test_set|test_slice|test_sort|test_string|test_struct|test_tuple|test_unpack|test_userdict)$$

differential: ## wazero's compiler against its interpreter: corpora, and the interpreters' own tests (an hour)
	SPORE_DIFFERENTIAL=all $(GO) test ./engine -run TestDifferential -timeout 60m
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	for tags in spore_compile spore_interpret; do \
		$(GO) run -tags $$tags ./runtimes/javascript/conformance -v -patience 30 > $$dir/$$tags; \
		$(GO) run -tags $$tags ./runtimes/python/conformance -v -patience 30 -run '$(DIFFERENTIAL_PYTHON)' >> $$dir/$$tags 2>&1; \
	done; \
	diff $$dir/spore_compile $$dir/spore_interpret && tail -n 1 $$dir/spore_interpret && echo "no difference"

interpreters: ## rebuild both interpreters and compare them with the committed ones
	SOURCES="$(SOURCES)" runtimes/javascript/build/build.sh --check
	SOURCES="$(SOURCES)" runtimes/python/build/build.sh --check

browser: ## screenshots of the examples in headless Chromium (needs it installed)
	$(GO) test -tags browser -run Browser -v ./examples/...
