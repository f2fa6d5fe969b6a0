package sqldb

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// dialect is all that one kind of database needs to be told apart. Another kind
// is another value of it.
type dialect struct {
	// open returns the sessions for one of the two purposes. It does not connect yet.
	open func(purpose) (*pool, error)
	// beginRead begins a transaction that sees one moment, beginWrite one that
	// cannot fail because of others.
	beginRead, beginWrite string
	// together is how many writers may share a transaction. One where they don't
	// take turns, and a database syncs for several by itself.
	together int
	// words replace {{word}} in migrations.
	words *strings.Replacer
	// undone reports whether an error of COMMIT itself means that nothing was
	// committed. For every other the outcome is unknown.
	undone func(error) bool
	// full reports whether an error means that there was no space to write.
	full func(error) bool
	// busy reports whether opening failed only because somebody else is opening
	// the same database for the first time.
	busy func(error) bool
}

type purpose bool

const (
	forReading purpose = false
	forWriting purpose = true
)

// parseLocation returns the dialect of a location.
func parseLocation(location string) (dialect, error) {
	switch scheme, path, found := strings.Cut(location, ":"); {
	case location == "":
		return dialect{}, errors.New("no location given")
	case found && scheme == "sqlite":
		return sqliteDialect(path)
	case found && strings.HasPrefix(path, "//"):
		return dialect{}, fmt.Errorf("databases of kind %q are not supported", scheme)
	}
	return sqliteDialect(location)
}

// Result codes of SQLite, the low byte of what an error carries.
const (
	sqliteBusy       = 5
	sqliteReadOnly   = 8
	sqliteFull       = 13
	sqliteConstraint = 19
)

// lockPatience is how long a statement waits for a lock that another process
// holds. Our own write transactions take milliseconds; this is for a backup or
// an administrator's bulk work next door.
const lockPatience = 30 * time.Second

func sqliteDialect(path string) (dialect, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return dialect{}, err
	}
	return dialect{
		open:      func(p purpose) (*pool, error) { return openSQLite(path, p) },
		beginRead: `BEGIN`,
		// A transaction that reads first and then writes would fail if another
		// process wrote in between, so all take the lock when they begin.
		beginWrite: `BEGIN IMMEDIATE`,
		together:   mostTogether,
		words: strings.NewReplacer(
			"{{id}}", "INTEGER PRIMARY KEY AUTOINCREMENT", // never used again, even after the last row is deleted
			"{{sequence}}", "INTEGER PRIMARY KEY",
			"{{text}}", "TEXT", // compared by bytes
			"{{bytes}}", "BLOB",
			"{{clustered}}", "WITHOUT ROWID", // rows lie in the order of the primary key
		),
		undone: func(err error) bool {
			switch sqliteCode(err) {
			case sqliteBusy, sqliteReadOnly, sqliteFull, sqliteConstraint:
				return true
			}
			return false
		},
		full: func(err error) bool { return sqliteCode(err) == sqliteFull },
		busy: func(err error) bool { return sqliteCode(err) == sqliteBusy },
	}, nil
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

func openSQLite(path string, p purpose) (*pool, error) {
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", lockPatience.Milliseconds()),
		"foreign_keys(ON)",
		"temp_store(MEMORY)",
		"cache_size(-8192)", // 8 MiB for each connection
	}
	sessions := max(4, 2*runtime.GOMAXPROCS(0))
	if p == forReading {
		pragmas = append(pragmas, "query_only(ON)")
	} else {
		sessions = 1
		pragmas = append(pragmas,
			"journal_mode(WAL)",
			"synchronous(FULL)",            // every commit is synced before it returns
			"journal_size_limit(67108864)", // what a bulk change left of the log is given back
		)
	}
	query := url.Values{"_pragma": pragmas}
	source := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, err
	}
	return newPool(db, sessions), nil
}
