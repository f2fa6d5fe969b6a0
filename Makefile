# Every target says what it does: make help.
GO      ?= go
BIN     := bin/ingot
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
ROUNDS  ?= 200
FUZZ    ?= 30s

.DEFAULT_GOAL := help
.PHONY: help build run test unit lint fmt generate setup e2e crash fuzz bench race cover clean profile

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

build: ## build bin/ingot, static and stripped
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/ingot

run: ## serve ./ingot-data on http://127.0.0.1:3000 and ssh on 2222
	$(GO) run ./cmd/ingot serve

test: setup lint ## all that CI runs: linters, every test, every git client (under 25 minutes on 2 cores)
	$(GO) test -timeout 20m ./...

unit: ## the tests that need no other git client and little time
	$(GO) test -short ./...

lint: ## gofmt, go vet, staticcheck (pinned as Go tools)
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool -modfile=tools.mod staticcheck ./...

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

generate: ## write the Go code of the pages' templates (committed, so that go run works)
	$(GO) tool -modfile=tools.mod templ generate -path serve/web

setup: ## install the other git clients that the tests run (Debian and npm packages)
	@tools/setup

e2e: setup ## only the end-to-end suite with real git clients
	$(GO) test -timeout 20m ./e2e/...

crash: ## kill -9 the server during pushes, ROUNDS times (default 200), then on a full disk
	$(GO) test -timeout 3h ./e2e/ -run 'TestCrash|TestDiskFull' -v -crash.rounds $(ROUNDS)

fuzz: ## run every fuzz target for FUZZ each (default 30s)
	@tools/fuzz $(FUZZ)

bench: build ## measure beside stock git in one run; REPO=path of a repository, else one is made; REF, SECTIONS, CHARTS=docs/charts for the SVG files
	$(GO) run ./tools/bench -ingot $(BIN) $(if $(REPO),-repo $(REPO)) $(if $(REF),-ref $(REF)) $(if $(SECTIONS),-sections $(SECTIONS)) $(if $(CHARTS),-charts $(CHARTS))

profile: build ## CPU and allocation profiles of OP (clone, push, "small push", fetch, "depth 1", …) into .cache/profiles; REPO and REF as bench
	$(GO) run ./tools/bench -ingot $(BIN) $(if $(REPO),-repo $(REPO)) $(if $(REF),-ref $(REF)) -profile "$(OP)"

race: ## all tests under the race detector
	$(GO) test -race -short -timeout 30m ./...

cover: ## test coverage of the whole module by package
	$(GO) test -short -coverpkg=./... -coverprofile=cover.out ./... && $(GO) tool cover -func=cover.out | tail -1

clean: ## remove what the targets made
	rm -rf bin .cache cover.out
