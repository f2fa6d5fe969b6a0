package ingot

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/forge/hosting"
	"github.com/ingot-forge/ingot/git"
	"github.com/ingot-forge/ingot/git/fsck"
	"github.com/ingot-forge/ingot/git/pack"
	"github.com/ingot-forge/ingot/git/repo"
	"github.com/ingot-forge/ingot/git/transfer"
	"github.com/ingot-forge/ingot/serve"
	"github.com/ingot-forge/ingot/serve/ssh"
)

// Limits bound what callers may cost. The zero value of a field means its
// default.
type Limits struct {
	PackBytes    int64 // of one push
	ObjectBytes  int64 // of one object, inflated
	PackInflated int64 // all objects of one push, inflated
	PushObjects  int64 // objects in one push
	DeltaDepth   int   // longest chain of deltas in a pushed pack
	PushRefs     int   // refs moved by one push
	IngestMemory int64 // bytes of kept deltas and bases while one push is taken in
	CacheBytes   int64 // inflated objects kept in memory, all repositories together
	OpenPacks    int   // packs kept open, all repositories together

	FetchWants, FetchHaves int // lines of each kind in one fetch request
	FetchShallows          int // shallow lines in one fetch request or push
	RefPrefixes            int // prefixes that one listing of refs may ask for; past it all are listed
	PushOptions            int // in one push
	PushOptionBytes        int // all options of one push
	PushCertBytes          int // the certificate of a signed push

	RefName   int // bytes of a pushed ref's name; the default can only be lowered
	EntryName int // bytes of a name in a pushed tree; the default can only be lowered

	ArchiveEntries int   // files and folders in one archive
	ArchiveBytes   int64 // of one archive

	Fetches, FetchesPerCaller int           // at once
	Pushes, PushesPerCaller   int           // at once
	Wait                      time.Duration // for a turn

	RequestIdle  time.Duration // between two bytes
	RequestWhole time.Duration // of one request or git command

	SSHConnections, SSHConnectionsPerCaller int
}

// defaultLimits are for a machine of a few cores: what a large project needs
// fits, what an attacker needs does not.
var defaultLimits = Limits{
	PackBytes:    16 << 30,
	ObjectBytes:  2 << 30,
	PackInflated: 1 << 40,
	PushObjects:  20_000_000,
	DeltaDepth:   4095, // the most that git itself ever writes
	PushRefs:     100_000,
	IngestMemory: pack.DefaultMemory,
	CacheBytes:   64 << 20,
	OpenPacks:    1024,

	FetchWants:      200_000,
	FetchHaves:      200_000,
	FetchShallows:   transfer.DefaultLimits.Shallows,
	RefPrefixes:     transfer.DefaultLimits.RefPrefixes,
	PushOptions:     transfer.DefaultLimits.PushOptions,
	PushOptionBytes: transfer.DefaultLimits.PushOptionBytes,
	PushCertBytes:   transfer.DefaultLimits.CertBytes,

	RefName:   git.MaxRefName,
	EntryName: fsck.MaxNameSize,

	ArchiveEntries: transfer.DefaultLimits.ArchiveEntries,
	ArchiveBytes:   transfer.DefaultLimits.ArchiveBytes,

	Fetches: 64, FetchesPerCaller: 32,
	Pushes: 16, PushesPerCaller: 8,
	Wait: 30 * time.Second,

	RequestIdle:  2 * time.Minute,
	RequestWhole: 2 * time.Hour,

	SSHConnections: 1024, SSHConnectionsPerCaller: 64,
}

