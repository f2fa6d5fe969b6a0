// Package ingot is a whole GitHub alternative as a value: Open one, mount its
// Handler, serve its SSH, Close it. The program in cmd/ingot does no more than
// that, and any other Go program can do the same.
//
// This package is the composition root: here, and only here, the stores, the
// engine, the product and the ways in are put together.
package ingot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ingot-forge/ingot/forge"
	"github.com/ingot-forge/ingot/forge/account"
	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/transfer"
	"github.com/ingot-forge/ingot/serve"
	"github.com/ingot-forge/ingot/serve/ssh"
	"github.com/ingot-forge/ingot/store/disk"
	"github.com/ingot-forge/ingot/store/sqldb"
)

// Config says what an instance is made of. Only Data is needed.
type Config struct {
	Data     string // directory that keeps everything
	Database string // "sqlite" (in Data), the default
	Blobs    string // "file" (in Data), the default
	// URL is the public address; it stands in answers and on pages.
	URL string
	// SSH is the public address of SSH, "host:port", as clone addresses show it;
	// "" if SSH is not served.
	SSH     string
	Version string
	Log     *slog.Logger   // slog.Default() if nil
	Proxies []netip.Prefix // peers whose X-Forwarded-For is believed
	Limits  Limits
}

// Instance is one open Ingot. Its methods may be called from several goroutines
// at once.
type Instance struct {
	Accounts *account.Service
	Hosting  *hosting.Service

	config  Config
	db      *sqldb.DB
	store   *repo.Store
	metrics *serve.Metrics
	ssh     *ssh.Server
	log     *slog.Logger

	closing sync.Once
	closed  error // by close
}

// Open opens the instance that lives in c.Data, making it if the directory is
// empty or not there. Several processes may have one instance open at once.
func Open(ctx context.Context, c Config) (*Instance, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Version == "" {
		c.Version = "devel"
	}
	if c.Data == "" {
		return nil, errors.New("ingot: no data directory given")
	}
	if c.Database != "" && c.Database != "sqlite" {
		return nil, fmt.Errorf("ingot: database %q is not supported; the only one so far is \"sqlite\"", c.Database)
	}
	if c.Blobs != "" && c.Blobs != "file" {
		return nil, fmt.Errorf("ingot: blob store %q is not supported; the only one so far is \"file\"", c.Blobs)
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	c.Limits = c.Limits.withDefaults()
	limits := c.Limits
	files, err := disk.Open(filepath.Join(c.Data, "blobs"))
	if err != nil {
		return nil, fmt.Errorf("ingot: %w", err)
	}
	database := filepath.Join(c.Data, "ingot.db")
	// SQLite would make it readable to all whom the directory lets in; it holds
	// the hashes of passwords.
	if err := disk.Reserve(database); err != nil {
		return nil, fmt.Errorf("ingot: %w", err)
	}
	db, err := sqldb.Open(ctx, database)
	if err != nil {
		return nil, fmt.Errorf("ingot: %w", err)
	}
	i := &Instance{config: c, db: db, log: c.Log, metrics: serve.NewMetrics()}
	stored := limits.store()
	stored.Damaged = func(file string, err error) {
		i.log.Warn("derived data are damaged and done without", "file", file, "error", err)
	}
	i.store = repo.New(files, db.Catalog(), stored)
	i.Accounts = account.New(account.Stores{Users: db.Users(), Tokens: db.Tokens(), Keys: db.Keys(), Secrets: db.Secrets()}, account.Config{})
	agent := "ingot/" + c.Version
	seed, err := i.Accounts.Secret(ctx, "push-certificate-seed", randomSeed)
	if err != nil {
		i.Close(ctx)
		return nil, fmt.Errorf("ingot: %w", err)
	}
	i.Hosting = hosting.NewService(hosting.Stores{
		Repositories:  db.Repositories(),
		Forks:         db.Repositories(),
		Collaborators: db.Collaborators(),
		Events:        db.Events(),
		Owners:        i.Accounts,
		RefLog:        db.Catalog(),
		Git:           &transfer.Server{Store: i.store, Agent: agent, Limits: limits.transfer(), NonceSeed: seed},
	}, hosting.Config{Limits: limits.hosting()})
	i.ssh, err = ssh.New(ctx, i.Hosting, i.Accounts, i.metrics, c.Log, "Ingot_"+sshVersion(c.Version), limits.ssh())
	if err != nil {
		i.Close(ctx)
		return nil, fmt.Errorf("ingot: %w", err)
	}
	return i, nil
}

// ServeSSH serves git over SSH on l until Shutdown, then returns nil.
func (i *Instance) ServeSSH(l net.Listener) error { return i.ssh.Serve(l) }

// ShutdownSSH stops accepting connections and waits, until ctx ends, for the
// git commands that are running.
func (i *Instance) ShutdownSSH(ctx context.Context) error { return i.ssh.Shutdown(ctx) }

// sweepEvery is how often a running instance looks for files that nothing
// names. They are rare (a crash, a refused push), so seldom is enough.
const sweepEvery = time.Hour

// compactEvery is how often a running instance looks at the repositories that
// were pushed to. Until then their packs are a few more.
const compactEvery = 15 * time.Second

// Maintain does the instance's regular work until ctx ends. One process of an
// instance is enough to sweep, any number does no harm; packs are joined by the
// process that took the pushes.
func (i *Instance) Maintain(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { every(ctx, sweepEvery, nil, i.sweep) })
	both.Go(func() { every(ctx, compactEvery, i.Hosting.Crowded(), i.compact) })
	both.Wait()
}

