package sqldb

import (
	"strconv"
	"strings"
	"time"

	"github.com/ingot-forge/ingot/git"
)

// micros is a time as it is stored: 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the inverse of micros, to the microsecond, in UTC.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// stored is a time as it comes back when it was stored.
func stored(t time.Time) time.Time { return fromMicros(micros(t)) }

// rawID is an object id as it is stored: NULL for the zero id.
func rawID(f git.Format, id git.ID) []byte {
	if id.IsZero() {
		return nil
	}
	return id[:f.Size()]
}

// fromRawID is the inverse of rawID. It tolerates any length; what is in the
// database was put there by rawID.
func fromRawID(b []byte) (id git.ID) {
	copy(id[:], b)
	return id
}

// chunks are the numbers of rows that one statement with a list handles: few and
// fixed, so that there are few texts to prepare. More than 32 rows gain nothing:
// SQLite looks each $n up in a list of all, so the cost of binding grows with
// their square.
var chunks = [...]int{32, 4, 1}

// inChunks splits n rows into runs whose lengths are among chunks.
func inChunks(n int, do func(from, to int) error) error {
	for at := 0; at < n; {
		for _, size := range chunks {
			if size <= n-at {
				if err := do(at, at+size); err != nil {
					return err
				}
				at += size
				break
			}
		}
	}
	return nil
}

// placeholders returns rows of columns, "($4,$5),($6,$7)", numbered from first.
// In pattern, ? stands for the next number.
func placeholders(pattern string, rows, first int) string {
	var b strings.Builder
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		for _, c := range []byte(pattern) {
			if c != '?' {
				b.WriteByte(c)
				continue
			}
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(first))
			first++
		}
	}
	return b.String()
}