func (l Limits) withDefaults() Limits {
	fill(&l.PackBytes, defaultLimits.PackBytes)
	fill(&l.ObjectBytes, defaultLimits.ObjectBytes)
	fill(&l.PackInflated, defaultLimits.PackInflated)
	fill(&l.PushObjects, defaultLimits.PushObjects)
	fill(&l.DeltaDepth, defaultLimits.DeltaDepth)
	fill(&l.PushRefs, defaultLimits.PushRefs)
	fill(&l.IngestMemory, defaultLimits.IngestMemory)
	fill(&l.CacheBytes, defaultLimits.CacheBytes)
	fill(&l.OpenPacks, defaultLimits.OpenPacks)
	fill(&l.FetchWants, defaultLimits.FetchWants)
	fill(&l.FetchHaves, defaultLimits.FetchHaves)
	fill(&l.FetchShallows, defaultLimits.FetchShallows)
	fill(&l.RefPrefixes, defaultLimits.RefPrefixes)
	fill(&l.PushOptions, defaultLimits.PushOptions)
	fill(&l.PushOptionBytes, defaultLimits.PushOptionBytes)
	fill(&l.PushCertBytes, defaultLimits.PushCertBytes)
	fill(&l.RefName, defaultLimits.RefName)
	fill(&l.EntryName, defaultLimits.EntryName)
	fill(&l.ArchiveEntries, defaultLimits.ArchiveEntries)
	fill(&l.ArchiveBytes, defaultLimits.ArchiveBytes)
	fill(&l.Fetches, defaultLimits.Fetches)
	fill(&l.FetchesPerCaller, defaultLimits.FetchesPerCaller)
	fill(&l.Pushes, defaultLimits.Pushes)
	fill(&l.PushesPerCaller, defaultLimits.PushesPerCaller)
	fill(&l.Wait, defaultLimits.Wait)
	fill(&l.RequestIdle, defaultLimits.RequestIdle)
	fill(&l.RequestWhole, defaultLimits.RequestWhole)
	fill(&l.SSHConnections, defaultLimits.SSHConnections)
	fill(&l.SSHConnectionsPerCaller, defaultLimits.SSHConnectionsPerCaller)
	return l
}

func fill[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}

func (l Limits) store() repo.Config {
	return repo.Config{
		CacheBytes: l.CacheBytes,
		OpenPacks:  l.OpenPacks,
		Limits: pack.Limits{PackBytes: l.PackBytes, ObjectBytes: l.ObjectBytes, TotalBytes: l.PackInflated,
			Objects: l.PushObjects, DeltaDepth: l.DeltaDepth, MemoryBytes: l.IngestMemory},
		Refs:      l.PushRefs,
		EntryName: l.EntryName,
	}
}

func (l Limits) transfer() transfer.Limits {
	return transfer.Limits{
		Wants: l.FetchWants, Haves: l.FetchHaves, Shallows: l.FetchShallows, RefPrefixes: l.RefPrefixes,
		Commands: l.PushRefs, RefName: l.RefName, PushOptions: l.PushOptions, PushOptionBytes: l.PushOptionBytes,
		CertBytes: l.PushCertBytes, ArchiveEntries: l.ArchiveEntries, ArchiveBytes: l.ArchiveBytes,
	}
}

func (l Limits) hosting() hosting.Limits {
	return hosting.Limits{Fetches: l.Fetches, FetchesPerCaller: l.FetchesPerCaller,
		Pushes: l.Pushes, PushesPerCaller: l.PushesPerCaller, Wait: l.Wait}
}

func (l Limits) ssh() ssh.Limits {
	return ssh.Limits{Connections: l.SSHConnections, ConnectionsPerCaller: l.SSHConnectionsPerCaller,
		Idle: l.RequestIdle, Whole: l.RequestWhole}
}

func (l Limits) deadlines() serve.Deadlines {
	return serve.Deadlines{Idle: l.RequestIdle, Whole: l.RequestWhole}
}

// randomSeed makes a secret of 256 bits.
func randomSeed() ([]byte, error) {
	seed := make([]byte, 32)
	rand.Read(seed) // never fails
	return seed, nil
}

// sshVersion keeps of a version what RFC 4253 allows in the greeting: printable
// ASCII without spaces and minus signs.
func sshVersion(version string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || r == '-' {
			return '_'
		}
		return r
	}, version)
}
