# The two that matter: `make demo` runs a real stack of processes, `make test`
# passes the tests, and sets up what they lack.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: help
help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build bin/lightshuttle
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/lightshuttle ./cmd/lightshuttle

.PHONY: demo
demo: build ## run the example that needs no engine
	scripts/demo processes

.PHONY: demo-full
demo-full: engines build ## run the full example on a real engine
	scripts/demo full-stack

.PHONY: test
test: engines ## run all tests, on a real engine, with the race detector
	GOOS=wasip1 GOARCH=wasm go build ./sdk/... ./plugins/nerdctl
	go vet ./...
	eval "$$(scripts/engines/env)"; go test -race -timeout 40m ./...

.PHONY: conformance
conformance: engines ## run the contract's suite on docker, with a gigabyte of output
	go test -timeout 30m ./plugins/docker -run TestConformance -args -conformance.output $(or $(OUTPUT),1073741824)

.PHONY: lint
lint: ## run the linters
	$$(scripts/tool golangci-lint) run
	if command -v shellcheck >/dev/null; then shellcheck -x .ci/run scripts/engine scripts/demo scripts/tool scripts/wasm scripts/fuzz scripts/images/ensure scripts/images/standins scripts/images/*/*.sh scripts/engines/*; fi

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (10s)
	scripts/fuzz $(or $(FUZZTIME),10s)

.PHONY: bench
bench: engines build ## compare with docker compose and with a raw floor
	eval "$$(scripts/engines/env)"; go run ./bench -compose "$$(scripts/tool docker-compose)" $(BENCHFLAGS)

.PHONY: lab
lab: engines ## break every call to the engine in every way (an hour); LABFLAGS
	go run ./lab matrix -page docs/lab.md $(LABFLAGS)

.PHONY: soak
soak: engines ## do random things to random stacks for SOAK (5m); SOAKFLAGS
	go run ./lab soak -for $(or $(SOAK),5m) $(SOAKFLAGS)

.PHONY: engines
engines: ## install and start the engines, and make the images that tests need
	scripts/engine
	scripts/images/ensure
	scripts/engines/nerdctl
	scripts/engines/podman
	scripts/engines/images

.PHONY: wasm
wasm: ## build the WASM runtimes of wasm-examples into bin/wasm
	scripts/wasm

.PHONY: wasm-conformance
wasm-conformance: engines ## run the conformance suite on the WASM runtimes, on real engines; RUN
	eval "$$(scripts/engines/env)"; go test -tags conformance -timeout 60m $(if $(RUN),-run '$(RUN)') ./wasm-examples

.PHONY: generate
generate: ## write again what is generated
	go generate ./...

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
