package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// bar shows progress on standard error when that is a terminal, and nothing
// otherwise. Its methods may be called from several goroutines at once.
type bar struct {
	mu          sync.Mutex
	title       string
	on          bool
	drawn       bool
	at          time.Time
	done, total int64
}

const barEvery = 100 * time.Millisecond

func newBar(title string) *bar {
	info, err := os.Stderr.Stat()
	return &bar{title: title, on: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (b *bar) name(title string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.title = title
}

func (b *bar) set(done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done, b.total = done, total
	if b.on && (time.Since(b.at) >= barEvery || done == total) {
		b.at = time.Now()
		b.draw()
	}
}

func (b *bar) draw() {
	const width = 30
	b.drawn = true
	if b.total <= 0 {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s %d", b.title, b.done)
		return
	}
	filled := int(width * min(b.done, b.total) / b.total)
	fmt.Fprintf(os.Stderr, "\r\x1b[K%s [%s%s] %3d%% (%d/%d)", b.title, strings.Repeat("#", filled),
		strings.Repeat(" ", width-filled), 100*min(b.done, b.total)/b.total, b.done, b.total)
}

// line prints a line of its own above the bar.
func (b *bar) line(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	fmt.Println(text)
}

// end removes the bar.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
}

func (b *bar) clear() {
	if b.drawn {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		b.drawn = false
	}
}
