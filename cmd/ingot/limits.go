package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot"
)

// limitFlags are ingot.Limits as flags: --limit-pack-size=4GiB, or
// INGOT_LIMIT_PACK_SIZE in the environment.
type limitFlags struct {
	PackSize                size          `help:"Bytes of one push." env:"INGOT_LIMIT_PACK_SIZE"`
	ObjectSize              size          `help:"Bytes of one object, inflated." env:"INGOT_LIMIT_OBJECT_SIZE"`
	PackInflated            size          `help:"Bytes of all objects of one push, inflated." env:"INGOT_LIMIT_PACK_INFLATED"`
	PushObjects             int64         `help:"Objects in one push." env:"INGOT_LIMIT_PUSH_OBJECTS"`
	DeltaDepth              int           `help:"Longest chain of deltas in a push." env:"INGOT_LIMIT_DELTA_DEPTH"`
	PushRefs                int           `help:"Refs moved by one push." env:"INGOT_LIMIT_PUSH_REFS"`
	PushOptionBytes         size          `help:"Bytes of all options of one push." env:"INGOT_LIMIT_PUSH_OPTION_BYTES"`
	PushOptions             int           `help:"Options of one push." env:"INGOT_LIMIT_PUSH_OPTIONS"`
	PushCertBytes           size          `help:"Bytes of the certificate of a signed push." env:"INGOT_LIMIT_PUSH_CERT_BYTES"`
	RefName                 int           `help:"Bytes of a pushed ref's name; at most the default, 1024." env:"INGOT_LIMIT_REF_NAME"`
	EntryName               int           `help:"Bytes of a name in a pushed tree; at most the default, 4096." env:"INGOT_LIMIT_ENTRY_NAME"`
	RefPrefixes             int           `help:"Prefixes in one listing of refs; past it all refs are listed." env:"INGOT_LIMIT_REF_PREFIXES"`
	FetchShallows           int           `help:"Shallow lines in one fetch or push." env:"INGOT_LIMIT_FETCH_SHALLOWS"`
	ArchiveEntries          int           `help:"Files and folders in one archive." env:"INGOT_LIMIT_ARCHIVE_ENTRIES"`
	ArchiveSize             size          `help:"Bytes of one archive." env:"INGOT_LIMIT_ARCHIVE_SIZE"`
	FetchWants              int           `help:"Objects asked for by one fetch." env:"INGOT_LIMIT_FETCH_WANTS"`
	FetchHaves              int           `help:"Objects named as known by one fetch request." env:"INGOT_LIMIT_FETCH_HAVES"`
	IngestMemory            size          `help:"Bytes kept in memory while one push is taken in." env:"INGOT_LIMIT_INGEST_MEMORY"`
	CacheSize               size          `help:"Bytes of objects cached in memory." env:"INGOT_LIMIT_CACHE_SIZE"`
	OpenPacks               int           `help:"Packs kept open." env:"INGOT_LIMIT_OPEN_PACKS"`
	Fetches                 int           `help:"Fetches at once." env:"INGOT_LIMIT_FETCHES"`
	FetchesPerCaller        int           `help:"Fetches at once of one user or address." env:"INGOT_LIMIT_FETCHES_PER_CALLER"`
	Pushes                  int           `help:"Pushes at once." env:"INGOT_LIMIT_PUSHES"`
	PushesPerCaller         int           `help:"Pushes at once of one user." env:"INGOT_LIMIT_PUSHES_PER_CALLER"`
	Wait                    time.Duration `help:"How long a fetch or push waits for its turn." env:"INGOT_LIMIT_WAIT"`
	RequestIdle             time.Duration `help:"How long a request may go without a byte moving." env:"INGOT_LIMIT_REQUEST_IDLE"`
	RequestWhole            time.Duration `help:"How long a request may take." env:"INGOT_LIMIT_REQUEST_WHOLE"`
	SSHConnections          int           `help:"SSH connections at once." env:"INGOT_LIMIT_SSH_CONNECTIONS"`
	SSHConnectionsPerCaller int           `help:"SSH connections at once of one address." env:"INGOT_LIMIT_SSH_CONNECTIONS_PER_CALLER"`
}

func (f limitFlags) limits() ingot.Limits {
	return ingot.Limits{
		PackBytes: int64(f.PackSize), ObjectBytes: int64(f.ObjectSize), PackInflated: int64(f.PackInflated), PushObjects: f.PushObjects,
		DeltaDepth: f.DeltaDepth, PushRefs: f.PushRefs, PushOptionBytes: int(f.PushOptionBytes),
		PushOptions: f.PushOptions, PushCertBytes: int(f.PushCertBytes), RefName: f.RefName, EntryName: f.EntryName,
		RefPrefixes: f.RefPrefixes, FetchShallows: f.FetchShallows,
		ArchiveEntries: f.ArchiveEntries, ArchiveBytes: int64(f.ArchiveSize),
		FetchWants: f.FetchWants, FetchHaves: f.FetchHaves,
		IngestMemory: int64(f.IngestMemory), CacheBytes: int64(f.CacheSize), OpenPacks: f.OpenPacks,
		Fetches: f.Fetches, FetchesPerCaller: f.FetchesPerCaller, Pushes: f.Pushes, PushesPerCaller: f.PushesPerCaller,
		Wait: f.Wait, RequestIdle: f.RequestIdle, RequestWhole: f.RequestWhole,
		SSHConnections: f.SSHConnections, SSHConnectionsPerCaller: f.SSHConnectionsPerCaller,
	}
}

// size is a number of bytes, written with or without KiB, MiB, GiB, TiB.
type size int64

// UnmarshalText implements encoding.TextUnmarshaler for kong.
func (s *size) UnmarshalText(text []byte) error {
	number, shift := string(text), 0
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if rest, ok := strings.CutSuffix(number, unit); ok {
			number, shift = rest, 10*(i+1)
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 0 || n > (1<<62)>>shift {
		return fmt.Errorf("%q is not a size such as 512MiB", text)
	}
	*s = size(n << shift)
	return nil
}