// every runs work at once and then again and again until ctx ends: after each
// pause, and sooner when urgent, which may be nil, receives.
func every(ctx context.Context, pause time.Duration, urgent <-chan struct{}, work func(context.Context)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for ctx.Err() == nil {
		work(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-urgent:
		}
	}
}

func (i *Instance) sweep(ctx context.Context) {
	files, bytes, err := i.Hosting.Sweep(ctx, forge.Machine(), nil)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		i.log.Error("sweep failed", "error", err)
	case files > 0:
		i.log.Info("swept", "files", files, "bytes", bytes)
	}
}

func (i *Instance) compact(ctx context.Context) {
	err := i.Hosting.CompactPushed(ctx, forge.Machine(), func(r *forge.Repository, done repo.CompactReport, err error) {
		if err != nil {
			i.log.Error("compaction failed", "repository", r.FullName(), "error", err)
			return
		}
		i.log.Info("compacted", "repository", r.FullName(), "done", done.String())
	})
	if err != nil && ctx.Err() == nil {
		i.log.Error("compaction failed", "error", err)
	}
}

// Close lets go of everything. Serving must have ended before. Called again, it
// returns what it returned first.
func (i *Instance) Close(ctx context.Context) error {
	i.closing.Do(func() { i.closed = i.close(ctx) })
	return i.closed
}

func (i *Instance) close(ctx context.Context) error {
	var errs []error
	if i.ssh != nil {
		errs = append(errs, i.ssh.Shutdown(ctx))
	}
	if i.store != nil {
		errs = append(errs, i.store.Close())
	}
	errs = append(errs, i.db.Close())
	return errors.Join(errs...)
}

// ready reports whether requests can be served: the database answers.
func (i *Instance) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return i.db.Ping(ctx)
}

// ConnContext is for the http.Server that serves Handler: with it, packs go to plain
// connections without being copied. It must not be set where something is put around
// Handler that changes the bodies of answers.
func (i *Instance) ConnContext(ctx context.Context, c net.Conn) context.Context {
	return serve.WithConn(ctx, c)
}

// Handler returns what serves HTTP: git, the API, the pages, and the three
// addresses for operators.
func (i *Instance) Handler() http.Handler { return i.routes() }
