package transfer

import (
	"fmt"
	"time"
)

// meter shows progress in git's manner: a line that is overwritten, at most a
// few times a second, and ends in "done". It is used by one goroutine at a time.
type meter struct {
	send func(text string) // nil: say nothing
	next time.Time         // no line before
}

// meterInterval is how often a line is overwritten at most.
const meterInterval = 500 * time.Millisecond

func newMeter(send func(string)) *meter {
	return &meter{send: send, next: time.Now().Add(meterInterval)}
}

func (m *meter) say(text string) {
	if m.send != nil {
		m.send(text)
	}
}

// due reports whether it is time to overwrite the line.
func (m *meter) due() bool {
	if m.send == nil {
		return false
	}
	now := time.Now()
	if now.Before(m.next) {
		return false
	}
	m.next = now.Add(meterInterval)
	return true
}

// count shows a number whose end is not known.
func (m *meter) count(title string, n int) {
	if m.due() {
		m.say(fmt.Sprintf("%s: %d\r", title, n))
	}
}

// done ends the line that count overwrote.
func (m *meter) done(title string, n int) { m.say(fmt.Sprintf("%s: %d, done.\n", title, n)) }

// part shows how much of a total is done, and reports whether it did.
func (m *meter) part(title string, n, total int64) bool {
	due := m.due()
	if due {
		m.say(percent(title, n, total) + "\r")
	}
	return due
}

// all ends the line that part overwrote.
func (m *meter) all(title string, total int64) { m.say(percent(title, total, total) + ", done.\n") }

func percent(title string, n, total int64) string {
	return fmt.Sprintf("%s: %3d%% (%d/%d)", title, n*100/max(total, 1), n, total)
}
